"""How a run stands, as numbers and in words."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lrfer_bench.errors import escaped
from lrfer_bench.store.names import cell_name

if TYPE_CHECKING:
    from lrfer_bench.store.schema import Record
    from lrfer_bench.training.loop import Progress


MOST_JOBS_SHOWN = 8
STILL_SECONDS = 120.0
"""Without a step for so long, a running job is said to stand still."""


@dataclass
class Status:
    """How a run stands; given to the listener at every event.

    elsewhere: trainings and cells that other runs in the same folder are at; finished_elsewhere:
    cells that they have finished. trained counts their models, too.
    said: more lines for the user; the listener gets them once
    afresh: everything is made again, whatever stands
    kept_until: up to where a running training is kept when the run is stopped
    """

    cells: int
    trainings: int
    kept: int = 0
    finished: int = 0
    failed: int = 0
    trained: int = 0
    running: dict[str, tuple[str, Progress | None]] = field(default_factory=dict)
    moved: dict[str, float] = field(default_factory=dict)
    """When each running job last told a step, by time.monotonic()."""
    training_seconds: list[float] = field(default_factory=list)
    slots: int = 1
    elsewhere: int = 0
    finished_elsewhere: int = 0
    note: str = ""
    last: Record | None = None
    said: list[str] = field(default_factory=list)
    kept_until: str = "their last whole epoch"
    afresh: bool = False
    started: float = field(default_factory=time.monotonic)

    @property
    def faces_per_second(self) -> float:
        return sum(progress.faces_per_second for _, progress in self.running.values() if progress)

    @property
    def seconds_gone(self) -> float:
        return time.monotonic() - self.started

    @property
    def share(self) -> float:
        """The share of the jobs that is done, the begun part of running trainings counted."""
        jobs = self.trainings + self.cells - self.kept
        begun = sum(p.step / p.steps for _, p in self.running.values() if p and p.steps)
        done = self.trained + self.finished + self.finished_elsewhere + self.failed + begun
        return min(done / jobs, 1.0) if jobs else 1.0

    def seconds_left(self) -> float | None:
        """An estimate from the trainings seen so far; None before anything is known."""
        running = [p for _, p in self.running.values() if p and p.step and p.faces_per_second]
        known = [*self.training_seconds, *(_projected(p) for p in running)]
        if not known or self.trained >= self.trainings:
            return None
        waiting = self.trainings - self.trained - len(running)
        left = sum(_projected(p) * (1 - p.step / p.steps) for p in running)
        at_once = max(
            min(self.slots, len(running) + waiting), 1
        )  # the last training keeps one worker busy, not all
        return (left + max(waiting, 0) * sum(known) / len(known)) / at_once


def _projected(progress: Progress) -> float:
    """Seconds the whole of a running training will take at its present speed."""
    return progress.seconds_per_step * progress.steps


Listener = Callable[[Status], None]
"""Is given the status at every event of a run."""


def news(status: Status) -> list[str]:
    """What just happened, in lines fit for a terminal: a note, a finished or a failed cell."""
    return [escaped(line) for line in _news(status)]


def _news(status: Status) -> list[str]:
    lines = [*status.said, *([f"note: {status.note}"] if status.note else [])]
    record = status.last
    if record is None:
        return lines
    if record.failure:
        return [*lines, f"failed: {record.failure.sentence}"]
    assert record.metrics is not None
    clean = record.metrics.clean
    share = f"{record.metrics.all.accuracy:.4f} ({clean.accuracy:.4f} without leaked rows)"
    if not clean.n:
        share = f"{record.metrics.all.accuracy:.4f} (every test image also stands in train)"
    return [*lines, f"done: {cell_name(record)}: accuracy {share}"]


def failure_lines(status: Status) -> list[str]:
    """What just happened, as far as a user has to know it: a note, and a failed cell."""
    record = status.last
    failed = [f"failed: {record.failure.sentence}"] if record and record.failure else []
    note = [f"note: {status.note}"] if status.note else []
    return [escaped(line) for line in (*note, *failed)]


def summary(status: Status, left: bool = True) -> str:
    """Cells done, running, failed; faces a second; the time left, if wanted."""
    todo = status.cells - status.kept
    done = status.finished + status.finished_elsewhere
    parts = [f"{done}/{todo} cells done"] if status.cells else []
    parts.append(f"{status.trained}/{status.trainings} models trained")
    if status.kept:
        parts.append(f"{status.kept} had a record")
    if status.finished_elsewhere:
        parts.append(f"{status.finished_elsewhere} of them by other runs")
    if status.elsewhere:
        parts.append(f"other runs are at {status.elsewhere} jobs")
    if status.failed:
        parts.append(f"{status.failed} failed")
    if status.faces_per_second:
        parts.append(f"{status.faces_per_second:.0f} faces/s")
    seconds = status.seconds_left() if left else None
    if seconds is not None:
        parts.append(f"about {duration(seconds)} left")
    return ", ".join(parts)


def duration(seconds: float) -> str:
    """
    >>> duration(42), duration(600), duration(9000)
    ('42 s', '10 min', '2 h 30 min')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def running_lines(status: Status) -> tuple[list[tuple[str, Progress | None, str]], str]:
    """(label, progress, line) of the running jobs that a display has room for, and of the others.

    A line says so where nothing moves; the others are one text, "" if there are none.
    """
    jobs, more = running_jobs(status)
    return [
        (label, progress, ", ".join(filter(None, (running_line(label, progress), still))))
        for label, progress, still in jobs
    ], more


def running_jobs(status: Status) -> tuple[list[tuple[str, Progress | None, str]], str]:
    """(label, progress, "" or how long it stands still) of these jobs, and of the others."""
    now, jobs = time.monotonic(), []
    for key, (label, progress) in list(status.running.items())[:MOST_JOBS_SHOWN]:
        still = now - status.moved.get(key, now)
        idle = f"no step for {duration(still)}" if still >= STILL_SECONDS else ""
        jobs.append((label, progress, idle))
    more = len(status.running) - MOST_JOBS_SHOWN
    return jobs, f"and {more} more" if more > 0 else ""


def how_far(progress: Progress | None) -> str:
    """The epoch and the share of the budget of a running training."""
    if progress is None:
        return ""
    share = progress.step / progress.steps if progress.steps else 0
    return f"epoch {progress.epoch}/{progress.epochs}, {100 * share:.0f} %"


def running_line(label: str, progress: Progress | None) -> str:
    """One running job: its epoch, share of the budget and latest losses."""
    if progress is None:
        return label
    losses = " ".join(f"{name} {value:.3f}" for name, value in progress.losses.items())
    return f"{label}: {how_far(progress)}, {losses}"
