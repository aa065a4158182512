"""Trainings that are stopped before their end, since their validation score is too low."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lrfer_bench.errors import CellError

Score = float | None
"""None is how a file writes NaN."""


class Stopped(CellError):
    """A training was stopped. scores: the validation score of each epoch until then."""

    def __init__(self, scores: Sequence[Score]) -> None:
        self.scores = tuple(scores)
        super().__init__(f"stopped after epoch {len(scores)}: its validation score is too low")


def last_epoch(scores: Sequence[Score], least: Mapping[int, float]) -> int | None:
    """The first epoch (1, 2, ...) whose score is NaN or below its least; None: there is none."""
    for epoch, score in enumerate(scores, start=1):
        if epoch in least and not (score is not None and score >= least[epoch]):
            return epoch
    return None
