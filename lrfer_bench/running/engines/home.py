"""Checkpoints that come home from other machines, beside those that a local worker writes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lrfer_bench.errors import UserError
from lrfer_bench.files import set_aside, write_atomically
from lrfer_bench.running.engines.base import Noted
from lrfer_bench.running.jobs import Job, TrainJob


def keep(job: Job, checkpoint: bytes) -> Sequence[Noted]:
    """Write it in its place; a note where the disk refuses, for no training fails by that."""
    place = _place(job)
    if place is None:
        return []
    try:
        write_atomically(place, checkpoint)
    except UserError as error:
        text = f"{job.label}: {error}; until then the training goes on without a checkpoint"
        return [Noted(job.key, text)]
    return []


def leave_unused(job: Job) -> None:
    """Set aside one that its training could not use, or the next one would take its place."""
    place = _place(job)
    if place is not None and place.is_file():
        set_aside(place, "unusable")


def read(job: Job) -> bytes | None:
    """The checkpoint that a training goes on from, if there is one."""
    place = _place(job)
    return place.read_bytes() if place is not None and place.is_file() else None


def _place(job: Job) -> Path | None:
    return Path(job.checkpoint) if isinstance(job, TrainJob) and job.checkpoint else None
