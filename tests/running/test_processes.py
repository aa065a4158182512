"""Processes that methods start are found and ended, whatever became of their parents."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

PLUGIN = '''
import os, signal, subprocess, sys, time
from pathlib import Path
import torch.nn.functional as F
from torch import nn
from lrfer_bench.api import Method, register_method

def note(pid):
    with open(os.environ["LRFER_TEST_PIDS"], "a") as file:
        file.write(f"{pid}\\n")

class Linear(Method):
    def __init__(self, task):
        super().__init__(task)
        self.linear = nn.Linear(task.channels * task.size[0] * task.size[1], task.classes)

    def forward(self, lr):
        return self.linear(self.enlarge(lr).flatten(1))

    def losses(self, batch):
        return {"ce": F.cross_entropy(self.linear(self.enlarged(batch).flatten(1)), batch.label)}

@register_method("forks-and-dies")
class ForksAndDies(Linear):
    """Its child has the worker's pipes open."""
    def losses(self, batch):
        child = os.fork()
        if child == 0:
            time.sleep(600)
        note(child)
        os.kill(os.getpid(), signal.SIGKILL)

@register_method("detaches")
class Detaches(Linear):
    """A process with a session of its own, whose parent is gone as well."""
    def __init__(self, task):
        super().__init__(task)
        sleeper = [sys.executable, "-c", "import time; time.sleep(600)"]
        start = f"subprocess.Popen({sleeper!r}, start_new_session=True, stdout=-3)"
        code = f"import subprocess; print({start}.pid)"
        note(int(subprocess.check_output([sys.executable, "-c", code])))
'''


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    file = tmp_path / "starts.py"
    file.write_text(PLUGIN)
    return file


def still_there(pids: Path) -> list[int]:
    started = [int(line) for line in pids.read_text().splitlines()]
    assert started
    return [
        pid
        for pid in started
        if Path(f"/proc/{pid}/cmdline").is_file() and Path(f"/proc/{pid}/cmdline").read_bytes()
    ]


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc")
def test_a_run_ends_them(lrfer: Any, tiny: list[str], plugin: Path, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    done = lrfer(
        "run",
        *tiny,
        "--plugin",
        plugin,
        "--methods",
        "forks-and-dies,detaches,linear",
        "--scales",
        "2",
        "--workers",
        "2",
        "--no-report",
        "--results",
        tmp_path / "results",
        timeout=120,
        LRFER_TEST_PIDS=str(pids),
    )
    assert not still_there(pids)
    assert done.returncode == 1 and "1 cell failed" in done.stderr, done.stdout + done.stderr
    assert "ended by SIGKILL" in done.stdout and "done: linear" in done.stdout
    assert "done: detaches" in done.stdout and "left 1 process running, ended now" in done.stdout


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc")
@pytest.mark.parametrize(
    ("method", "words"),
    [("forks-and-dies", "ended by SIGKILL"), ("detaches", "FAILED   ends_processes")],
)
def test_check_method_ends_them(
    lrfer: Any, tiny: list[str], plugin: Path, tmp_path: Path, method: str, words: str
) -> None:
    pids = tmp_path / "pids"
    done = lrfer(
        "check-method", method, *tiny, "--plugin", plugin, timeout=120, LRFER_TEST_PIDS=str(pids)
    )
    assert not still_there(pids)
    assert done.returncode == 1 and words in done.stdout, done.stdout + done.stderr
