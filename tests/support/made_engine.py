"""Engines for tests: one works in this process; one trains nothing and draws validation scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lrfer_bench.errors import DataError, MachineError
from lrfer_bench.keys import seed_for
from lrfer_bench.measuring.stopwatch import undisturbed
from lrfer_bench.running.engines.base import Engine, Event, Failed, Finished
from lrfer_bench.running.engines.worker import teller
from lrfer_bench.running.jobs import Job, TrainJob
from lrfer_bench.running.models import Model, TrainingCost
from lrfer_bench.running.work import failure_of, result_of


class HereEngine(Engine):
    """Does each job in this process, at once. trained: keys of its trainings."""

    slots = 1

    def __init__(self) -> None:
        self.done: list[Event] = []
        self.trained: list[str] = []

    def submit(self, job: Job) -> None:
        if isinstance(job, TrainJob):
            self.trained.append(job.key)
        self.done.append(Finished(job.key, result_of(job)))

    def wait(self) -> Sequence[Event]:
        events, self.done = self.done, []
        return events

    def close(self) -> None:
        pass


class ToldEngine(HereEngine):
    """HereEngine for whole runs: a job that fails is told, and so is how far each is."""

    def submit(self, job: Job) -> None:
        try:
            with undisturbed(threads=1):  # as a worker: other threads, other sums
                found = result_of(job, teller(self.done.append, job.key))
            self.done.append(Finished(job.key, found))
        except (MachineError, DataError) as error:
            self.done.append(Failed(job.key, f"{job.label}: {error}", machine=True))
        except Exception as error:
            self.done.append(Failed(job.key, *failure_of(error, job)))


class Killed(BaseException):
    """What a power cut looks like from inside."""


def score_of(label: str) -> float:
    """0..1, by the label alone."""
    return seed_for(label) % 10_000 / 10_000


class MadeEngine(Engine):
    """slots: jobs at once, finished in reverse order. dies_after: raise Killed after so many jobs.

    fails: label -> whether its training fails; score: label -> its validation score.
    says: why they fail.
    trained, keys: labels and keys of its jobs.
    """

    def __init__(
        self,
        slots: int = 1,
        dies_after: int | None = None,
        fails: Callable[[str], bool] = lambda label: False,
        score: Callable[[str], float] = score_of,
        says: str = "no",
    ) -> None:
        self.slots, self.dies_after, self.fails = slots, dies_after, fails
        self.score, self.says = score, says
        self.waiting: list[TrainJob] = []
        self.trained: list[str] = []
        self.keys: list[str] = []

    def submit(self, job: Job) -> None:
        assert isinstance(job, TrainJob), "a tuning tests nothing"
        self.waiting.append(job)

    def wait(self) -> Sequence[Event]:
        if self.dies_after is not None and len(self.trained) >= self.dies_after:
            raise Killed
        job = self.waiting.pop()
        label = job.training.method.label
        self.trained.append(label)
        self.keys.append(job.key)
        if self.fails(label):
            return [Failed(job.key, f"{job.label}: {self.says}")]
        epochs = job.training.preset.epochs
        history = [{"epoch": epochs, "seconds": 1.0, "losses": {}, "val_score": self.score(label)}]
        cost = TrainingCost(1.0, "last", epochs, epochs, history, 1.0)
        return [Finished(job.key, Model(job.training, b"weights", cost))]

    def close(self) -> None:
        self.waiting.clear()
