"""What `run` tells while it goes on: plain lines, --verbose, --quiet, a bar while it prepares."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lrfer_bench.cli.progress import Epochs, show
from lrfer_bench.running.status import Status
from lrfer_bench.training.loop import Progress


def ended(epoch: int, score: float | None) -> Progress:
    return Progress(epoch, 8, epoch * 10, 80, {"ce": 1.25}, 900.0, 0.1, score)


def test_an_epoch_is_told_once_and_only_when_it_was_validated() -> None:
    status, epochs = Status(1, 1), Epochs()
    status.running["k"] = ("train direct", ended(1, None))
    assert epochs(status) == []
    status.running["k"] = ("train direct", ended(1, 0.4321))
    (line,) = epochs(status)
    assert "train direct: epoch 1/8" in line and "ce 1.2500" in line and "0.4321" in line
    assert epochs(status) == []
    status.running["k"] = ("train direct", ended(2, 0.5))
    assert len(epochs(status)) == 1


def test_quiet_tells_notes_and_failures_on_the_errors_stream(
    capsys: pytest.CaptureFixture[str],
) -> None:
    status = Status(1, 1, note="a worker died")
    with show(status, verbose=False) as listener:
        listener(status)
    said = capsys.readouterr()
    assert not said.out and said.err == "note: a worker died\n"


def test_a_quiet_run_prints_nothing_and_a_verbose_one_an_epoch_a_line(
    quickly: Any, lrfer: Any, tiny: list[str], tmp_path: Path
) -> None:
    words = ["run", *tiny, "--methods", "linear", "--scales", "2", "--workers", "1"]
    quiet = lrfer(*words, "--quiet", "--results", tmp_path / "quiet")
    assert quiet.returncode == 0 and quiet.stdout == ""
    assert "Warning" not in quiet.stderr and "done" not in quiet.stderr
    assert (tmp_path / "quiet" / "report" / "index.html").is_file(), "the report is still made"
    loud = quickly(*words, "--verbose", "--no-report", "--results", tmp_path / "loud")
    assert loud.returncode == 0, loud.stderr
    lines = [line for line in loud.stdout.splitlines() if ": epoch " in line]
    assert lines and all("validation 0." in line or "validation 1." in line for line in lines)
    assert any("done: linear" in line for line in loud.stdout.splitlines())


def test_preparing_shows_a_bar_in_a_terminal(environment: dict[str, str], tmp_path: Path) -> None:
    for split in ("train", "val", "test"):
        for name in ("angry", "happy"):
            for number in range(4):
                path = tmp_path / "faces" / split / name / f"{number}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                noise = np.random.default_rng(len(str(path)) + number).integers(0, 256, (48, 48))
                Image.fromarray(noise.astype(np.uint8)).save(path)
    ours, theirs = pty.openpty()
    words = ["plan", "--dataset", "folder", "--data-root", tmp_path / "faces", "--no-estimate"]
    done = subprocess.run(
        [sys.executable, "-m", "lrfer_bench", *map(str, words), "--methods", "direct"],
        stdout=subprocess.PIPE, stderr=theirs, env=environment, timeout=240, check=False,
    )  # fmt: skip
    os.close(theirs)
    shown = os.read(ours, 1 << 16).decode()
    os.close(ours)
    assert done.returncode == 0, shown
    assert "pictures" in shown and "24/24" in shown
    assert b"pictures" not in done.stdout
