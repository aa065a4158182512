"""merge looks before it takes; predict says what it sees."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import made_records
import numpy as np
import pytest
from folders import TINY
from PIL import Image

from lrfer_bench.errors import UserError
from lrfer_bench.predicting.photos import Wanted, choose
from lrfer_bench.scoring.metrics import score
from lrfer_bench.store.merge import merge
from lrfer_bench.store.store import (
    Logits,
    Record,
    Store,
    checksum,
)  # fmt: skip

Edit = Callable[[dict[str, Any]], None]


def copy_of(trained: Path, target: Path) -> Path:
    for part in ("records", "logits"):
        shutil.copytree(trained / part, target / part)
    return target


def verdicts(mine: Path, *others: Path, **how: bool) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {"taken": [], "stood": [], "refused": []}
    for outcome in merge(mine, others, **how):
        found[outcome.verdict].append(outcome.reason)
    return found


def test_all_is_taken_once_with_the_very_bytes(trained: Path, tmp_path: Path) -> None:
    assert len(verdicts(tmp_path / "mine", trained, dry=True)["taken"]) == 6 and not (tmp_path / "mine").exists()
    assert len(verdicts(tmp_path / "mine", trained)["taken"]) == 6
    for part in ("records", "logits"):
        mine, theirs = (
            {p.name: p.read_bytes() for p in (root / part).iterdir()} for root in (tmp_path / "mine", trained)
        )
        assert mine == theirs
    assert verdicts(tmp_path / "mine", trained) == {"taken": [], "stood": [""] * 6, "refused": []}


def test_a_finished_record_replaces_a_failed_one_and_not_the_other_way(trained: Path, tmp_path: Path) -> None:
    mine = copy_of(trained, tmp_path / "mine")
    path = next((mine / "records").glob("*_linear_*_s0_*"))
    content = json.loads(path.read_text())
    content |= {"status": "failed", "failure": {"sentence": "no"}, "metrics": None, "cost": None, "logits_sha256": None}
    path.write_text(json.dumps({**content, "content_sha256": checksum(content)}))
    assert verdicts(trained, mine, dry=True)["taken"] == []
    assert verdicts(mine, trained)["taken"] == ["in place of a failed one"]
    assert path.read_bytes() == (trained / "records" / path.name).read_bytes()


def edit(path: str, value: Any) -> Edit:
    def change(content: dict[str, Any]) -> None:
        *above, last = path.split(".")
        for name in above:
            content = content[name]
        content[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (edit("schema_version", 2), "does not have schema version 1"),
        (edit("metrics.all.macro_f1", 0.123), "metrics do not follow from its logits"),
        (edit("metrics.all.accuracy", 0.99), "accuracy does not follow from its confusion matrix"),
        (edit("logits_sha256", "0" * 64), "is not the file its record was written with"),
        (edit("test.protocol", "bicubic@7"), "its name does not match its content"),
        (edit("train.protocol", "bicubic@7"), "made under bicubic@7, but here is bicubic@1"),
        (edit("train.protocol", "drawn@1"), "protocol drawn@1 is not here"),
        (edit("preset", "quick@9"), "its name does not match"),
        (edit("dataset.fingerprint", "a" * 64), "other images or labels"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_reason(trained: Path, tmp_path: Path, change: Edit, words: str) -> None:
    other = copy_of(trained, tmp_path / "other")
    mine = copy_of(trained, tmp_path / "mine")
    (path,) = (mine / "records").glob("*_linear_*_s1_*")
    path.unlink()
    (changed,) = (other / "records").glob("*_linear_*_s1_*")
    content = json.loads(changed.read_text())
    change(content)
    changed.write_text(json.dumps({**content, "content_sha256": checksum(content)}))
    (reason,) = verdicts(mine, other)["refused"]
    assert words in reason and not path.exists()
    if "fingerprint" in reason:
        assert len(verdicts(mine, other, other_data=True)["taken"]) == 1


def test_labels_of_the_same_data_have_to_be_mine(trained: Path, tmp_path: Path) -> None:
    other, mine = copy_of(trained, tmp_path / "other"), copy_of(trained, tmp_path / "mine")
    record = next(r for r in Store(other).scan() if isinstance(r, Record) and (r.method.name, r.seed) == ("linear", 1))
    (mine / "records" / f"{record.stem}.json").unlink()
    answers = Store(other).read_logits(record)
    turned = type(answers)(answers.logits[::-1].copy(), answers.labels[::-1].copy(), answers.clean[::-1].copy())
    parts = score(turned.logits, turned.labels, turned.clean)
    Store(other).save(record.model_copy(update={"metrics": parts}), turned)
    (reason,) = verdicts(mine, other)["refused"]
    assert "test labels or leaked rows are not those of" in reason


def test_my_damaged_file_is_kept_beside_what_is_taken(trained: Path, tmp_path: Path) -> None:
    mine = copy_of(trained, tmp_path / "mine")
    path = next((mine / "records").glob("*_linear_*_s0_*"))
    path.write_text("my work of a month")
    (would,) = verdicts(mine, trained, dry=True)["taken"]
    assert "mine is damaged and would be kept" in would and path.read_text() == "my work of a month"
    assert verdicts(mine, trained)["taken"] == [f"mine was damaged and is kept as {path.name}.damaged"]
    assert path.with_name(f"{path.name}.damaged").read_text() == "my work of a month"
    assert path.read_bytes() == (trained / "records" / path.name).read_bytes()


def test_garbage_with_a_fitting_checksum_stops_no_other_record(trained: Path, tmp_path: Path) -> None:
    other = copy_of(trained, tmp_path / "other")
    path = next((other / "records").glob("*_linear_*_s0_*"))
    (other / "logits" / f"{path.stem}.npz").write_bytes(b"garbage")
    content = json.loads(path.read_text()) | {"logits_sha256": hashlib.sha256(b"garbage").hexdigest()}
    path.write_text(json.dumps({**content, "content_sha256": checksum(content)}))
    found = verdicts(tmp_path / "mine", other)
    assert len(found["taken"]) == 5 and "holds no test logits" in found["refused"][0]


def test_folders_that_are_none(trained: Path, tmp_path: Path) -> None:
    for other, words in ((tmp_path, "no results folder"), (trained, "the folder to merge into")):
        with pytest.raises(UserError, match=words):
            list(merge(trained, [other]))


def test_merge_from_outside(trained: Path, lrfer: Any, tmp_path: Path) -> None:
    other = copy_of(trained, tmp_path / "other")
    next((other / "records").iterdir()).write_text("{")
    done = lrfer("merge", other, "--results", tmp_path / "mine")
    assert done.returncode == 1 and "5 taken, 0 stood already, 1 refused" in done.stdout
    assert "no whole JSON file" in done.stdout


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory, trained: Path) -> Path:
    """The first four test faces, enlarged, in colour; and one of LR size."""
    from lrfer_bench.plugins.loading import load_plugin
    from lrfer_bench.plugins.registry import DATASETS

    load_plugin(TINY)
    folder = tmp_path_factory.mktemp("pictures")
    for number, face in enumerate(DATASETS.load("tinyfaces")().load(None).test.images[:4, 0]):
        Image.fromarray(np.kron(face, np.ones((3, 3), np.uint8))).convert("RGB").save(folder / f"face{number}.png")
    Image.fromarray(np.full((8, 8), 90, np.uint8)).save(folder / "small.png")
    return folder


def test_predict_writes_a_line_a_picture(
    trained: Path, lrfer: Any, tiny: list[str], pictures: Path, tmp_path: Path
) -> None:
    asked = ["--method", "linear", "--scale", "2", "--results", trained, *tiny[:2]]
    done = lrfer("predict", *asked, pictures, pictures / "face0.png")
    assert done.returncode == 0 and not done.stderr
    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert [Path(row["image"]).name for row in rows] == [
        "face0.png",
        "face1.png",
        "face2.png",
        "face3.png",
        "small.png",
        "face0.png",
    ]
    assert {**rows[0], "image": ""} == {**rows[5], "image": ""}
    for row in rows:
        shares = {name: float(row[name]) for name in ("left", "right", "top", "bottom")}
        assert sum(shares.values()) == pytest.approx(1, abs=3e-4) and shares[row["expression"]] == max(shares.values())
    record = next(
        r for r in Store(trained).scan() if isinstance(r, Record) and (r.method.name, r.seed) == ("linear", 0)
    )
    said = Store(trained).read_logits(record).logits[:4].argmax(1)
    assert [row["expression"] for row in rows[:4]] == [record.dataset.classes[k] for k in said]
    to_file = lrfer("predict", *asked, pictures, "--out", tmp_path / "out.csv", "--seed", "1")
    assert "5 faces by tinyfaces_linear" in to_file.stdout and len((tmp_path / "out.csv").read_text().splitlines()) == 6


STAGED = """
import torch.nn.functional as F
from torch import nn
from lrfer_bench.api import Method, Need, register_method

