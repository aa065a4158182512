"""What others do to a machine: worked out by hand, and against a process that is really busy."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from lrfer_bench.machine import load
from lrfer_bench.machine.load import Moment


def test_cores_of_others_are_all_less_ours_over_the_time() -> None:
    start, later = Moment(10.0, 100.0, 40.0), Moment(14.0, 107.0, 43.0)
    assert start.cores_of_others(later) == pytest.approx((7 - 3) / 4)


def test_rounding_makes_no_negative_load() -> None:
    assert Moment(0.0, 0.0, 0.0).cores_of_others(Moment(1.0, 0.99, 1.0)) == 0


@pytest.mark.parametrize(("cores", "others", "quiet"), [
    (2, 0.2, True), (2, 0.3, False), (64, 0.6, True), (64, 0.7, False),
])  # fmt: skip
def test_quiet_is_what_a_system_needs_for_itself(
    cores: int, others: float, quiet: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psutil, "cpu_count", lambda: cores)
    assert load.is_quiet(others) is quiet


def test_a_busy_process_is_seen_and_our_own_work_is_not() -> None:
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        start, other = load.now(), psutil.Process(busy.pid).cpu_times()
        while load.now().clock - start.clock < load.WINDOW_SECONDS:
            pass
        seen, spent = load.now(), psutil.Process(busy.pid).cpu_times()
    finally:
        busy.kill()
        busy.wait()
    theirs = (spent.user - other.user) / (seen.clock - start.clock)
    assert start.cores_of_others(seen) >= theirs - 0.1
    assert seen.ours > start.ours, "the loop of this test is our own work"


@pytest.mark.parametrize(("said", "percent"), [("37\n", 37.0), ("[N/A]\n", None)])
def test_a_gpu_s_load_as_the_driver_says_it(
    said: str, percent: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(command: list[str], **_: Any) -> Any:
        assert command[:3] == ["nvidia-smi", "-i", "GPU-1"]
        return SimpleNamespace(stdout=said)

    monkeypatch.setattr(subprocess, "run", run)
    assert load.gpu_percent("GPU-1") == percent


def test_without_a_driver_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert load.gpu_percent("GPU-1") is None
