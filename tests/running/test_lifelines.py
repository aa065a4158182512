"""No worker outlives its parent, whatever its method does, and no job its time limit."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from lrfer_bench.errors import UserError
from lrfer_bench.running import status as status_module
from lrfer_bench.running.engines import engine_of
from lrfer_bench.running.engines.lifelines import stop_like_ctrl_c, uninterrupted
from lrfer_bench.running.status import Status, running_lines

PARENT = """
import multiprocessing, sys, time
from hanging import work
if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=work, args=(sys.argv[1],))
    process.start()
    time.sleep(600)
"""
HANGING = """
import ctypes, subprocess, sys, threading, time
from pathlib import Path
from lrfer_bench.running.engines.processes import own_session
NAP = [sys.executable, "-c", "import time; time.sleep(600)"]
def swallow():
    while True:
        try:
            time.sleep(1)
        except BaseException:
            pass
def deadlock():
    lock = threading.Lock(); lock.acquire(); lock.acquire()
def loop():
    while True: pass
def in_c():
    while True: ctypes.CDLL(None).sleep(600)
def work(way):
    own_session()
    child = subprocess.Popen(NAP, start_new_session=True)
    import os
    Path("pids.tmp").write_text(f"{os.getpid()} {child.pid}")
    os.replace("pids.tmp", "pids")
    globals()[way]()
"""


def until(true: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.05)
    return true()


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize("way", ["swallow", "deadlock", "loop", "in_c"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_worker_and_what_it_started_end_with_their_parent(
    way: str, number: signal.Signals, tmp_path: Path
) -> None:
    (tmp_path / "parent.py").write_text(PARENT)
    (tmp_path / "hanging.py").write_text(HANGING)
    parent = subprocess.Popen([sys.executable, "parent.py", way], cwd=tmp_path)
    try:
        assert until((tmp_path / "pids").exists, 60)
        pids = [int(word) for word in (tmp_path / "pids").read_text().split()]
        time.sleep(0.3)
        assert all(map(alive, pids))
    finally:
        parent.send_signal(number)
        parent.wait(10)
    gone = until(lambda: not any(map(alive, pids)), 5)
    for pid in filter(alive, pids):
        os.kill(pid, signal.SIGKILL)
    assert gone


def test_cleaning_up_is_not_broken_off() -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    with uninterrupted():
        for number in before:
            os.kill(os.getpid(), number)
    assert {number: signal.getsignal(number) for number in before} == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_sigterm_and_sighup_are_like_ctrl_c(number: signal.Signals) -> None:
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGHUP)}
    try:
        signal.signal(number, signal.SIG_DFL)  # the tests themselves may run under nohup
        stop_like_ctrl_c()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
            time.sleep(1)
        signal.signal(number, signal.SIG_IGN)
        stop_like_ctrl_c()
        assert signal.getsignal(number) == signal.SIG_IGN  # nohup
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def test_a_job_that_stands_still_is_said_to(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.monotonic()
    status = Status(cells=2, trainings=2)
    status.running = {"a": ("train a", None), "b": ("train b", None)}
    status.moved = {"a": now, "b": now}
    monkeypatch.setattr(status_module.time, "monotonic", lambda: now + 100)
    assert [line for _, _, line in running_lines(status)[0]] == ["train a", "train b"]
    status.moved["a"] = now + 90
    monkeypatch.setattr(status_module.time, "monotonic", lambda: now + 240)
    lines = [line for _, _, line in running_lines(status)[0]]
    assert lines == ["train a, no step for 2 min", "train b, no step for 4 min"]


@pytest.mark.parametrize("limit", [0.0, -1.0, float("nan")])
def test_a_time_limit_is_above_zero(limit: float, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--time-limit"):
        engine_of("local", 1, [], tmp_path, limit)


HANGS = """
import threading
import torch.nn.functional as F
from torch import nn
from lrfer_bench.api import Method, register_method

class Linear(Method):
    def __init__(self, task):
        super().__init__(task)
        self.linear = nn.Linear(task.channels * task.size[0] * task.size[1], task.classes)
    def forward(self, lr):
        return self.linear(self.enlarge(lr).flatten(1))
    def losses(self, batch):
        return {"ce": F.cross_entropy(self.linear(self.enlarged(batch).flatten(1)), batch.label)}

@register_method("hangs")
class Hangs(Linear):
    def losses(self, batch):
        lock = threading.Lock()
        while True:
            try:
                lock.acquire()
            except BaseException:
                pass

@register_method("sound")
class Sound(Linear):
    pass
"""


def test_a_training_that_hangs_is_given_up_and_the_others_go_on(
    lrfer: Any, tiny: list[str], tmp_path: Path
) -> None:
    (tmp_path / "hangs.py").write_text(HANGS)
    done = lrfer(
        "run", *tiny, "--plugin", tmp_path / "hangs.py", "--methods", "hangs,sound", "--scales",
        "2", "--workers", "1", "--no-report", "--results", tmp_path / "r", "--time-limit", "0.2",
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    records = [json.loads(path.read_text()) for path in (tmp_path / "r" / "records").iterdir()]
    found = {record["method"]["name"]: record for record in records}
    assert found["sound"]["status"] == "finished"
    assert "longer than 0.2 minutes" in found["hangs"]["failure"]["sentence"]