@register_method("base")
class Base(Method):
    def __init__(self, task, *, bias: bool = True):
        super().__init__(task)
        self.linear = nn.Linear(task.channels * task.size[0] * task.size[1], task.classes, bias=bias)
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


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory, lrfer: Any, tiny: list[str]) -> Path:
    """Cells whose stages had settings of their own, and of a method for all scales with HR images among them."""
    folder = tmp_path_factory.mktemp("staged")
    (folder / "staged.py").write_text(STAGED)
    done = lrfer("run", *tiny, "--plugin", folder / "staged.py", "--methods", "on-one,two-deep,of-a-kind[bias=false],many",
                 "--set", "base.bias=false", "--scales", "1,2", "--no-report", "--results", folder / "results")  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("method", ["on-one", "two-deep", "of-a-kind", "many"])
def test_a_cell_is_found_again_by_the_settings_of_its_stages(
    staged: Path, method: str, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import lrfer_bench

    monkeypatch.setenv("LRFER_CACHE", environment["LRFER_CACHE"])
    store = Store(staged / "results")
    cells = [r for r in store.scan() if isinstance(r, Record) and (r.method.name, r.test.scale) == (method, 2)]
    assert cells
    for record in cells:
        predictor = lrfer_bench.load_model(record.key, store.root, plugins=[staged / "staged.py"])
        assert predictor.lr_size == (8, 8) and predictor.record == record


def test_models_without_the_settings_of_stages_are_other_settings(staged: Path, tmp_path: Path) -> None:
    import lrfer_bench

    shutil.copytree(staged / "results", tmp_path / "results")
    for path in (tmp_path / "results" / "models").glob("*.json"):
        content = json.loads(path.read_text())
        path.write_text(json.dumps({name: content[name] for name in content if name not in ("settings", "stages")}))
    record = next(r for r in Store(tmp_path / "results").scan() if isinstance(r, Record) and r.method.name == "on-one")
    with pytest.raises(UserError, match=r"other code or settings.*--overwrite always"):
        lrfer_bench.load_model(record.key, tmp_path / "results", plugins=[staged / "staged.py"])


def test_a_size_that_is_not_known_is_not_called_missing_weights(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import lrfer_bench

    monkeypatch.setenv("LRFER_CACHE", str(tmp_path / "cold"))
    mine = copy_of(trained, tmp_path / "mine")
    record = next(r for r in Store(mine).scan() if isinstance(r, Record) and r.method.name == "linear")
    for take, words in (
        (False, "the weights .* are not in"),
        (True, "the size of the faces .* datasets prepare tinyf"),
    ):
        if take:
            shutil.copytree(trained / "models", mine / "models")
            for path in (mine / "models").glob("*.json"):
                path.write_text(json.dumps({**json.loads(path.read_text()), "image": None}))
        with pytest.raises(UserError, match=words):
            lrfer_bench.load_model(record.key, mine, plugins=[TINY])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--method", "linaer"], 'did you mean "linear"'),
        (["--method", "linear", "--scale", "4"], "no finished cell of linear fits"),
        (["--method", "raises"], "none is finished"),
        ([], "no cell is named"),
        (["--key", "zzz"], "no record in"),
        (["--key", "direct_"], "a key is hexadecimal"),
        (["--key", "ffff0000"], 'has a key that starts with "ffff0000"'),
        (["--method", "linear"], "which is not here: install it, or give its file with --plugin"),
    ],
)
def test_predict_mistakes(trained: Path, lrfer: Any, pictures: Path, arguments: list[str], words: str) -> None:
    done = lrfer("predict", *arguments, "--results", trained, pictures / "face0.png")
    assert done.returncode == 2 and words in done.stderr and "Traceback" not in done.stderr


