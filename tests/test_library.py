"""lrfer_bench from Python: classes of a script without a main guard, results, models.

And the sentences of mistakes.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from folders import TINY

import lrfer_bench
from lrfer_bench.errors import UserError
from lrfer_bench.reporting.choose import Choice
from lrfer_bench.store.schema import Record
from lrfer_bench.store.store import Store

SCRIPT = '''
import json, sys
import torch.nn.functional as F
from torch import nn
import lrfer_bench
from lrfer_bench.api import Method, Protocol, register_method

print("the script runs")
POWER = 1.0


class Base(Method):
    def __init__(self, task, *, bias: bool = True):
        super().__init__(task)
        height, width = task.size
        self.linear = nn.Linear(task.channels * height * width, task.classes, bias=bias)

    def forward(self, lr):
        return self.linear(self.enlarge(lr).flatten(1))


class MyIdea(Base):
    """Defined here and nowhere else."""

    def losses(self, batch):
        logits = self.linear(self.enlarged(batch).flatten(1))
        return {"ce": POWER * F.cross_entropy(logits, batch.label)}


@register_method("fails")
class Fails(MyIdea):
    """Says where."""

    def losses(self, batch):
        raise ValueError("not today")


class Corner(Protocol):
    name = "corner"
    summary = "every nth pixel"

    def degrade(self, hr, size, scale, seeds):
        return hr[:, :, ::scale, ::scale].contiguous()


table = lrfer_bench.run([MyIdea, Fails], dataset="tinyfaces", plugins=sys.argv[1], scales=2,
                        protocols=Corner, results="out", workers=2, tell=None)
print(table.to_json(orient="records"))
again = lrfer_bench.run(MyIdea, dataset="tinyfaces", scales=2, protocols=[Corner], results="out")
print(again.status.tolist())
'''


@pytest.fixture(scope="module")
def script(
    environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[str]]:
    folder = tmp_path_factory.mktemp("script")
    (folder / "my_script.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "my_script.py", str(TINY)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder, done.stdout.splitlines()


def test_classes_of_a_script_reach_the_workers_and_the_script_runs_once(
    script: tuple[Path, list[str]],
) -> None:
    said = script[1]
    assert said.count("the script runs") == 1
    rows = {row["method"]: row for row in json.loads(said[1])}
    assert (
        rows["my-idea"]["status"] == "finished" and rows["my-idea"]["test_protocol"] == "corner@1"
    )
    assert rows["my-idea"]["source"].startswith("my_script.py sha256:")
    line = SCRIPT.splitlines().index('        raise ValueError("not today")') + 1
    assert (
        f"my_script.py:{line})" in rows["fails"]["failure"]
        and "ValueError: not today" in rows["fails"]["failure"]
    )


def test_the_same_script_is_the_same_result(script: tuple[Path, list[str]]) -> None:
    """The second run of the script's classes had nothing to train.

    A key does not depend on the process.
    """
    folder, said = script
    assert said[-1] == "['finished']"
    assert len(list((folder / "out" / "records").glob("*_my-idea_*"))) == 1


def test_load_results_is_one_line_a_record(trained: Path) -> None:
    table = lrfer_bench.load_results(trained)
    assert len(table) == 6 and set(table.status) == {"finished", "failed"}
    assert table[table.method == "raises"].accuracy.isna().all()
    assert set(table[table.status == "finished"].size_px) == {8}
    with pytest.raises(UserError, match="nowhere"):
        lrfer_bench.load_results(trained / "nowhere")


def test_report_is_callable_although_a_package_has_its_name(trained: Path, tmp_path: Path) -> None:
    import lrfer_bench.reporting.frame  # the package is imported, and the name still works

    board = lrfer_bench.report(trained, tmp_path / "report", resamples=0, pictures="none")
    assert (tmp_path / "report" / "index.html").is_file() and {"linear", "enlarge"} <= set(
        board.method
    )
    with pytest.raises(UserError, match="colour"):
        lrfer_bench.report(trained, tmp_path / "report", colour="red")


def test_a_report_tells_what_the_command_warns_of(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained / "records", tmp_path / "records")
    shutil.copytree(trained / "logits", tmp_path / "logits")
    (tmp_path / "records" / "mine.json").write_text("{")
    for told in ([], None):
        tell = told if told is None else told.append
        lrfer_bench.report(tmp_path, resamples=0, pictures="none", page=False, tell=tell)
        assert told is None or (len(told) == 1 and "mine.json" in told[0]), told
        assert told is None or told[0].startswith("warning: ")


def test_a_report_leaves_out_what_is_not_asked_for(trained: Path, tmp_path: Path) -> None:
    quick: dict[str, Any] = {"resamples": 0, "pictures": "none", "page": False}
    one = lrfer_bench.report(trained, tmp_path, methods="linear", seeds=1, **quick)
    assert one.method.tolist() == ["linear"] and one.seeds.tolist() == [1]
    same = lrfer_bench.report(trained, tmp_path, choice=Choice(methods=["linear"]), **quick)
    assert same.method.tolist() == ["linear"] and same.seeds.tolist() == [2]
    with pytest.raises(UserError, match=r"choice is \['linear'\]: give names with methods="):
        lrfer_bench.report(trained, tmp_path, choice=["linear"], **quick)


@pytest.mark.parametrize("method", ["linear", "enlarge"])
def test_a_loaded_model_gives_the_logits_of_its_record(
    trained: Path, method: str, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LRFER_CACHE", environment["LRFER_CACHE"])
    table = lrfer_bench.load_results(trained)
    key = table[(table.method == method) & (table.seed == 1)].key.item()
    predictor = lrfer_bench.load_model(key[:16], trained, plugins=TINY)
    assert (
        predictor.lr_size == (8, 8)
        and predictor.hr_size == (16, 16)
        and len(predictor.classes) == 4
    )
    (record,) = [r for r in Store(trained).scan() if isinstance(r, Record) and r.key == key]
    answers = Store(trained).read_logits(record)
    images = drawn_test_images()
    lr = predictor.degrade(images)
    np.testing.assert_allclose(predictor(lr), answers.logits, atol=1e-5)
    shares = predictor.probabilities(lr)
    np.testing.assert_allclose(shares.sum(1), 1.0, atol=1e-5)
    assert predictor.classify(lr) == [predictor.classes[k] for k in answers.logits.argmax(1)]
    for wrong in (images, lr.astype(np.float32), lr[0], np.repeat(lr, 3, 1)):
        with pytest.raises(UserError, match="the images are"):
            predictor(wrong)


def test_a_model_is_loaded_by_words(
    trained: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LRFER_CACHE", environment["LRFER_CACHE"])
    by_words = lrfer_bench.load_model("linear", trained, scale=2, seed=1, plugins=TINY)
    assert (by_words.record.method.name, by_words.record.seed) == ("linear", 1)
    assert by_words.learned_on == "tinyfaces (synthetic faces)"
    lowest = lrfer_bench.load_model("linear", trained, scale=2, tell=None)
    assert lowest.record.seed == 0
    by_key = lrfer_bench.load_model(key=by_words.record.key[:20], results=trained)
    assert by_key.record == by_words.record
    wide = np.zeros((2, 1, 8, 30), np.uint8)
    assert by_words.fitted(wide).shape == (2, 1, 8, 8) == by_words.degrade(wide).shape
    for words, said in (({"scale": 4}, "no finished cell"), ({"protocol": "area"}, "no finished")):
        with pytest.raises(UserError, match=said):
            lrfer_bench.load_model("linear", trained, **words)
    with pytest.raises(UserError, match="no cell is named"):
        lrfer_bench.load_model(results=trained)


def drawn_test_images() -> Any:
    from lrfer_bench.plugins.registry import DATASETS

    return DATASETS.load("tinyfaces")().load(None).test.images


def test_wrong_keys_are_sentences(trained: Path) -> None:
    failed = next(
        r for r in Store(trained).scan() if isinstance(r, Record) and r.status == "failed"
    )
    for key, words in (
        ("ffff0000", "no record in"),
        ("", "no record in"),
        (failed.key, "failed"),
    ):
        with pytest.raises(UserError, match=words):
            lrfer_bench.load_model(key, trained, plugins=TINY)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"scales": [2.0]}, r"scales: 2\.0"),
        ({"scales": "2,x"}, 'scales is "2,x"'),
        ({"seeds": [True]}, "seeds: True"),
        ({"seeds": [np.float64(1)]}, "seeds: "),
        ({"test_scales": [None]}, "test_scales: None"),
        ({"methods": None}, "methods is None"),
        ({"protocols": None}, "protocols is None"),
        ({"dataset": ["a", "b"]}, "dataset"),
        ({"workers": "2"}, "workers: '2'"),
        ({"preset": None}, "preset is None"),
        ({"settings": {"linear": 3}}, "settings of 'linear' is 3"),
        ({"settings": "linear"}, "settings is 'linear'"),
        ({"results": 3}, "results is 3"),
        ({"plugins": [3]}, "plugins is 3"),
        ({"overwrite": ["never"]}, r"overwrite is \['never'\]"),
        ({"tell": "me"}, "tell is 'me'"),
    ],
    ids=str,
)
def test_wrong_kinds_are_sentences(options: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=words) as caught:
        lrfer_bench.run(**{"methods": "bicubic", "results": tmp_path / "results"} | options)
    assert "\n" not in str(caught.value) and not (tmp_path / "results").exists()


def test_wrong_kinds_of_results_are_sentences(trained: Path, tmp_path: Path) -> None:
    table = lrfer_bench.load_results([trained])
    assert len(table) == 6
    for call, words in (
        (lambda: lrfer_bench.load_results([]), "no folder"),
        (lambda: lrfer_bench.load_results(None), "results is None"),  # type: ignore[arg-type]
        (lambda: lrfer_bench.load_model(table.key, trained), "model is a Series"),
        (lambda: lrfer_bench.load_model("linear", trained, scale="2"), "scale: '2'"),
        (lambda: lrfer_bench.report(trained, tmp_path, resamples=-5), "resamples is -5"),
        (lambda: lrfer_bench.report(trained, tmp_path, resamples=0.5), r"resamples: 0\.5"),
        (
            lambda: lrfer_bench.report(trained, tmp_path, pictures="nothing"),
            "pictures is 'nothing'",
        ),
    ):
        with pytest.raises(UserError, match=words):
            call()


def test_importing_the_package_takes_no_torch() -> None:
    code = "import sys, lrfer_bench; sys.exit('torch' in sys.modules or 'pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    assert {"run", "report", "load_results", "load_model"} <= set(dir(lrfer_bench))
    with pytest.raises(AttributeError, match="no attribute 'rum'"):
        lrfer_bench.rum  # noqa: B018
