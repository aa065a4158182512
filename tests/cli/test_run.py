"""The program from outside: runs, resumes, and misbehaving methods, as a user would see them."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import in_process
import pytest
import registries

from lrfer_bench.cli.run import _display
from lrfer_bench.reporting.frame import load
from lrfer_bench.running.models import has_model
from lrfer_bench.running.status import Status
from lrfer_bench.scoring.metrics import score
from lrfer_bench.store.schema import Record
from lrfer_bench.store.store import Store
from results import bits

SMALL = ["--scales", "2", "--preset", "quick", "--no-report"]


def records(results: Path) -> dict[tuple[str, int], Record]:
    found = [record for record in Store(results).scan() if isinstance(record, Record)]
    return {(record.method.name, record.test.scale): record for record in found}


@pytest.fixture(scope="module")
def finished(
    lrfer: Any, tiny: list[str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Any]:
    """One run of good and bad methods together, two workers."""
    results = tmp_path_factory.mktemp("run")
    flag = results / "flag"
    names = "linear,oracle,enlarge,raises,nan-loss,wrong-shape,nan-logits,exits,dies,dies-once"
    done = lrfer(
        "run",
        *tiny,
        "--methods",
        names,
        *SMALL,
        "--workers",
        "2",
        "--results",
        results,
        LRFER_TEST_FLAG=str(flag),
    )
    return results, done


def test_a_failed_cell_gives_status_1_and_the_others_finish(finished: tuple[Path, Any]) -> None:
    results, done = finished
    assert done.returncode == 1, done.stderr
    status = {name: record.status for (name, _), record in records(results).items()}
    assert {name for name, state in status.items() if state == "finished"} == {
        "linear",
        "oracle",
        "enlarge",
        "dies-once",
    }
    assert {name for name, state in status.items() if state == "failed"} == {
        "raises", "nan-loss", "wrong-shape", "nan-logits", "exits", "dies",
    }  # fmt: skip
    assert "6 cells failed" in done.stderr


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("raises", "ValueError: nobody told me about faces"),
        ("nan-loss", 'loss "ce"'),
        ("wrong-shape", "WrongShape.forward returned shape (48, 3)"),
        ("nan-logits", "48 of 48 test faces"),
        ("exits", "SystemExit: 3"),
        ("dies", "SIGKILL"),
    ],
)
def test_a_failure_says_what_and_where(finished: tuple[Path, Any], name: str, words: str) -> None:
    results, done = finished
    failure = records(results)[name, 2].failure
    assert failure is not None and words in failure.sentence and "\n" not in failure.sentence
    assert f"failed: {failure.sentence}" in done.stdout
    if name == "raises":
        assert "tiny.py:" in failure.sentence and "Traceback" in failure.traceback
    if name == "exits":
        assert "I am on standard output" not in done.stdout


def test_a_dead_worker_is_tried_once_more(finished: tuple[Path, Any]) -> None:
    results, done = finished
    assert done.stdout.count("tried once more") == 2  # dies and dies-once
    assert records(results)["dies-once", 2].status == "finished"


def test_records_hold_what_every_metric_can_be_computed_from(finished: tuple[Path, Any]) -> None:
    results, _ = finished
    store = Store(results)
    for (name, scale), record in records(results).items():
        if record.status == "failed":
            continue
        answers = store.read_logits(record)
        assert record.metrics == score(answers.logits, answers.labels, answers.clean)
        assert (
            record.metrics.all.n == 48 and record.metrics.clean.n == 46
        )  # two test faces also stand in train
        assert record.test.size_px == (8 if scale == 2 else 16)
        assert record.cost is not None and record.cost.parameters > 0 and record.cost.macs > 0
        assert record.environment["torch"] and not {"host", "hostname"} & set(record.environment)
        assert record.method.kind == ("oracle" if name == "oracle" else "lr")
    linear = records(results)["linear", 2]
    assert linear.method.source.startswith("tiny.py sha256:") and linear.cost is not None
    enlarging = 8 * 8 * 16 + 16 * 8 * 16  # columns, then rows, of an 8x8 face to 16x16
    assert (linear.cost.parameters, linear.cost.macs) == (256 * 4 + 4, 256 * 4 + enlarging)
    assert (
        linear.selection is not None
        and linear.selection.rule == "last"
        and len(linear.history) == 10
    )
    enlarge, oracle = records(results)["enlarge", 2], records(results)["oracle", 1]
    assert enlarge.stages["classifier"].key == oracle.stages["classifier"].key
    assert has_model(store, enlarge.stages["classifier"].key)


@pytest.fixture
def here(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The program in this process, for calls that train nothing."""
    for name in ("LRFER_CACHE", "LRFER_PLUGINS", "COLUMNS"):
        monkeypatch.setenv(name, environment[name])
    with registries.kept():
        yield in_process.lrfer


