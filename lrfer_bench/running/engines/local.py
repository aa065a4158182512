"""The local engine: spawned worker processes, one torch thread each on a CPU, one worker a GPU elsewhere."""

from __future__ import annotations

import contextlib
import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import ModuleType

import torch

from lrfer_bench.errors import UserError
from lrfer_bench.running.engines.base import Engine, Event, Failed, Finished, Progressed
from lrfer_bench.running.engines.worker import descendants, end, parents_of_all, work
from lrfer_bench.running.jobs import Job

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass
class _Worker:
    process: SpawnProcess
    pipe: Connection
    device: str
    job: Job | None = None


class LocalEngine(Engine):
    """workers: how many processes; None for one a core (or one a GPU). logs: where their output goes."""

    def __init__(self, workers: int | None, plugins: Sequence[str | Path], logs: Path) -> None:
        if workers is not None and workers < 1:
            raise UserError(f"--workers {workers} is not possible: at least one worker is needed")
        self.slots = workers or default_workers()
        self._plugins = [str(Path(file).resolve()) for file in plugins]
        self._logs = logs.resolve()
        self._workers: list[_Worker] = []
        self._context = multiprocessing.get_context("spawn")
        self._started = 0

    def submit(self, job: Job) -> None:
        worker = next((w for w in self._workers if w.job is None), None) or self._start()
        job = replace(job, device=worker.device)
        worker.job = job
        with contextlib.suppress(BrokenPipeError, OSError):  # a worker that just died is noticed in wait()
            worker.pipe.send(job)

    def wait(self) -> Sequence[Event]:
        events: list[Event] = []
        watched = [thing for w in self._workers for thing in (w.pipe, w.process.sentinel)]
        multiprocessing.connection.wait(watched, timeout=1.0)
        for worker in list(self._workers):
            # A child that a dead worker forked holds the pipes open, so that nothing tells of the death: each is asked.
            dead = not worker.process.is_alive()
            if dead:
                end_with_children(worker.process)
            events.extend(self._drain(worker))
            if dead:
                events.extend(self._bury(worker))
        return events

    def close(self) -> None:
        for worker in self._workers:
            end_with_children(worker.process)
        for worker in self._workers:
            worker.process.join(timeout=10)
            worker.pipe.close()
        self._workers.clear()

    def _start(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        log = self._logs / f"worker-{self._started}.log"
        device = f"cuda:{self._started % torch.cuda.device_count()}" if torch.cuda.is_available() else "cpu"
        self._started += 1
        process = self._context.Process(target=work, args=(theirs, self._plugins, str(log)), daemon=False)
        with one_thread(), without_main():
            process.start()
        theirs.close()
        worker = _Worker(process, ours, device)
        self._workers.append(worker)
        return worker

    def _drain(self, worker: _Worker) -> list[Event]:
        events: list[Event] = []
        try:
            while worker.pipe.poll():
                event = worker.pipe.recv()
                if isinstance(event, (Finished, Failed)):
                    worker.job = None
                if isinstance(event, (Finished, Failed, Progressed)):
                    events.append(event)
        except (EOFError, OSError):
            pass
        return events

    def _bury(self, worker: _Worker) -> list[Event]:
        """A worker that is gone costs its own job only."""
        worker.process.join()
        worker.pipe.close()
        self._workers.remove(worker)
        if worker.job is None:
            return []
        return [Failed(worker.job.key, f"{worker.job.label}: {cause(worker.process.exitcode)}", died=True)]


def default_workers() -> int:
    """One a GPU where there are any, else one for each core that this process may use."""
    if torch.cuda.is_available():
        return torch.cuda.device_count()
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cause(exitcode: int | None) -> str:
    """Why a process is gone, in words."""
    if exitcode is not None and exitcode < 0:
        name = signal.Signals(-exitcode).name
        why = "out of memory, or stopped by somebody" if name == "SIGKILL" else "the process crashed"
        return f"its worker process was ended by {name} ({why})"
    return f"its worker process ended by itself with status {exitcode}"


def end_with_children(process: SpawnProcess) -> None:
    """End a worker and whatever its plugins started."""
    if process.pid and process.is_alive():  # those with a session of their own are found below a living worker only
        end(descendants(process.pid, parents_of_all()))
    with contextlib.suppress(OSError):  # its group has its own number; before setsid() there is no such group
        if process.pid:
            os.killpg(process.pid, signal.SIGKILL)
    if process.is_alive():
        process.kill()


@contextlib.contextmanager
def without_main() -> Iterator[None]:
    """A worker needs nothing of the program that started it, so a user's script is not run again in every worker."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Children read these when they load their libraries; ours are put back."""
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