def known(root: Path, name: str, key: str, code: str = "a", scale: int = 2, seed: int = 0, **settings: Any) -> Record:
    """A finished record of "mine.py" in a results folder."""
    logits = Logits(np.eye(4, dtype=np.float32), np.arange(4), np.ones(4, np.bool_))
    record = made_records.make_record(
        logits, key=key * 64, method=name, settings=settings, source=f"mine.py sha256:{code * 12}", scale=scale, seed=seed,
        classes="abcd", preset="quick@1",
    )  # fmt: skip
    Store(root).save(record, logits)
    return record


def chosen(root: Path, **wanted: Any) -> tuple[str, list[str]]:
    """The first letter of the key, and the notes."""
    notes: list[str] = []
    return choose(root, Wanted(**wanted), notes.append).key[0], notes


def test_a_label_finds_its_cell_however_its_numbers_are_written(tmp_path: Path) -> None:
    known(tmp_path, "mine", "a", weight=0.0, arch="wide")
    known(tmp_path, "mine", "b", weight=0.5, arch="wide")
    known(tmp_path, "mine", "c", sizes=[1, 2])
    for text in ("mine[arch=wide,weight=0]", "mine[weight=0.0, arch=wide]", "mine[arch=wide,weight=0e0]"):
        assert chosen(tmp_path, method=text) == ("a", [])
    assert chosen(tmp_path, method="mine[sizes=[1, 2]]") == ("c", [])
    with pytest.raises(UserError, match=r"no finished cell of mine\[weight=0,arch=wide\] fits: there are a{12} \("):
        chosen(tmp_path, method="mine[weight=0,arch=wide]", scale=4)
    with pytest.raises(UserError, match=r"3 cells fit.*mine\[arch=wide,weight=0.5\] of mine.py sha256:aaaa"):
        chosen(tmp_path, method="mine")
    known(tmp_path, "mine", "d")
    assert chosen(tmp_path, method="mine") == ("d", []), "a bare name is the method as it is"


