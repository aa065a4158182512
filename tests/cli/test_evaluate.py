"""`lrfer-bench evaluate`: a model that exists already, from outside."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import in_process
import numpy as np
import pytest
import registries
import torch
from folders import TINY
from PIL import Image

import lrfer_bench
from lrfer_bench.store.schema import Record
from lrfer_bench.store.store import Store

NET = """import torch
from torch import nn


class Net(nn.Module):
    classes = ("bottom", "top", "right", "left")

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(256, 4)

    def forward(self, faces):
        return self.linear(faces.flatten(1))


class Throws(Net):
    def forward(self, faces):
        raise ValueError("no faces today")


class Fragile(Net):
    def forward(self, faces):
        if len(faces) > 2:
            raise ValueError("too many faces")
        return super().forward(faces)


class Fewer(Net):
    classes = Net.classes[1:]
"""


def logits_by_numpy(faces: Any, scale: int, state: Any) -> Any:
    """Made small and enlarged by Pillow, and a matrix product: nothing of ours."""
    made = []
    for face in faces[:, 0]:
        small = Image.fromarray(face).resize((16 // scale,) * 2, Image.Resampling.BICUBIC)
        made.append(np.asarray(small.resize((16, 16), Image.Resampling.BICUBIC)) / 255)
    weight, bias = (state[f"linear.{part}"].double().numpy() for part in ("weight", "bias"))
    return (np.reshape(made, (len(made), -1)) @ weight.T + bias)[:, [3, 2, 1, 0]]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evaluate")
    (folder / "net.py").write_text(NET)
    for number in (0, 1):
        torch.manual_seed(number)
        state = {"linear.weight": torch.randn(4, 256), "linear.bias": torch.randn(4)}
        torch.save(state, folder / f"net{number}.pth")
    return folder


@pytest.fixture(scope="module")
def evaluated(place: Path, trained: Path, quickly: Any, tiny: list[str]) -> tuple[Path, Any]:
    """Beside methods that were trained: under two protocols at three scales, HR among them."""
    results = place / "results"
    shutil.copytree(trained, results)
    done = quickly(
        "evaluate", f"{place / 'net.py'}:Net", "--weights", place / "net0.pth", *tiny,
        "--scales", "1,2,4", "--protocols", "bicubic,area", "--results", results, "--workers", "1",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return results, done


def records_of(results: Path, method: str = "net") -> list[Record]:
    found = [record for record in Store(results).scan() if isinstance(record, Record)]
    return [record for record in found if record.method.name == method]


def test_its_answers_are_those_of_its_own_file(evaluated: Any, place: Path) -> None:
    results, _ = evaluated
    with registries.kept():
        from lrfer_bench.plugins.loading import load_plugin
        from lrfer_bench.plugins.registry import DATASETS

        load_plugin(TINY)
        test = DATASETS.load("tinyfaces")().load(None).test
    state = torch.load(place / "net0.pth")
    records = {(r.test.protocol, r.test.scale): r for r in records_of(results)}
    assert sorted(records) == [(f"{p}@1", s) for p in ("area", "bicubic") for s in (1, 2, 4)]
    for scale in (1, 2, 4):
        record = records["bicubic@1", scale]
        expected = logits_by_numpy(test.images, scale, state)
        answers = Store(results).read_logits(record).logits
        np.testing.assert_allclose(answers, expected, rtol=1e-4, atol=1e-3)
        right = float((expected.argmax(1) == test.labels).mean())
        assert record.metrics is not None and record.metrics.all.accuracy == pytest.approx(right)


def test_its_record_says_that_nothing_was_trained(evaluated: Any, trained: Path) -> None:
    results, _ = evaluated
    for record in records_of(results):
        assert record.method.existing and not record.train.scales and not record.stages
        assert record.cost is not None and record.cost.train_seconds_with_stages == 0
        assert record.cost.parameters == 4 * 257
        (weights,) = record.method.weights
        assert weights.startswith("net0.pth sha256:")
        assert record.method.source.startswith("net.py sha256:")
    for other in records_of(results, "linear"):
        assert not other.method.existing and "existing" not in other.model_dump()["method"]
    models = [
        sorted(path.name for path in (root / "models").iterdir()) for root in (results, trained)
    ]
    assert models[0] == models[1]


def test_it_stands_in_the_tables_marked(evaluated: Any) -> None:
    results, done = evaluated
    said = done.stdout.splitlines()
    assert "  net: nothing was trained here" in said
    assert any("Net sees faces enlarged to HR size and answers logits" in line for line in said)
    report = results / "report"
    with open(report / "leaderboard.csv", encoding="utf-8") as opened:
        rows = list(csv.DictReader(opened))
    together = [{row["method"] for row in rows if row["test_protocol"] == p} for p in (
        "bicubic@1", "area@1")]  # fmt: skip
    assert {"net", "linear", "enlarge"} <= together[0] and together[1] == {"net"}
    assert {row["trained_scales"] for row in rows if row["method"] == "net"} == {"nothing"}
    for page in ("leaderboard.md", "index.html"):
        assert "net (nothing was trained here)" in (report / page).read_text(encoding="utf-8")


def test_what_has_a_record_is_not_run_again_and_other_weights_are_another_row(
    evaluated: Any, place: Path, quickly: Any, tiny: list[str], tmp_path: Path
) -> None:
    results, _ = evaluated
    shutil.copytree(results, tmp_path / "results")
    words = [f"{place / 'net.py'}:Net", *tiny, "--scales", "2", "--results", tmp_path / "results"]
    again = quickly("evaluate", *words, "--weights", place / "net0.pth", "--no-report")
    assert "all 1 cells have a record already" in again.stdout
    other = quickly("evaluate", *words, "--weights", place / "net1.pth", "--no-report")
    assert other.returncode == 0 and "done: net" in other.stdout
    assert len({record.method.source for record in records_of(tmp_path / "results")}) == 2
    by_file = quickly("run", "--config", tmp_path / "results" / "run.toml", "--no-report")
    assert "all 1 cells have a record already" in by_file.stdout, by_file.stderr


def test_it_answers_for_pictures_as_well(
    evaluated: Any, quickly: Any, tiny: list[str], tmp_path: Path
) -> None:
    results, _ = evaluated
    Image.fromarray(np.full((8, 8), 90, np.uint8)).save(tmp_path / "face.png")
    asked = ["--method", "net", "--protocol", "bicubic", "--results", results, "--json"]
    done = quickly("predict", *asked, "--plugin", TINY, tmp_path / "face.png")
    assert done.returncode == 0, done.stderr
    assert "what net learned on is not known" in done.stderr
    (face,) = json.loads(done.stdout)["faces"]
    assert face["scale"] == 2 and face["taken"] == "as it is"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["net.py:Nett"], 'did you mean "Net"'),
        (["net.py:Net"], "no weights were given"),
        (["net.py:Fewer", "--weights", "net0.pth"], "answers 3 classes"),
        (["net.py:Throws", "--weights", "net0.pth"], "ValueError: no faces today"),
        (["net.py:Net", "--weights", "net.py"], "cannot be read as weights"),
        (["net.py:Net", "--weights", "other.pth"], "do not fit Net (missing in the file: linear."),
        (["net.py:Net", "--weights", "net0.pth", "--classes", "a,b,c,d"], "are not those of"),
        (
            ["net.py:Net", "--weights", "net0.pth", "--name", "linear"],
            'cannot be called "linear", which is a method of tiny.py',
        ),
        (["net.py:Net", "--weights", "net0.pth", "--scales", "99"], "larger than the images"),
    ],
)
def test_mistakes_end_before_a_record_is_made(
    words: list[str], said: str, place: Path, tiny: list[str], tmp_path: Path
) -> None:
    torch.save({"other": torch.ones(3)}, place / "other.pth")
    files = [str(place / word) if word.startswith(("net", "other")) else word for word in words]
    with registries.pristine():
        done = in_process.lrfer("evaluate", *files, *tiny, "--results", tmp_path / "results")
    assert done.status == 2 and said in done.err, done.err
    assert len(done.err.strip().splitlines()) == 1
    assert not (tmp_path / "results/records").exists()
    if "Throws" in words[0]:
        line = NET.splitlines().index('        raise ValueError("no faces today")') + 1
        assert f"net.py:{line})" in done.err


def test_what_fails_in_the_test_is_a_failed_cell(
    place: Path, quickly: Any, tiny: list[str], tmp_path: Path
) -> None:
    words = [f"{place / 'net.py'}:Fragile", "--weights", place / "net0.pth", "--scales", "2"]
    done = quickly("evaluate", *words, *tiny, "--results", tmp_path / "results", "--no-report")
    assert done.returncode == 1
    (record,) = records_of(tmp_path / "results", "fragile")
    assert record.failure is not None and record.method.existing
    line = NET.splitlines().index('            raise ValueError("too many faces")') + 1
    assert "ValueError: too many faces" in record.failure.sentence
    assert f"/net.py:{line})" in record.failure.sentence
    assert str(tmp_path) not in record.failure.sentence


def test_the_same_from_python(
    place: Path, tmp_path: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LRFER_CACHE", environment["LRFER_CACHE"])
    words: dict[str, Any] = {
        "dataset": "tinyfaces", "plugins": TINY, "results": tmp_path / "results",
        "scales": 2, "workers": 1, "tell": None,
    }  # fmt: skip
    with registries.kept():
        table = lrfer_bench.evaluate(f"{place / 'net.py'}:Net", place / "net0.pth", **words)
        other = lrfer_bench.evaluate(f"{place / 'net.py'}:Net", place / "net1.pth", **words)
        assert [*table.status, *other.status] == ["finished", "finished"]
        assert table.accuracy.item() != other.accuracy.item()
        predict = lrfer_bench.load_model(table.key.item(), tmp_path / "results", tell=None)
        assert predict.lr_size == (8, 8)
        for wrong, said in (
            ({"epochs": 3}, "epochs is not an argument here"),
            ({"scales": "two"}, 'scales is "two"'),
            ({"classes": 3}, "classes"),
        ):
            with pytest.raises(lrfer_bench.UserError, match=said):
                lrfer_bench.evaluate(f"{place / 'net.py'}:Net", **{**words, **wrong})
