"""Starting worker processes, and ending them with everything that a method's code started."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import ModuleType
from typing import Any

import psutil

from lrfer_bench.running.engines.lifelines import end_with_parent

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
PR_SET_CHILD_SUBREAPER = 36
HELPERS = ("resource_tracker", "forkserver")
"""Words in the command lines of processes that Python itself keeps running."""


_STARTING = threading.RLock()
"""What a start changes belongs to the whole program: one start at a time, whoever asks."""


@contextlib.contextmanager
def starting() -> Iterator[None]:
    """Processes spawned inside load libraries with one thread, and not the program's own file."""
    with _STARTING, _one_thread(), _without_main():
        yield


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _without_main() -> Iterator[None]:
    """A worker needs nothing of it, and a user's script would run again in every worker."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def own_session() -> None:
    """Make this process the leader of a new session, and the parent of orphans below it (Linux).

    Ctrl-C then goes to the main process only, and what a method starts can be found and ended.
    """
    with contextlib.suppress(OSError):
        os.setsid()
        _keep_nice()
    adopt_orphans()


def _keep_nice() -> None:
    """Give the new session the priority of its process.

    Linux shares the processor among sessions first, and a new one begins at 0: without this,
    `nice lrfer-bench run` would be as greedy as without nice.
    """
    group = Path("/proc/self/autogroup")
    if hasattr(os, "getpriority") and group.exists():
        group.write_text(str(os.getpriority(os.PRIO_PROCESS, 0)))


def adopt_orphans() -> None:
    """Keep what a method starts below this process, also when its parent has ended."""
    if sys.platform == "linux":
        import ctypes

        # Where the C library has no prctl, only processes of the same session are found later.
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    end_with_parent(lambda: end(left_behind()))


class _Log(io.FileIO):
    """A file whose full disk stops nobody: what a method prints is not worth its training."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError:
            return len(data)


def redirect_output(log: Path) -> str:
    """Append what this process prints to a file: standard output belongs to the main process.

    Where the file cannot be written nothing is kept; then returns a sentence that says so.
    """
    note = ""
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        number = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    except OSError as error:
        note = f"{log} cannot be written ({error.strerror}): what methods print is not kept"
        number = os.open(os.devnull, os.O_WRONLY)
    os.dup2(number, 1)
    os.dup2(number, 2)
    os.close(number)
    sys.stdout, sys.stderr = _lines(1), _lines(2)
    return note


def _lines(number: int) -> io.TextIOWrapper:
    log: Any = _Log(number, "w", closefd=False)
    return io.TextIOWrapper(log, "utf-8", "backslashreplace", write_through=True)


def left_behind() -> list[psutil.Process]:
    """Running processes below this one or in its session; Python's own HELPERS do not count."""
    me = psutil.Process()
    session = [process for process in psutil.process_iter() if _session(process.pid) == me.pid]
    found = dict.fromkeys([*_below(me.pid), *session])  # each once, parents before their children
    return [process for process in found if process.pid != me.pid and _is_left(process)]


def end(processes: Iterable[psutil.Process]) -> None:
    """Kill processes, parents first; those that are children of this process leave no zombie."""
    killed = []
    for process in processes:
        with contextlib.suppress(psutil.Error):  # it has ended already, or belongs to another user
            process.kill()
            killed.append(process)
    for process in killed:
        with contextlib.suppress(OSError):  # not a child of this process: its parent collects it
            os.waitpid(process.pid, 0)


def end_tree(process: SpawnProcess) -> None:
    """End a worker process and everything that was started below it or in its session."""
    if process.pid and process.is_alive():
        end(_below(process.pid))  # first: below a dead process nothing is found any more
    if process.pid:
        with contextlib.suppress(OSError):  # before own_session() it has no group of its own
            os.killpg(process.pid, signal.SIGKILL)
    if process.is_alive():
        process.kill()


def cause_of_death(exitcode: int | None) -> str:
    """Why a worker process ended, in words."""
    if exitcode is not None and exitcode < 0:
        name = signal.Signals(-exitcode).name
        why = (
            "out of memory, or stopped by somebody" if name == "SIGKILL" else "the process crashed"
        )
        return f"its worker process was ended by {name} ({why})"
    return f"its worker process ended by itself with status {exitcode}"


def _below(pid: int) -> list[psutil.Process]:
    """All descendants of a process; none when it has ended."""
    try:
        return list(psutil.Process(pid).children(recursive=True))
    except psutil.Error:
        return []


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:  # ended in the meantime, or not ours to ask
        return None


def _is_left(process: psutil.Process) -> bool:
    try:
        command = " ".join(process.cmdline())
    except psutil.Error:  # ended in the meantime, a zombie, or of another user
        return False
    return bool(command) and not any(word in command for word in HELPERS)
