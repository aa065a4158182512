"""Rows: results that differ in their seed only, with means and intervals."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lrfer_bench.reporting.answers import Answers, LeakFree
from lrfer_bench.reporting.counting import Place, counting_seeds
from lrfer_bench.reporting.frame import COSTS, MEASURED, NUMBERS, Result
from lrfer_bench.scoring.bootstrap import Estimate, Resampler, intervals, quantity
from lrfer_bench.scoring.parts import Metrics
from lrfer_bench.store.schema import Record

Part: TypeAlias = Literal["all", "clean"]
"""Which test images count: all, or only those that do not also stand in train. A record's metrics
have parts of these names."""


@dataclass
class Row:
    """One method under one training and one test condition, over its seeds.

    wanted: seeds that count for it, see seeds_that_count(); a row is whole when all are finished
    left:   seeds with a result that do not count, since other sizes of its line lack them
    means:    metric or cost -> mean over seeds; clean_ metrics are those without leaked rows
    measured: the metrics that were asked for, with their intervals
    part:     which test images all its numbers are about
    leak_free: the same row of the part "clean"; itself where no row leaks, None where all do
    clean:    the accuracy of that row
    boards:   training protocols of the boards that its seeds count on; None: of all
    repeated: another row of the same cells stands in the CSV already, with other seeds
    """

    results: list[Result]
    wanted: list[int] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
    answers: dict[int, Answers] = field(default_factory=dict)
    means: dict[str, float] = field(default_factory=dict)
    measured: dict[str, Estimate] = field(default_factory=dict)
    accuracy: Estimate | None = None
    clean: Estimate | None = None
    draws: NDArray[np.float64] | None = None
    partial: bool = False
    part: Part = "all"
    leak_free: Row | None = None
    boards: frozenset[str] | None = None
    repeated: bool = False

    @property
    def first(self) -> Result:
        return self.results[0]

    @property
    def record(self) -> Record:
        return self.first.record

    @property
    def scale(self) -> int:
        return self.record.test.scale

    @property
    def size_px(self) -> int:
        return self.record.test.size_px

    @property
    def finished(self) -> list[Result]:
        return [result for result in self.results if result.finished]

    @property
    def parts(self) -> list[Metrics]:
        """The metrics of each finished cell, of the row's own part."""
        found = [result.record.metrics for result in self.finished]
        return [getattr(metrics, self.part) for metrics in found if metrics]

    @property
    def calibration(self) -> NDArray[np.float64]:
        """Images, hits and summed confidence per bin over all seeds; float64 [3, 15]."""
        return np.sum([self.answers[seed].calibration for seed in self.seeds], axis=0)

    @property
    def keys(self) -> frozenset[str]:
        """Of the finished cells."""
        return frozenset(result.record.key for result in self.finished)

    @property
    def seeds(self) -> list[int]:
        return [result.record.seed for result in self.finished]

    @property
    def rules(self) -> list[str]:
        """How its epochs were chosen."""
        return sorted({r.record.selection.rule for r in self.finished if r.record.selection})

    @property
    def whole(self) -> bool:
        return set(self.seeds) >= set(self.wanted)

    @property
    def counted(self) -> bool:
        """Whether its numbers are shown: all seeds are finished, or partial means are wanted."""
        return bool(self.seeds) and (self.whole or self.partial)

    @property
    def status(self) -> str:
        """finished, failed, or how many of the seeds are: "2 of 3 seeds"."""
        if self.whole:
            return "finished"
        if not self.seeds and len(self.results) >= len(self.wanted):
            return "failed"
        return f"{len(self.seeds)} of {len(self.wanted)} seeds"

    @property
    def tested(self) -> bool:
        """Whether the answers of every counted seed are at hand for intervals and tests."""
        return self.counted and all(seed in self.answers for seed in self.seeds)

    @property
    def neutral(self) -> bool:
        """Whether no training protocol touches it: it is on each board of its test protocol."""
        return self.first.neutral

    @property
    def existing(self) -> bool:
        """Whether it existed already: no seed draws anything of it, so its answers hold for all."""
        return self.record.method.existing

    def counts_on(self, protocol: str) -> bool:
        """Whether its seeds are those that count on boards of this training protocol."""
        return self.boards is None or protocol in self.boards

    @property
    def has_leaks(self) -> bool:
        """Whether some of its test images, but not all, also stand in train."""
        return self.part == "all" and any(
            0 < c.record.metrics.clean.n < c.record.metrics.all.n
            for c in self.finished
            if c.record.metrics
        )

    def correct(self, seeds: Sequence[int] | None = None) -> NDArray[np.bool_]:
        """bool [S, N]: right or wrong, for these seeds (default: all of its own)."""
        wanted = self.seeds if seeds is None else seeds
        return np.stack([self.answers_at(seed).correct for seed in wanted])

    def answers_at(self, seed: int) -> Answers:
        """Its answers under a seed; what existed already has those of any under each.

        KeyError where it has none.
        """
        if self.existing and seed not in self.answers and self.answers:
            return self.answers[min(self.answers)]
        return self.answers[seed]


