"""Engine: where jobs run. It carries jobs to workers and answers back to the runner."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from lrfer_bench.running.jobs import Job
from lrfer_bench.running.models import Model
from lrfer_bench.store.schema import Record
from lrfer_bench.training.loop import Progress

Result = Model | tuple[Record, bytes]
"""A trained model, or a record with its logits as Logits.to_bytes() made them."""


@dataclass(frozen=True)
class Progressed:
    """A running job tells how far it is."""

    key: str
    progress: Progress


@dataclass(frozen=True)
class Noted:
    """A running job has something to say to its user: a sentence, shown as it is."""

    key: str
    text: str


@dataclass(frozen=True)
class Finished:
    """A job is done; a TrainJob answers a Model, a TestJob a Record and its logits."""

    key: str
    result: Result


@dataclass(frozen=True)
class Failed:
    """A job could not be done.

    died: its worker has ended, or the GPU's memory was full, so a second try may succeed. machine:
    a full disk or the like is in the way, and the method is not to blame. scores: of the epochs of
    a training that was stopped.
    """

    key: str
    sentence: str
    traceback: str = ""
    died: bool = False
    machine: bool = False
    scores: tuple[float | None, ...] | None = None


Event = Progressed | Noted | Finished | Failed


class Engine(ABC):
    """Slots that jobs can be submitted to; a context manager that stops what still runs.

    Jobs and results are plain data, and weights travel as bytes, so no shared disk is needed.
    """

    slots: int
    kept_until = "their last whole epoch"
    """Up to where running trainings are kept when the run is stopped, in words."""

    @abstractmethod
    def submit(self, job: Job) -> None:
        """Start a job; never called with more than `slots` jobs under way."""

    @abstractmethod
    def wait(self) -> Sequence[Event]:
        """Block until something happens (a second at most) and return what did."""

    @abstractmethod
    def close(self) -> None:
        """Stop everything at once. Events not yet fetched are lost, checkpoints on disk stay."""

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
