"""Trainings that are stopped before their end, since their validation score is too low."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from lrfer_bench.errors import CellError

Score = float | None
"""None is how a file writes NaN."""


class Stopped(CellError):
    """A training was stopped. scores: the validation score of each epoch until then."""

    def __init__(self, scores: Sequence[Score]) -> None:
        self.scores = tuple(scores)
        super().__init__(f"stopped after epoch {len(scores)}: its validation score is too low")


def best_so_far(scores: Sequence[Score]) -> list[float]:
    """After each epoch the highest score until then; below all others where none is a number."""
    found, best = [], -math.inf
    for score in scores:
        if score is not None and math.isfinite(score):
            best = max(best, score)
        found.append(best)
    return found


def last_epoch(scores: Sequence[Score], least: Mapping[int, float]) -> int | None:
    """The first epoch (1, 2, ...) after which the best score so far is below its least.

    None where there is none.
    """
    for epoch, best in enumerate(best_so_far(scores), start=1):
        if epoch in least and best < least[epoch]:
            return epoch
    return None
