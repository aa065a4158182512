"""Two records of one cell: whether their numbers are the same, and what one tells of both."""

from __future__ import annotations

from dataclasses import asdict

from lrfer_bench.scoring.parts import MetricsPart
from lrfer_bench.store.schema import Record


def same_metrics(one: MetricsPart, two: MetricsPart | None) -> bool:
    """Equal up to the last digits, which may differ between machines."""
    return two is not None and _close(asdict(one), asdict(two))


def with_trials(mine: Record, theirs: Record) -> Record:
    """Mine, with their number of tuning trials where only they tell it and the metrics are equal.

    A tuning may choose settings that were run by hand before, on another machine, or when the
    method had nothing to tune yet (0).
    """
    told, trials = mine.method.trials, theirs.method.trials
    if told or trials is None or trials == told or mine.metrics is None:
        return mine
    if not same_metrics(mine.metrics, theirs.metrics):
        return mine
    method = mine.method.model_copy(update={"trials": trials})
    return mine.model_copy(update={"method": method})


def _close(one: object, two: object) -> bool:
    if isinstance(one, dict) and isinstance(two, dict):
        return one.keys() == two.keys() and all(_close(one[key], two[key]) for key in one)
    if isinstance(one, list) and isinstance(two, list):
        return len(one) == len(two) and all(map(_close, one, two))
    if isinstance(one, float) and isinstance(two, float):
        return abs(one - two) <= 1e-6 * max(1.0, abs(one))
    return one == two
