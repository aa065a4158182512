"""`lrfer-bench run --join`: several programs divide one results folder, and one may be killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import in_process
import pytest

from results import bits

PLUGIN = """
import os
import torch.nn.functional as F
import time
from pathlib import Path
from torch import nn
from lrfer_bench.api import Method, register_method

@register_method("counted")
class Counted(Method):
    def __init__(self, task, width: int = 1) -> None:
        super().__init__(task)
        channels, (height, size) = task.channels, task.size
        self.linear = nn.Linear(channels * height * size, task.classes)

    def forward(self, lr):
        return self.linear(self.enlarge(lr).flatten(1))

    def losses(self, batch):
        time.sleep(float(os.environ.get("LRFER_TEST_SLEEP", "0.4")))
        x = F.dropout(self.enlarged(batch).flatten(1), 0.3, self.training)
        return {"ce": F.cross_entropy(self.linear(x), batch.label)}

    def after_training(self, batches):
        with Path(os.environ["LRFER_TEST_FLAG"]).open("a") as file:
            file.write(f"{self.task.scales}\\n")
"""
STALE = "6"
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plugin") / "counted.py"
    path.write_text(PLUGIN)
    return path


@pytest.fixture(scope="module")
def asked(tiny: list[str], plugin: Path) -> list[str]:
    scales = ["--scales", "2,4,8", "--preset", "quick", "--no-report", "--workers", "1"]
    return ["run", *tiny, "--plugin", str(plugin), "--methods", "counted,enlarge", *scales]


@pytest.fixture
def start(asked: list[str], environment: dict[str, str], tmp_path: Path) -> Start:
    """Start one more of the equal commands."""

    def call(results: Path, *more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "lrfer_bench",
                *asked,
                "--join",
                "--results",
                str(results),
                *more,
            ],
            env={
                **environment,
                "LRFER_TEST_FLAG": str(tmp_path / "flag"),
                "LRFER_STALE_SECONDS": STALE,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return call


def contents(results: Path) -> dict[str, Any]:
    return bits(results, "models/*.safetensors")


@pytest.fixture(scope="module")
def alone(
    quickly: Any, asked: list[str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """What one run writes that nobody joins."""
    results = tmp_path_factory.mktemp("alone")
    flag = {"LRFER_TEST_FLAG": str(results / "flag"), "LRFER_TEST_SLEEP": "0"}
    done = quickly(*asked, "--results", results, **flag)
    assert done.returncode == 0, done.stderr
    return contents(results)


def ended(*runs: subprocess.Popen[str]) -> list[str]:
    said = []
    for run in runs:
        out, errors = run.communicate(timeout=240)
        assert run.returncode == 0, errors
        said.append(out)
    return said


def wait_for(condition: Callable[[], object], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.02)


def test_two_runs_make_each_thing_once_with_the_same_bits(
    start: Start, alone: dict[str, Any], tmp_path: Path
) -> None:
    results = tmp_path / "results"
    said = ended(start(results), start(results))
    assert contents(results) == alone
    lines = [line for out in said for line in out.splitlines() if line.startswith("done: ")]
    assert len(lines) == 6 and len(set(lines)) == 6
    assert Counter((tmp_path / "flag").read_text().split("\n")).most_common(1)[0][1] == 1
    assert list((results / "claims").iterdir()) == []


@pytest.mark.parametrize("count", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_what_a_killed_run_was_at_is_taken_over_from_its_checkpoint(
    count: int, start: Start, alone: dict[str, Any], tmp_path: Path
) -> None:
    results = tmp_path / "results"
    runs = {run.pid: run for run in [start(results) for _ in range(count)]}
    wait_for(lambda: len(list(results.glob("claims/.member-*"))) == count)
    wait_for(lambda: list(results.glob("checkpoints/*.ckpt")))
    claim = results / "claims" / next(results.glob("checkpoints/*.ckpt")).stem
    killed = runs.pop(int(claim.read_text().split()[1]))
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=60)
    assert len(contents(results)) < len(alone)
    ended(*runs.values())
    assert contents(results) == alone
    assert list((results / "claims").iterdir()) == []
    assert not list(results.glob("checkpoints/*.ckpt"))


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_told_to_stop_gives_its_claims_back(
    stop: signal.Signals, start: Start, tmp_path: Path
) -> None:
    results = tmp_path / "results"
    run = start(results)
    wait_for(lambda: list(results.glob("checkpoints/*.ckpt")))
    assert len(list(results.glob("claims/[0-9a-f]*"))) == 1
    run.send_signal(stop)
    _, errors = run.communicate(timeout=60)
    assert run.returncode == 130 and "the same command" in errors
    assert list((results / "claims").iterdir()) == []


def test_other_arithmetic_is_refused_while_a_run_is_there(
    start: Start, asked: list[str], lrfer: Any, tmp_path: Path
) -> None:
    results = tmp_path / "results"
    run = start(results)
    try:
        wait_for(lambda: list(results.glob("claims/.member-*")))
        refused = lrfer(
            *asked, "--join", "--results", results, ATEN_CPU_CAPABILITY="default",
            LRFER_TEST_FLAG=str(tmp_path / "flag"),
        )  # fmt: skip
        assert refused.returncode == 2 and "--join: arithmetic is " in refused.stderr
        assert "with ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2 in every" in refused.stderr
        assert len(list(results.glob("claims/.member-*"))) == 1
    finally:
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=60)


def test_join_with_overwrite_always_is_refused(asked: list[str], tmp_path: Path) -> None:
    results = tmp_path / "results"
    done = in_process.lrfer(*asked, "--join", "--overwrite", "always", "--results", results)
    assert done.status == 2 and "--overwrite always" in done.err and not results.exists()
