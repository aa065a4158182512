"""The local engine: spawned worker processes, one a core with one torch thread, or one a GPU."""

from __future__ import annotations

import contextlib
import multiprocessing
import multiprocessing.connection
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from multiprocessing.reduction import ForkingPickler
from pathlib import Path

from lrfer_bench.errors import UserError
from lrfer_bench.machine.limits import usable_cores
from lrfer_bench.planning.request import check_workers
from lrfer_bench.plugins.loading import loaded_contents
from lrfer_bench.running.devices import devices_of
from lrfer_bench.running.engines.base import Engine, Event, Failed, Finished, Noted, Progressed
from lrfer_bench.running.engines.lifelines import uninterrupted
from lrfer_bench.running.engines.processes import (
    cause_of_death,
    end_tree,
    starting,
)
from lrfer_bench.running.engines.worker import work
from lrfer_bench.running.jobs import Job


@dataclass
class _Worker:
    process: SpawnProcess
    pipe: Connection
    device: str
    job: Job | None = None
    since: float = 0.0
    """When its job was given to it, by time.monotonic()."""
    sender: threading.Thread | None = None

    def send(self, job: Job) -> None:
        """Hand it a job without waiting for it.

        One with models fills the pipe until the process has imported torch, and others should
        start meanwhile. A worker that just died is noticed in wait().
        """
        data = ForkingPickler.dumps(job)

        def hand_over() -> None:
            with contextlib.suppress(OSError):
                self.pipe.send_bytes(data)

        self.sender = threading.Thread(target=hand_over, daemon=True)
        self.sender.start()

    def close(self) -> None:
        """Of a process that has ended."""
        if self.sender:
            self.sender.join(timeout=10)
        self.pipe.close()


class LocalEngine(Engine):
    """Worker processes on this machine.

    workers: how many; None for one a core, or one a GPU
    logs: where their output goes
    time_limit: minutes that a job may take, None for any time
    device: see devices_of(); with more workers than GPUs several models share one
    """

    def __init__(
        self,
        workers: int | None,
        plugins: Sequence[str | Path],
        logs: Path,
        time_limit: float | None = None,
        device: str | None = None,
    ) -> None:
        if time_limit is not None and not time_limit > 0:
            raise UserError(f"--time-limit {time_limit:g} is not possible: give minutes above 0")
        self._limit = time_limit
        check_workers(workers)
        self._devices = devices_of(device)
        self.slots = workers or default_workers(device)
        self._plugins = loaded_contents(plugins)
        self._logs = logs.resolve()
        self._workers: list[_Worker] = []
        self._context = multiprocessing.get_context("spawn")
        self._started = 0

    def submit(self, job: Job) -> None:
        worker = next((w for w in self._workers if w.job is None), None) or self._start()
        job = replace(job, device=worker.device)
        # its weights are the worker's, not kept here
        worker.job, worker.since = replace(job, models={}), time.monotonic()
        worker.send(job)

    def wait(self) -> Sequence[Event]:
        events: list[Event] = []
        watched = [thing for w in self._workers for thing in (w.pipe, w.process.sentinel)]
        multiprocessing.connection.wait(watched, timeout=1.0)
        for worker in list(self._workers):
            # A child that a dead worker forked holds its sentinel open: each worker is asked.
            dead = not worker.process.is_alive()
            if dead:
                end_tree(worker.process)
            events.extend(self._drain(worker))
            if dead:
                events.extend(self._bury(worker))
            elif self._is_late(worker):
                events.append(self._stop(worker))
        return events

    def close(self) -> None:
        with uninterrupted():
            for worker in self._workers:
                end_tree(worker.process)
            for worker in self._workers:
                worker.process.join(timeout=10)
                worker.close()
            self._workers.clear()

    def _is_late(self, worker: _Worker) -> bool:
        return (
            self._limit is not None
            and worker.job is not None
            and time.monotonic() - worker.since > 60 * self._limit
        )

    def _stop(self, worker: _Worker) -> Failed:
        """End a worker whose job takes longer than its user allows."""
        job = worker.job
        assert job is not None
        end_tree(worker.process)
        worker.process.join(timeout=10)
        worker.close()
        self._workers.remove(worker)
        return Failed(
            job.key,
            f"{job.label}: it took longer than {self._limit:g} minutes, which is the --time-limit: "
            "allow more, or look where it hangs",
        )

    def _start(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        log = self._logs / f"worker-{self._started}.log"
        # the one with the fewest: where a worker died, its device is free
        device = min(self._devices, key=lambda d: sum(w.device == d for w in self._workers))
        self._started += 1
        process = self._context.Process(
            target=work, args=(theirs, self._plugins, str(log)), daemon=False
        )
        worker = _Worker(process, ours, device)
        with uninterrupted():  # or it would run, and nobody would know of it
            with starting():
                process.start()
            self._workers.append(worker)
        theirs.close()
        return worker

    def _drain(self, worker: _Worker) -> list[Event]:
        events: list[Event] = []
        try:
            while worker.pipe.poll():
                event = worker.pipe.recv()
                if isinstance(event, (Finished, Failed)):
                    worker.job = None
                if isinstance(event, (Finished, Failed, Progressed, Noted)):
                    events.append(event)
        except (EOFError, OSError):
            pass
        return events

    def _bury(self, worker: _Worker) -> list[Event]:
        """A worker that is gone costs its own job only."""
        worker.process.join()
        worker.close()
        self._workers.remove(worker)
        if worker.job is None:
            return []
        return [
            Failed(
                worker.job.key,
                f"{worker.job.label}: {cause_of_death(worker.process.exitcode)}",
                died=True,
            )
        ]


def default_workers(device: str | None = None) -> int:
    """One a GPU, or one for each core that this process may use."""
    devices = devices_of(device)
    return usable_cores() if devices == ["cpu"] else len(devices)
