"""`lrfer-bench export` from outside, and its latency in a table."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from folders import PLUGINS, TINY

from lrfer_bench.store.schema import Record
from lrfer_bench.store.store import Store

LINEAR = ("--method", "linear", "--scale", "2", "--plugin", TINY)


def test_a_file_that_another_program_runs(quickly: Any, trained: Path, tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    out = tmp_path / "new" / "linear.onnx"
    done = quickly("export", *LINEAR, "--results", trained, "--out", out)
    assert done.returncode == 0 and not done.stderr
    for words in ("48 test faces of tinyfaces", "licence: ", "latency in onnxruntime: "):
        assert words in done.stdout
    record = next(
        r for r in Store(trained).scan() if isinstance(r, Record) and r.method.name == "linear"
    )
    logits = Store(trained).read_logits(record).logits
    session = runtime.InferenceSession(str(out))
    (given,) = session.get_inputs()
    assert (given.name, given.type, given.shape) == ("faces", "tensor(uint8)", ["N", 1, 8, 8])
    (said,) = session.run(None, {"faces": np.zeros((3, 1, 8, 8), np.uint8)})
    assert said.shape == (3, logits.shape[1]) and np.allclose(said.sum(1), 1)


def test_nothing_is_overwritten_and_force_replaces(
    inside: Any, trained: Path, tmp_path: Path
) -> None:
    out = tmp_path / "linear.safetensors"
    out.write_text("mine")
    asked = ("export", *LINEAR, "--results", trained, "--out", out)
    done = inside(*asked)
    assert done.status == 2 and "--force" in done.err and out.read_text() == "mine"
    done = inside(*asked, "--force")
    assert done.status == 0 and "as safetensors in" in done.out and out.stat().st_size > 1000


def test_no_file_is_left_where_the_answers_differ(
    quickly: Any, inside: Any, tmp_path: Path
) -> None:
    """A plugin whose answer depends on how many faces it is shown together."""
    spoilt = tmp_path / "spoilt.py"
    text = TINY.read_text(encoding="utf-8").replace(
        "return self.linear(self.enlarge(lr).flatten(1))",
        "return self.linear(self.enlarge(lr).flatten(1)) + torch.tensor([len(lr), 0, 0, 0])",
    )
    spoilt.write_text(text)
    results = tmp_path / "results"
    words = ("--plugin", spoilt, "--dataset", "tinyfaces", "--scales", "2", "--no-report")
    assert quickly("run", *words, "--methods", "linear", "--results", results).returncode == 0
    for ending in (".pt", ".onnx"):
        out = tmp_path / f"spoilt{ending}"
        done = inside("export", "--method", "linear", "--results", results, "--plugin", spoilt,
                      "--out", out)  # fmt: skip
        assert done.status == 2 and "does not answer as torch does" in done.err
        assert "Traceback" not in done.err and not out.exists()
    assert not [path for path in tmp_path.iterdir() if "tmp" in path.name]


def test_measured_exports_have_their_column(inside: Any, trained: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    results = Path(shutil.copytree(trained, tmp_path / "results"))
    done = inside("measure", "--onnx", "--results", results, "--plugin", PLUGINS / "tiny.py")
    assert done.status == 0, done.err
    assert done.out.count("in onnxruntime: ") == 4
    assert "4 measured, 4 the same network" in done.out
    inside("report", "--results", results, "--pictures", "none", "--resamples", "0")
    assert "ONNX latency (onnxruntime " in (results / "report" / "leaderboard.md").read_text()