def test_nothing_is_run_twice_and_failed_cells_are_left_unless_asked(
    finished: tuple[Path, Any], lrfer: Any, here: Any, tiny: list[str]
) -> None:
    results, _ = finished
    asked = ["run", *tiny, *SMALL, "--results", results]
    # A file that takes the place of another has a number of its own.
    before = {path: path.stat().st_ino for path in (results / "records").iterdir()}
    again = here(*asked, "--methods", "linear,enlarge,raises")
    assert (again.status, "nothing to run" in again.out, "1 cell failed" in again.err) == (
        1,
        True,
        True,
    )
    assert "the reasons stand in " in again.err, "none was told just now"
    assert before == {path: path.stat().st_ino for path in (results / "records").iterdir()}
    retry = lrfer(*asked, "--methods", "linear,raises", "--overwrite", "failed", "--workers", "1")
    assert retry.returncode == 1 and "failed: train raises" in retry.stdout
    assert "the reasons stand above and in " in retry.stderr
    changed = {p.name for p, t in before.items() if p.stat().st_ino != t}
    assert len(changed) == 1 and "_raises_" in changed.pop()


def test_the_plan_says_what_stands_and_runs_nothing(
    finished: tuple[Path, Any], here: Any, tiny: list[str]
) -> None:
    results, _ = finished
    asked = ["plan", *tiny, "--results", results, "--methods"]
    shown = here(*asked, "linear,multires", "--scales", "2,4")
    assert shown.status == 0, shown.err
    assert shown.out.count("has a record") == 1 and "4 cells, 3 to test:" in shown.out
    assert "models, each once, " in shown.out
    old = here(*asked, "raises", "--scales", "2", "--no-estimate")
    assert "failed, try it again with --overwrite failed" in old.out, old.err
    assert "1 cell, 0 to test:" in old.out and "has a record" not in old.out
    assert "Sharing stages saves 1 of 4 trainings" in shown.out and "About " in shown.out
    assert ("multires", 2) not in records(results)
    data = json.loads(here(*asked, "linear", "--json").out)
    assert [len(data[part]) for part in ("trainings", "cells")] == [3, 3]
    failed = here(*asked, "raises", "--overwrite", "failed")
    assert failed.status == 2 and "Traceback" not in failed.err
    assert "ValueError: nobody told me" in failed.err and "tiny.py:" in failed.err
    assert "lrfer-bench plan --no-estimate" in failed.err, "run has no such option"


SLOW = ["run", "--methods", "slow,enlarge", *SMALL, "--workers", "1"]


@pytest.fixture(scope="module")
def alone(
    quickly: Any, tiny: list[str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """What a run writes that nobody stops."""
    results = tmp_path_factory.mktemp("alone")
    assert quickly(*SLOW, *tiny, "--results", results, LRFER_TEST_SLEEP="0").returncode == 0
    return bits(results)


@pytest.mark.parametrize(
    "stop", [signal.SIGKILL, pytest.param(signal.SIGINT, marks=pytest.mark.slow)]
)
def test_a_run_stopped_in_the_middle_ends_like_one_left_alone(
    alone: dict[str, Any],
    lrfer: Any,
    tiny: list[str],
    environment: dict[str, str],
    tmp_path: Path,
    stop: signal.Signals,
) -> None:
    asked, stopped = [*SLOW, *tiny], tmp_path / "stopped"
    command = [sys.executable, "-m", "lrfer_bench", *asked, "--results", str(stopped)]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 120
    while not list(stopped.glob("checkpoints/*.ckpt")) and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.1)
    process.send_signal(stop)
    _, said = process.communicate(timeout=60)
    if stop == signal.SIGINT:
        assert process.returncode == 130 and "the same command" in said
        assert "Traceback" not in said
    assert len(bits(stopped)) < 2
    assert list(stopped.glob("checkpoints/*.ckpt"))
    _no_workers_left(stopped)
    assert lrfer(*asked, "--results", stopped).returncode == 0
    assert bits(stopped) == alone and len(alone) == 2
    assert not list(stopped.glob("checkpoints/*.ckpt"))


def _no_workers_left(results: Path) -> None:
    """Workers notice that their main process is gone; nobody trains on for nothing."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if not any(_writes_to(pid, results) for pid in os.listdir("/proc") if pid.isdigit()):
            return
        time.sleep(0.2)
    raise AssertionError("a worker still runs")


def _writes_to(pid: str, results: Path) -> bool:
    try:
        return os.readlink(f"/proc/{pid}/fd/1").startswith(str(results))
    except OSError:
        return False


def test_an_edit_that_is_taken_back_is_the_method_again(
    quickly: Any, tiny: list[str], tmp_path: Path
) -> None:
    """All of it has a record already; the table must not call the rejected edit by its name."""
    mine = tmp_path / "mine.py"
    first = (
        "from lrfer_bench.api import METHODS, register_method\n\n\n@register_method('mine')\n"
        "class Mine(METHODS.load('enlarge')):\n    pass\n"
    )
    asked = ["--plugin", mine, *tiny, "--methods", "mine", *SMALL, "--results", tmp_path / "r"]
    for text in (first, first + "# edited\n", first):
        mine.write_text(text)
        assert quickly("run", *asked).returncode == 0
    source = f"mine.py sha256:{hashlib.sha256(first.encode()).hexdigest()[:12]}"
    (row,) = [r for r in load([tmp_path / "r"]).results if r.method == "mine"]
    assert row.record.method.source == source


@pytest.mark.parametrize("afresh", [False, True])
def test_a_stop_says_what_the_same_command_does(
    afresh: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit), _display(Status(2, 1, afresh=afresh), verbose=False):
        raise KeyboardInterrupt
    said = capsys.readouterr().err
    assert ("goes on from there" in said) != afresh
    assert ("makes all else again, and without --overwrite always" in said) == afresh
