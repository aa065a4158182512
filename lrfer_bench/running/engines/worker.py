"""A worker process: takes jobs from a pipe, one at a time, with one torch thread on a CPU."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

TELL_EVERY_SECONDS = 0.5
PR_SET_CHILD_SUBREAPER = 36
HELPERS = (b"resource_tracker", b"forkserver")
"""Words in the command lines of what Python keeps running for itself."""


def work(pipe: Connection, plugins: Sequence[str], log: str) -> None:
    """Serve jobs until the other end closes. Whatever a job raises is answered, never let through."""
    with contextlib.suppress(OSError):
        os.setsid()  # Ctrl-C is for the main process; and what a plugin starts can be stopped with its worker
    adopt_orphans()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    redirect_output(Path(log))
    from lrfer_bench.training.allocator import keep_freed_memory

    keep_freed_memory()
    import torch

    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
    from lrfer_bench.plugins.registry import load_plugins

    load_plugins(plugins)
    while True:
        try:
            job = pipe.recv()
        except (EOFError, OSError):
            return
        _answer(pipe, job)


def _answer(pipe: Connection, job: Any) -> None:
    from lrfer_bench.running.engines.base import Failed, Finished
    from lrfer_bench.running.jobs import TrainJob
    from lrfer_bench.running.work import failure_of, run_test, run_training

    try:
        result = run_training(job, _teller(pipe, job.key)) if isinstance(job, TrainJob) else run_test(job)
    except BrokenPipeError:
        os._exit(1)  # the main process is gone: the checkpoint on disk is all that is left to do
    except BaseException as error:  # sys.exit in a plugin must not cost the worker
        sentence, trace = failure_of(error, job)
        _end_left_behind(pipe, job)
        pipe.send(Failed(job.key, sentence, trace))
    else:
        _end_left_behind(pipe, job)
        pipe.send(Finished(job.key, result))


def _end_left_behind(pipe: Connection, job: Any) -> None:
    """Processes that a method started and left are ended with its job, and their author is told."""
    left = left_behind()
    if not left:
        return
    from lrfer_bench.running.engines.base import Progressed
    from lrfer_bench.running.work import author_place
    from lrfer_bench.training.loop import Progress

    end(left)
    some = f"{len(left)} process{'es' if len(left) > 1 else ''}"
    note = (
        f"{job.label}: it left {some} running, ended now: stop them in the code that starts them ({author_place(job)})"
    )
    pipe.send(Progressed(job.key, Progress(0, 0, 0, 1, {}, 0.0, note=note)))


def adopt_orphans() -> None:
    """What a plugin starts stays below this process even when its own parent has ended (Linux; elsewhere nothing is done)."""
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(OSError, AttributeError):  # a C library without prctl: the session is all we then see
            ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def left_behind() -> list[int]:
    """Living processes of this one's session or below it (Linux; elsewhere none is known); HELPERS do not count."""
    mine, found = os.getpid(), []
    parents = parents_of_all()
    below = descendants(mine, parents)
    for pid in parents:
        with contextlib.suppress(OSError):
            if pid != mine and (pid in below or os.getsid(pid) == mine):
                command = Path(f"/proc/{pid}/cmdline").read_bytes()
                if command and not any(word in command for word in HELPERS):  # a zombie has no command line
                    found.append(pid)
    return found


def parents_of_all() -> dict[int, int]:
    """Process -> its parent, of all that /proc names; empty where there is none."""
    if not os.path.isdir("/proc/self"):
        return {}
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError):
                status = Path(f"/proc/{name}/stat").read_text(errors="replace")
                parents[int(name)] = int(status.rpartition(")")[2].split()[1])  # a program's name may hold a bracket
    return parents


def descendants(pid: int, parents: Mapping[int, int]) -> set[int]:
    """All processes that pid or one below it started."""
    found: set[int] = set()
    waiting = [pid]
    while waiting:
        above = waiting.pop()
        children = {child for child, parent in parents.items() if parent == above} - found
        found |= children
        waiting += children
    return found


def end(pids: Iterable[int]) -> None:
    """Kill processes; those that are our own children leave no zombie."""
    for pid in pids:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _teller(pipe: Connection, key: str) -> Callable[[Any], None]:
    """Progress at most twice a second, but every finished epoch and every note."""
    from lrfer_bench.running.engines.base import Progressed

    last = 0.0

    def tell(progress: Any) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= TELL_EVERY_SECONDS or progress.val_score is not None or progress.note:
            pipe.send(Progressed(key, progress))
            last = now

    return tell


def redirect_output(log: Path) -> None:
    """What a method prints goes to a log: standard output belongs to the program."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.stdout = os.fdopen(1, "w", buffering=1, closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