def test_a_key_and_what_contradicts_it(tmp_path: Path) -> None:
    known(tmp_path, "mine", "a")
    assert chosen(tmp_path, key="aaa", method="mine", scale=2) == ("a", [])
    for wanted in ({"method": "direct"}, {"scale": 4}, {"seed": 1}):
        with pytest.raises(UserError, match=r"the key aaa is that of .* which the other options do not fit"):
            chosen(tmp_path, key="aaa", **wanted)


def test_of_an_edited_plugin_the_newest_is_taken_with_a_note(tmp_path: Path) -> None:
    for seed, old, new in ((0, "a", "c"), (1, "b", "d")):
        path = tmp_path / "records" / f"{known(tmp_path, 'mine', old, code='1', seed=seed).stem}.json"
        os.utime(path, (1, 1))
        known(tmp_path, "mine", new, code="2", seed=seed)
    found, notes = chosen(tmp_path, method="mine")
    assert found == "c" and len(notes) == 1 and notes[0].endswith("made with mine.py sha256:111111111111")
    known(tmp_path, "mine", "e", code="3", scale=4)
    assert chosen(tmp_path, method="mine", scale=2)[0] == "c"
    with pytest.raises(UserError, match=r"3 cells fit.*mine of mine.py sha256:3333"):
        chosen(tmp_path, method="mine")


def test_a_picture_that_is_none(trained: Path, lrfer: Any, tiny: list[str], tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_text("no picture")
    (tmp_path / "empty").mkdir()
    for name, words in (("bad.png", "cannot be decoded"), ("no.png", "missing"), ("empty", "holds no picture")):
        done = lrfer("predict", "--method", "linear", "--results", trained, *tiny[:2], tmp_path / name)
        assert done.returncode == 2 and words in done.stderr and "Traceback" not in done.stderr
