"""The best at each size, what ties with it, and how far it is ahead."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from lrfer_bench.reporting.against import (
    BETTER,
    against_best,
    seeds_in_common,
    testable,
    unbeaten,
)
from lrfer_bench.reporting.boards import Board
from lrfer_bench.reporting.copies import same_cells
from lrfer_bench.reporting.lines import Lead, Line
from lrfer_bench.scoring.bootstrap import Quantity, Resampler, intervals
from lrfer_bench.scoring.paired import PLACES, SIGNIFICANT, holm, paired


def mark_best(board: Board, scale: int) -> tuple[Line, Line] | None:
    """Mark the best at a scale and what ties with it; that one and the next that does not."""
    groups = same_cells([line for line in board.ranked if line.has(scale)], [scale])
    if len(groups) < 2:
        return None  # alone is not best
    if board.tested and not any(testable(group[0], [scale]) for group in groups):
        return None  # bold would say that the others were tested against it
    best, others = _best_first(board, groups, scale)
    board.against[scale] = best[0].label
    for line in best:
        line.best.add(scale)
    top = accuracy_at(best[0], scale)
    raw = [_p_against(best[0], group, scale) for group in others]
    for group, p in zip(others, holm(raw), strict=True):
        for line in group:
            line.p[scale] = float(p)
            if p >= SIGNIFICANT if board.tested else accuracy_at(line, scale) == top:
                line.best.add(scale)
    apart = [group[0] for group in others if group[0].p[scale] < SIGNIFICANT]
    return (best[0], apart[0]) if apart else None


def _p_against(best: Line, group: Sequence[Line], scale: int) -> float:
    """Raw p of the best against these; NaN where there is none, and whether they are better."""
    if scale in group[0].beaten:
        return float("nan")
    p, reason = against_best(best, group[0], {scale: 1.0})
    if reason == BETTER:
        for line in group:
            line.better.add(scale)
    return p


def _best_first(
    board: Board, groups: Sequence[list[Line]], scale: int
) -> tuple[list[Line], list[list[Line]]]:
    """The group that is best at a scale, and the others from the highest down.

    Where tests are wanted, it is one that can be tested and that none beats, as it is for ranks.
    """
    ordered = sorted(groups, key=lambda group: -accuracy_at(group[0], scale))
    if not board.tested:
        return ordered[0], ordered[1:]
    can = [group[0] for group in ordered if testable(group[0], [scale])]
    best, beaten = unbeaten(can, {scale: 1.0}, lambda line: accuracy_at(line, scale))
    for group in ordered:
        if group[0].label in beaten:
            for line in group:
                line.beaten[scale] = beaten[group[0].label]
    first = next(group for group in ordered if group[0] is best)
    return first, [group for group in ordered if group is not first]


def accuracy_at(line: Line, scale: int) -> float:
    """Its mean accuracy at a scale, over the seeds that count; equal means are equal numbers."""
    return round(float(line.rows[scale].means["accuracy"]), PLACES)


def fill_leads(pairs: Sequence[tuple[int, Line, Line]], resamples: int, seed: int) -> None:
    """How far the best is ahead at each scale; pairs on the same images are resampled together."""
    together: dict[int, list[tuple[int, Line, Line, Quantity, list[int]]]] = defaultdict(list)
    for scale, best, other in pairs:
        shared = seeds_in_common(best, other, [scale])
        found = paired(best.rows[scale].correct(shared), other.rows[scale].correct(shared))[0]
        together[found.images].append((scale, best, other, found, shared))
    for images, group in together.items():
        gaps = [found for *_, found, _ in group]
        draws = Resampler(images, resamples, seed).draws(gaps, [shared for *_, shared in group])
        estimates = intervals(gaps, draws, share=False)
        for (scale, best, other, _, shared), gap in zip(group, estimates, strict=True):
            trained = [line.rows[scale] for line in (best, other) if not line.existing]
            more = any(len(row.seeds) > len(shared) for row in trained)
            best.leads[scale] = Lead(
                other.label, gap.value, gap.low, gap.high, other.p[scale], more * len(shared)
            )