def common_seeds(rows: Iterable[Row], answered: bool = False) -> list[int]:
    """The seeds under which all rows stand. What existed already stands under those of the others.

    answered: only seeds whose answers are at hand
    """
    members = list(rows)
    sets = [set(row.answers if answered else row.seeds) for row in members]
    drawn = [seeds for row, seeds in zip(members, sets, strict=True) if not row.existing]
    shared = set.intersection(*(drawn or sets)) if all(sets) else set()
    if not shared and not drawn and all(sets):
        shared = {min(set.union(*sets))}
    return sorted(shared)


def build_rows(
    results: Iterable[Result], answers: Mapping[str, Answers], partial: bool = False
) -> list[Row]:
    """Group results into rows, sorted by place; partial: unfinished rows have means, too.

    Where other seeds of a cell count on other boards, it has a row for each (see Row.boards).
    """
    groups: dict[Place, list[Result]] = defaultdict(list)
    for result in results:
        groups[result.place].append(result)
    counting = counting_seeds(groups, partial)
    rows = []
    for place in sorted(groups, key=sort_key):
        members = sorted(groups[place], key=lambda result: result.record.seed)
        own = members[0].record.train.protocol
        found = [_row(members, wanted, answers, partial) for wanted in counting[place]]
        for row, boards in zip(found, counting[place].values(), strict=True):
            row.boards = boards if len(found) > 1 else None
        found.sort(key=lambda row: not row.counts_on(own))
        for row in found[1:]:
            row.repeated = True
        rows += found
    _add_leak_free(rows)
    return rows


def _row(
    members: Sequence[Result],
    wanted: Sequence[int],
    answers: Mapping[str, Answers],
    partial: bool,
) -> Row:
    """A row over the seeds wanted; members: all results of its place, by seed."""
    counted = [result for result in members if result.record.seed in wanted]
    left = [result.record.seed for result in members if result.record.seed not in wanted]
    row = Row(counted, [*wanted], left, partial=partial)
    row.answers = {c.record.seed: answers[c.record.key] for c in counted if c.record.key in answers}
    row.means = _means(row)
    return row


def _add_leak_free(rows: Iterable[Row]) -> None:
    without = LeakFree()
    for row in rows:
        metrics = [result.record.metrics for result in row.finished if result.record.metrics]
        if all(m.clean.n == m.all.n for m in metrics):
            row.leak_free = row
        elif all(m.clean.n for m in metrics):
            answers = {seed: without(found) for seed, found in row.answers.items()}
            row.leak_free = replace(row, answers=answers, part="clean", means={}, measured={})
            row.leak_free.means = _means(row.leak_free)


def with_leak_free(rows: Iterable[Row]) -> list[Row]:
    """Each row, and behind it its leak-free one where that is another."""
    found: list[Row] = []
    for row in rows:
        found.append(row)
        if row.leak_free is not None and row.leak_free is not row:
            found.append(row.leak_free)
    return found


def sort_key(place: tuple[str, ...]) -> tuple[object, ...]:
    """Names in their order, numbers inside them by value: x2 before x16, kd=2 before kd=10."""
    return tuple(
        tuple((0, int(p), "") if p.isdigit() else (1, 0, p) for p in re.split(r"(\d+)", part))
        for part in place
    )


def _means(row: Row) -> dict[str, float]:
    if not row.counted:
        return {}
    found: dict[str, float] = {}
    metrics = [result.record.metrics for result in row.finished if result.record.metrics]
    costs = [result.record.cost for result in row.finished if result.record.cost]
    for name in NUMBERS:
        found[name] = float(np.mean([getattr(part, name) for part in row.parts]))
        if all(m.clean.n for m in metrics):
            found[f"clean_{name}"] = float(np.mean([getattr(m.clean, name) for m in metrics]))
    for name in (*COSTS, *MEASURED):
        values = [getattr(cost, name) for cost in costs]
        if None not in values:
            found[name] = float(np.mean(values))
    return found


def add_intervals(rows: Sequence[Row], resamples: int, seed: int = 0) -> None:
    """Fill accuracy, clean and draws of every counted row; those of one test set share resamples.

    Rows without answers (or with resamples 0) get estimates whose bounds are NaN.
    """
    by_set: dict[tuple[int, int], list[Row]] = defaultdict(list)
    for row in with_leak_free(rows):
        if not row.counted:
            continue
        row.accuracy = _bare(row)
        if row.tested and resamples:
            first = row.answers[row.seeds[0]]
            by_set[(id(first.labels), id(first.clean))].append(row)
    for group in by_set.values():
        _fill(group, resamples, seed)
    for row in with_leak_free(rows):
        own = row if row.part == "clean" else row.leak_free
        row.clean = own.accuracy if own else None


def _bare(row: Row) -> Estimate:
    values = [part.accuracy for part in row.parts]
    std = float(np.std(values, ddof=1)) if len(values) > 1 else None
    images = int(row.means["n"])
    nan = float("nan")
    return Estimate(row.means["accuracy"], nan, nan, len(values), images, std)


def _fill(rows: list[Row], resamples: int, seed: int) -> None:
    images = len(rows[0].answers[rows[0].seeds[0]].labels)
    quantities = [quantity(row.correct()) for row in rows]
    names = [row.seeds for row in rows]
    draws = Resampler(images, resamples, seed).draws(quantities, names)
    for k, (row, estimate) in enumerate(zip(rows, intervals(quantities, draws), strict=True)):
        row.accuracy, row.draws = estimate, draws[:, k]
