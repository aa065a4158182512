"""A record's cell is planned again, with the settings of its stages and the size of its faces."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import made_records
import pytest
import registries
from folders import TINY

import lrfer_bench
from lrfer_bench.errors import UserError
from lrfer_bench.predicting.origin import _bring_plugin, _image, _ways
from lrfer_bench.running.facts import write_facts
from lrfer_bench.store.schema import Record
from lrfer_bench.store.store import Store
from results import copy_of

STAGED = """
import torch.nn.functional as F
from torch import nn
from lrfer_bench.api import Method, Need, register_method

@register_method("base")
class Base(Method):
    def __init__(self, task, *, bias: bool = True):
        super().__init__(task)
        pixels = task.channels * task.size[0] * task.size[1]
        self.linear = nn.Linear(pixels, task.classes, bias=bias)
    def forward(self, lr):
        return self.linear(self.enlarge(lr).flatten(1))
    def losses(self, batch):
        return {"ce": F.cross_entropy(self.linear(self.enlarged(batch).flatten(1)), batch.label)}

@register_method("on-one")
class OnOne(Method):
    needs = {"below": "base@hr"}
    trains = "nothing"
    def forward(self, lr):
        return self.stages["below"](self.enlarge(lr).mul(255).byte())

@register_method("two-deep")
class TwoDeep(Base):
    needs = {"below": "middle@hr"}

@register_method("middle")
class Middle(Base):
    needs = {"below": "base@hr"}

@register_method("of-a-kind")
class OfAKind(Base):
    @classmethod
    def needs_for(cls, settings, hr):
        return {} if hr else {"teacher": Need("of-a-kind", "hr")}

@register_method("many")
class Many(Base):
    trains = "all scales"
"""


@pytest.fixture(autouse=True)
def names() -> Iterator[None]:
    """Plugins that a test loads are gone after it: other files have methods of these names."""
    with registries.kept():
        yield


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory, quickly: Any, tiny: list[str]) -> Path:
    """Cells whose stages had settings of their own, and of a method for all scales, HR included."""
    folder = tmp_path_factory.mktemp("staged")
    (folder / "staged.py").write_text(STAGED)
    done = quickly(
        "run",
        *tiny,
        "--plugin",
        folder / "staged.py",
        "--methods",
        "on-one,two-deep,of-a-kind[bias=false],many",
        "--set",
        "base.bias=false",
        "--scales",
        "1,2",
        "--no-report",
        "--results",
        folder / "results",
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("method", ["on-one", "two-deep", "of-a-kind", "many"])
def test_a_cell_is_found_again_by_the_settings_of_its_stages(
    staged: Path, method: str, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LRFER_CACHE", environment["LRFER_CACHE"])
    store = Store(staged / "results")
    cells = [
        r
        for r in store.scan()
        if isinstance(r, Record) and (r.method.name, r.test.scale) == (method, 2)
    ]
    assert cells
    for record in cells:
        predictor = lrfer_bench.load_model(record.key, store.root, plugins=[staged / "staged.py"])
        assert predictor.lr_size == (8, 8) and predictor.record == record


def test_models_without_the_settings_of_stages_are_other_settings(
    staged: Path, tmp_path: Path
) -> None:
    shutil.copytree(staged / "results", tmp_path / "results")
    for path in (tmp_path / "results" / "models").glob("*.json"):
        content = json.loads(path.read_text())
        path.write_text(
            json.dumps(
                {
                    name: content[name]
                    for name in content
                    if name not in ("settings", "stages", "content_sha256")
                }
            )
        )
    record = next(
        r
        for r in Store(tmp_path / "results").scan()
        if isinstance(r, Record) and r.method.name == "on-one"
    )

    def load() -> Any:
        return lrfer_bench.load_model(
            record.key, tmp_path / "results", plugins=[staged / "staged.py"]
        )

    assert load().record == record, "the record tells them, too"
    method = record.method.model_copy(update={"stage_settings": None})  # an older one does not
    Store(tmp_path / "results").amend(record.model_copy(update={"method": method}))
    with pytest.raises(UserError, match=r"other code or settings.*--results NEW"):
        load()


def test_settings_are_known_where_only_some_of_the_models_are_here(tmp_path: Path) -> None:
    """As after one's own oracle, whose classifier is a stage of a record that was merged."""
    keys = {"classifier": "a" * 64, "superres": "b" * 64}
    stages = {
        name: made_records.StagePart(key=key, method=name, train_seconds=1.0)
        for name, key in keys.items()
    }
    settings = ["classifier[epochs=1]", "superres[blocks=1]"]
    record = made_records.make_record(
        failure="-", method="cascade", stages=stages, stage_settings=settings
    )
    (tmp_path / "models").mkdir()
    facts = {
        "key": keys["classifier"], "sha256": "c" * 64, "seconds": 1.0, "rule": "last", "epoch": 1,
        "epochs": 1, "history": [], "peak_memory_mb": 1.0, "method": "classifier",
        "settings": {"epochs": 1},
    }  # fmt: skip
    write_facts(tmp_path / "models" / f"{keys['classifier']}.json", facts)
    ways = [asked for _, asked in _ways(record, Store(tmp_path))]
    assert {"classifier": {"epochs": 1}, "superres": {"blocks": "1"}} in ways


def test_a_size_that_is_not_known_is_not_called_missing_weights(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LRFER_CACHE", str(tmp_path / "cold"))
    mine = copy_of(trained, tmp_path / "mine")
    record = next(
        r for r in Store(mine).scan() if isinstance(r, Record) and r.method.name == "linear"
    )
    for take, words in (
        (False, "the weights .* are not in"),
        (True, "the size of the faces .* datasets prepare tinyf"),
    ):
        if take:
            shutil.copytree(trained / "models", mine / "models")
            for path in (mine / "models").glob("*.json"):
                content = {**json.loads(path.read_text()), "image": None}
                del content["content_sha256"]
                path.write_text(json.dumps(content))
        with pytest.raises(UserError, match=words):
            lrfer_bench.load_model(record.key, mine, plugins=[TINY])


def test_a_model_that_existed_is_to_be_evaluated_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no weights in a results folder, and no run command made it."""
    monkeypatch.setenv("LRFER_CACHE", str(tmp_path / "cold"))
    record = made_records.make_record(
        failure="-", method="net", source="net.py sha256:" + 12 * "a", existing=True
    )
    for ask in (
        lambda: _image(record, Store(tmp_path), []),
        lambda: _bring_plugin(record, Store(tmp_path), False),
    ):
        with pytest.raises(UserError, match=r"or evaluate|: evaluate") as caught:
            ask()
        assert "lrfer-bench run" not in str(caught.value)
        assert "--plugin" not in str(caught.value)
