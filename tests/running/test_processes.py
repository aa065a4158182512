"""Processes that methods start are found and ended, whatever became of their parents."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from lrfer_bench.running.engines import processes

NAP = "import time; time.sleep(600)"

PLUGIN = '''
import os, signal, subprocess, sys, threading, time
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

@register_method("keeps-a-thread")
class KeepsAThread(Linear):
    """A process waits at its end for threads that are no daemons: this one never ends."""
    def __init__(self, task):
        super().__init__(task)
        threading.Thread(target=time.sleep, args=(600,)).start()
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
    done = lrfer("run", *tiny, "--plugin", plugin, "--methods", "forks-and-dies,detaches,linear",
                 "--scales", "2", "--workers", "2", "--no-report",
                 "--results", tmp_path / "results", timeout=120,
                 LRFER_TEST_PIDS=str(pids))  # fmt: skip
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


def test_check_method_ends_beside_a_thread_that_does_not(
    inside: Any, tiny: list[str], plugin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lrfer_bench.checking.process.LAST_SECONDS", 2.0)
    asked = ["keeps-a-thread", *tiny, "--plugin", plugin, "--only", "builds"]
    done = inside("check-method", *asked)
    assert done.status == 0 and "ok" in done.out, done.out + done.err


LEADER = """
import json, os, subprocess, sys, time
import psutil
from lrfer_bench.running.engines.processes import end, left_behind, own_session

own_session()
nap = [sys.executable, "-c", "import time; time.sleep(600)"]
child = subprocess.Popen(nap)
code = f"import subprocess; print(subprocess.Popen({nap!r}, start_new_session=True, stdout=-3).pid)"
orphan = int(subprocess.check_output([sys.executable, "-c", code]))  # its parent has ended
forked = os.fork()
if forked == 0:
    time.sleep(600)
zombie = subprocess.Popen([sys.executable, "-c", ""])
os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)  # it has ended and is not collected
helper = subprocess.Popen([*nap, "resource_tracker"])
found = left_behind()
told = {"started": [child.pid, orphan, forked], "found": [process.pid for process in found]}
helper.kill(), helper.wait(), zombie.wait()
end(found)
end(found)  # they have ended by now: nothing happens
told["later"] = [process.pid for process in left_behind()]
told["children"] = [process.pid for process in psutil.Process().children(recursive=True)]
print(json.dumps(told))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="orphans are adopted on Linux only")
def test_all_that_runs_below_is_found_and_ended_and_leaves_no_zombie(tmp_path: Path) -> None:
    script = tmp_path / "leader.py"
    script.write_text(LEADER)
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert sorted(told["found"]) == sorted(told["started"])
    assert told["later"] == told["children"] == []


@pytest.fixture
def napping() -> Iterator[psutil.Process]:
    """A child of the tests that sleeps."""
    child = subprocess.Popen([sys.executable, "-c", NAP])
    yield psutil.Process(child.pid)
    child.kill()
    child.wait()


def cmdline_raises(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def cmdline(self: psutil.Process) -> list[str]:
        raise error

    monkeypatch.setattr(psutil.Process, "cmdline", cmdline)


@pytest.mark.parametrize(
    "error", [psutil.NoSuchProcess(1), psutil.AccessDenied(1), psutil.ZombieProcess(1)]
)
def test_a_process_that_ends_or_may_not_be_asked_meanwhile_does_not_count(
    monkeypatch: pytest.MonkeyPatch, napping: psutil.Process, error: Exception
) -> None:
    assert napping in processes.left_behind()
    cmdline_raises(monkeypatch, error)
    assert napping not in processes.left_behind()


def test_a_process_that_may_not_be_killed_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, napping: psutil.Process
) -> None:
    def kill(self: psutil.Process) -> None:
        raise psutil.AccessDenied(self.pid)

    with monkeypatch.context() as patch:
        patch.setattr(psutil.Process, "kill", kill)
        processes.end([napping])
    assert napping.is_running()
    processes.end([napping])
    assert not napping.is_running()


def test_a_worker_is_ended_with_what_left_its_session() -> None:
    import multiprocessing

    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    worker = context.Process(target=start_and_sleep, args=(theirs,))
    worker.start()
    assert ours.poll(60)
    below = [psutil.Process(pid) for pid in ours.recv()]
    processes.end_tree(worker)
    worker.join(10)
    assert worker.exitcode == -signal.SIGKILL
    _, alive = psutil.wait_procs(below, timeout=10)
    assert not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]
    processes.end_tree(worker)  # it has ended: nothing happens


def start_and_sleep(pipe: Any) -> None:
    processes.own_session()
    nap = [sys.executable, "-c", NAP]
    children = [subprocess.Popen(nap, start_new_session=own) for own in (False, True)]
    pipe.send([child.pid for child in children])
    time.sleep(600)


@pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="no autogroups here")
def test_a_session_of_its_own_keeps_the_priority_of_nice() -> None:
    code = (
        "from lrfer_bench.running.engines.processes import own_session; own_session(); "
        "print(open('/proc/self/autogroup').read())"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        start_new_session=False, preexec_fn=lambda: os.nice(7),
    )  # fmt: skip
    nicer = min(os.nice(0) + 7, 19)  # the tests themselves may run under nice
    assert said.stdout.split()[1:] == ["nice", str(nicer)]
