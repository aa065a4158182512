"""Metrics that a report is asked for (--metrics), computed from the logits on disk.

A metric can be anybody's code: one that raises, or gives no number, leaves a hole in the table
and a sentence in the report.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lrfer_bench.errors import UserError
from lrfer_bench.plugins.blame import own_place, without_paths
from lrfer_bench.plugins.registry import METRICS
from lrfer_bench.reporting.answers import UNREADABLE, trusted_logits
from lrfer_bench.reporting.rows import Row
from lrfer_bench.scoring.bootstrap import Estimate, Quantity, Resampler, intervals, quantity
from lrfer_bench.scoring.shown import shown_of

Floats = NDArray[np.float64]
Function = Callable[[Floats, NDArray[np.int64]], Any]
NAN = float("nan")
WITHOUT = " without leaked rows"
NO_INTERVAL = "it is the same in all resamples, or not defined in over 5 % of them"


def load_metrics(names: Iterable[str]) -> dict[str, Function]:
    """The functions of metrics by name, each once.

    UserError for a name that nobody registered, for a plugin that cannot be imported, and for
    something that cannot be called.
    """
    found = {name: METRICS.load(name) for name in dict.fromkeys(names)}
    for name, function in found.items():
        if not callable(function):
            source = METRICS.entry(name).source
            raise UserError(
                f'the metric "{name}" from {source} is a {type(function).__name__}: '
                "register a function of logits and labels"
            )
    return found


class NoNumber(Exception):
    """What a metric gave in place of a number."""

    what = "gave no number"


class OutOfLimits(NoNumber):
    """A number that the metric, as it was registered, cannot have."""

    what = "is left out"


@dataclass(frozen=True)
class Exam:
    """What a row's cells answered: for each seed logits float64 [N, K] and labels int64 [N].

    They are made read-only, for a metric may be careless.
    """

    logits: list[Floats]
    labels: list[NDArray[np.int64]]
    clean: NDArray[np.bool_]
    seeds: list[int]

    def __post_init__(self) -> None:
        for array in (*self.logits, *self.labels):
            array.setflags(write=False)

    @property
    def images(self) -> int:
        return len(self.clean)

    def part(self, picks: NDArray[Any]) -> Exam:
        """The same of some images: their numbers, or a mask."""
        return Exam(
            [logits[picks] for logits in self.logits],
            [labels[picks] for labels in self.labels],
            self.clean[picks],
            self.seeds,
        )


@dataclass(frozen=True)
class _Waiting:
    """A mean over images whose interval is still to be drawn; share: of numbers in 0..1."""

    row: Row
    name: str
    function: Function
    quantity: Quantity
    share: bool


@dataclass
class _Holes:
    """Where a metric gave no number, for one sentence in the end."""

    places: list[str] = field(default_factory=list)
    reason: str = ""

    def add(self, place: str, reason: str) -> None:
        if place.removesuffix(WITHOUT) in self.places:
            return  # the row without leaked rows has the same trouble as the row itself
        self.places.append(place)
        self.reason = self.reason or reason

    def sentence(self, what: str) -> str:
        more = f" and {len(self.places) - 1} more" if len(self.places) > 1 else ""
        return f"{what} for {self.places[0]}{more}: {self.reason}"


def measure(
    rows: Iterable[Row], metrics: Mapping[str, Function], resamples: int, seed: int = 0
) -> list[str]:
    """Fill means and measured of every counted row; returns sentences about what is missing.

    Where each image has a number of its own, a metric is resampled as accuracy is, with the same
    draws; else it is computed anew for each of the first 200 draws. resamples 0: no intervals.
    """
    missing: dict[str, _Holes] = defaultdict(_Holes)
    waiting: list[_Waiting] = []
    with redirect_stdout(sys.stderr):  # what a plugin prints must not end up in a CSV or JSON
        for row in rows if metrics else ():
            if not row.counted:
                continue
            _from_records(row, metrics)
            place = f"{row.first.method} on {row.first.dataset} at x{row.scale}"
            place += WITHOUT if row.part == "clean" else ""
            try:
                exam = _exam(row)
            except UNREADABLE as error:
                missing["no metrics"].add(place, without_paths(str(error)))
                continue
            for name, function in metrics.items():
                try:
                    found = _measure(row, name, function, exam, resamples, seed)
                except NoNumber as trouble:
                    missing[f'the metric "{name}" {trouble.what}'].add(place, str(trouble))
                    continue
                if found is not None:
                    waiting.append(found)
                elif resamples and row.tested and np.isnan(row.measured[name].low):
                    missing[f'the metric "{name}" has no interval'].add(place, NO_INTERVAL)
    _fill(waiting, resamples, seed)
    return [holes.sentence(what) for what, holes in missing.items()]


def _from_records(row: Row, metrics: Iterable[str]) -> None:
    """Metrics that stand in the records: a row keeps their numbers where its logits are missing."""
    for name in metrics:
        if name in row.means:
            images, seeds = int(row.means["n"]), len(row.seeds)
            row.measured[name] = Estimate(row.means[name], NAN, NAN, seeds, images)


def _exam(row: Row) -> Exam:
    """The answers of a row's finished cells."""
    raw = [trusted_logits(result) for result in row.finished]
    for name in ("labels", "clean"):
        if any(not np.array_equal(getattr(found, name), getattr(raw[0], name)) for found in raw):
            raise ValueError("its seeds were tested on different images")
    logits = [found.logits.astype(np.float64) for found in raw]
    labels = [found.labels for found in raw]
    exam = Exam(logits, labels, raw[0].clean, row.seeds)
    return exam.part(raw[0].clean) if row.part == "clean" else exam


