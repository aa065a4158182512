"""`lrfer-bench measure` from outside."""

from __future__ import annotations

import csv
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from folders import TINY

from lrfer_bench.machine import load
from lrfer_bench.store.schema import Record
from lrfer_bench.store.store import Store
from results import copy_of


@pytest.fixture
def results(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "results"))


def measured(results: Path) -> list[bool]:
    """Of each finished cell whether it was measured; every record has to be whole."""
    found = list(Store(results).scan())
    assert found and all(isinstance(record, Record) for record in found)
    records = [r for r in found if isinstance(r, Record) and r.status == "finished"]
    return ["latency_device" in record.environment for record in records]


@pytest.mark.parametrize(
    ("quiet", "head"),
    [
        pytest.param([True, True, True], "1 thread · batch 1)", id="alone"),
        pytest.param([False, False, False], "batch 1 · beside other work)", id="beside others"),
        pytest.param([True, True, False], "(batch 1, hardware or load differ)", id="once alone"),
    ],
)
def test_a_table_has_what_was_measured(
    quiet: list[bool], head: str, inside: Any, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter(quiet)  # asked before the first, and of each of the two networks
    monkeypatch.setattr(load, "is_quiet", lambda cores: next(answers))
    done = inside("measure", "--results", results, "--plugin", TINY, "--device", "cpu")
    assert done.status == 0 and "Traceback" not in done.err
    assert done.out.count("faces a second") == 4
    assert ("times were taken beside other work" in done.err) != quiet[-1]
    assert "2 measured, 2 the same network" in done.out
    assert measured(results) == [True] * 4
    told = inside("report", "--results", results, "--pictures", "none", "--resamples", "0")
    assert told.status == 0
    page = (results / "report" / "leaderboard.md").read_text()
    assert head in page
    with (results / "report" / "leaderboard.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["status"] == "finished"]
    assert len(rows) == 2
    for row in rows:
        low, middle, high = (float(row[f"latency_{part}ms"]) for part in ("q1_", "", "q3_"))
        assert 0 < low <= middle <= high


def test_what_cannot_be_measured_is_left_out_with_status_1(
    inside: Any, trained: Path, tmp_path: Path
) -> None:
    done = inside("measure", "--results", copy_of(trained, tmp_path / "sent"), "--plugin", TINY)
    assert done.status == 1 and "4 left out" in done.out
    assert done.err.count("left out: ") == 4 and "records travel without them" in done.err


def test_ctrl_c_leaves_whole_records(results: Path, environment: dict[str, str]) -> None:
    words = ["measure", "--results", str(results), "--plugin", str(TINY)]
    process = subprocess.Popen(
        [sys.executable, "-m", "lrfer_bench", *words], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip
    assert process.stdout is not None
    assert "enlarge" in process.stdout.readline(), "the first cell is done"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130 and "nothing that was written before is lost" in errors
    done = measured(results)
    assert done[0] and not done[-1]