def _measure(
    row: Row, name: str, function: Function, exam: Exam, resamples: int, seed: int
) -> _Waiting | None:
    """Enter a metric of a row; returns what is to be resampled with others of its test set."""
    values = _values(function, exam)
    means = [float(np.mean(value)) for value in values]
    # Numbers that stand in the record are shown as they stand there.
    row.means.setdefault(name, float(np.mean(means)))
    std = float(np.std(means, ddof=1)) if len(means) > 1 else None
    row.measured[name] = Estimate(row.means[name], NAN, NAN, len(means), exam.images, std)
    _measure_clean(row, name, function, exam)
    if not resamples or not row.tested:
        return None
    if all(value.ndim for value in values):
        stack = np.stack(values)
        share = bool(((stack >= 0) & (stack <= 1)).all())
        return _Waiting(row, name, function, quantity(stack), share)
    found = Resampler(exam.images, resamples, seed).redraw(
        lambda picks: _seeds(function, exam.part(picks)), means, exam.seeds
    )
    row.measured[name] = _within(found, row.means[name], function)
    return None


def _within(found: Estimate, value: float, function: Function) -> Estimate:
    """An estimate around the value shown, with its interval inside the metric's limits."""
    low, high = np.clip((found.low, found.high), *shown_of(function).limits).tolist()
    return replace(found, value=value, low=low, high=high)


def _measure_clean(row: Row, name: str, function: Function, exam: Exam) -> None:
    """The same without the rows that also stand in train; nothing where it is not defined."""
    own = f"clean_{name}"
    if exam.clean.all():
        row.means.setdefault(own, row.means[name])
    elif own not in row.means and exam.clean.any():
        mean = float(np.mean(_seeds(function, exam.part(exam.clean))))
        if np.isfinite(mean):
            row.means[own] = mean


def _seeds(function: Function, exam: Exam) -> list[float]:
    """A metric's number of each seed; NaN for all where it has none for one."""
    try:
        return [float(np.mean(value)) for value in _values(function, exam)]
    except NoNumber:
        return [NAN] * len(exam.seeds)


def _values(function: Function, exam: Exam) -> list[Floats]:
    """What a metric gives for each seed: a number, or one number an image."""
    return [_value(function, *pair) for pair in zip(exam.logits, exam.labels, strict=True)]


def _value(function: Function, logits: Floats, labels: NDArray[np.int64]) -> Floats:
    """One call of a metric: float64, a number or [N].

    NoNumber for anything else, for NaN, and for a mean that leaves the limits of the metric.
    """
    try:
        given = function(logits, labels)
        value = np.asarray(given)
    except (Exception, SystemExit) as error:
        place = own_place(error)
        where = f" ({Path(place).name})" if place else ""  # no path of this machine in a report
        raise NoNumber(f"{type(error).__name__}: {error}{where}") from error
    if value.dtype.kind not in "biuf":
        raise NoNumber(f"it returned a {type(given).__name__}, not a number")
    if value.shape not in ((), labels.shape):
        raise NoNumber(
            f"it returned an array of shape {list(value.shape)}: "
            f"return a number, or one for each of the {len(labels)} images"
        )
    if not value.size or not np.isfinite(value).all():
        raise NoNumber("it is NaN or infinite there, so not defined")
    _check_limits(function, float(np.mean(value)))
    return value.astype(np.float64)


def _check_limits(function: Function, mean: float) -> None:
    """OutOfLimits for a number out of a metric's limits by more than rounding of float32.

    The numbers of single images may be out of them, as where they are weighted.
    """
    how = shown_of(function)
    low, high = how.limits
    room = 1e-6 * max(1.0, abs(mean))
    if low - room <= mean <= high + room:
        return
    if how.percent and how.bounds is None:
        raise OutOfLimits(
            f"it gave {mean:g}, but percent=True wants shares of 1, from 0 to 1, or other bounds"
        )
    raise OutOfLimits(f"it gave {mean:g}, but its bounds are {low:g} and {high:g}")


def _fill(waiting: Sequence[_Waiting], resamples: int, seed: int) -> None:
    """Intervals of means over images; all of one number of images are resampled together."""
    together: dict[tuple[int, bool], list[_Waiting]] = defaultdict(list)
    for one in waiting:
        together[one.quantity.images, one.share].append(one)
    for (images, share), group in together.items():
        quantities = [one.quantity for one in group]
        draws = Resampler(images, resamples, seed).draws(quantities, [o.row.seeds for o in group])
        for one, found in zip(group, intervals(quantities, draws, share=share), strict=True):
            mean = one.row.means[one.name]
            one.row.measured[one.name] = _within(found, mean, one.function)
