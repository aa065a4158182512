"""Ranks, ties, areas and the numbers over resolution of a board."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lrfer_bench.reporting.against import (
    BEATEN,
    MIXED,
    Weights,
    against_best,
    no_logits,
    same_seeds,
    seeds_in_common,
    testable,
    unbeaten,
    weighted,
)
from lrfer_bench.reporting.best import fill_leads, mark_best
from lrfer_bench.reporting.boards import Board
from lrfer_bench.reporting.copies import same_cells
from lrfer_bench.reporting.lines import Line
from lrfer_bench.reporting.rows import Row
from lrfer_bench.scoring.bootstrap import (
    FEWEST_IMAGES,
    Estimate,
    Quantity,
    Resampler,
    all_agree,
    intervals,
    quantity,
)
from lrfer_bench.scoring.paired import PLACES, ranks
from lrfer_bench.scoring.resolution import (
    KEPT,
    SmallestSize,
    area_weights,
    smallest_size,
    smallest_with_interval,
)


def rate(board: Board, resamples: int, seed: int = 0) -> None:
    """Fill rank, area, mean, smallest, retained, best and p of every line; order by rank and score.

    Its leak-free board is rated in the same way.
    """
    board.tested = resamples > 0
    scales = board.lr_scales
    weights = weights_of(board)
    there = [e for e in board.lines if not e.oracle and all(e.has(scale) for scale in scales)]
    mixed = [e for e in there if not _partial(e) and not same_seeds(e, scales)]
    board.untested |= {line.label: MIXED for line in mixed if not line.apart}
    whole = [line for line in there if line not in mixed]
    for line in whole:
        line.mean = float(np.mean([line.rows[scale].means["accuracy"] for scale in scales]))
        line.smallest = _smallest(board, line, bool(resamples))
    if len(scales) > 1:
        _fill_areas(whole, weights, resamples, seed)
    for line in board.lines:
        _retain(board, line, bool(resamples))
    _rank(board, weights)
    pairs = [(scale, mark_best(board, scale)) for scale in board.sizes]
    if resamples:
        fill_leads([(scale, *pair) for scale, pair in pairs if pair], resamples, seed)
    board.lines.sort(key=lambda e: (e.apart, e.rank is None, e.rank or 0, -score_of(e), e.label))
    if board.leak_free is not None:
        rate(board.leak_free, resamples, seed)


def _partial(line: Line) -> bool:
    """Whether means over other seeds at each size were asked for, and are marked."""
    return any(row.partial for row in line.shown)


def weights_of(board: Board) -> Weights:
    """What a rank is taken over: the area of the LR scales, or the accuracy at the only one."""
    scales = board.lr_scales
    if len(scales) == 1:
        return {scales[0]: 1.0}
    sizes = [board.sizes[scale] for scale in scales]
    if len(set(sizes)) < len(sizes):
        return {scale: 1 / len(scales) for scale in scales}
    return dict(zip(scales, area_weights(sizes).tolist(), strict=True))


def few_images(board: Board) -> bool:
    """Whether there are too few test images for a test of areas, which is a bootstrap's."""
    rows = [row for line in board.lines for row in line.rows.values()]
    counts = [row.means["n"] for row in rows if "n" in row.means]
    return bool(counts) and max(counts) < FEWEST_IMAGES


def score_of(line: Line) -> float:
    """What orders the board: the area, else the mean accuracy, else the mean of what is there.

    Without the last digits, which the order of a sum decides.
    """
    if line.area is not None:
        return round(line.area.value, PLACES)
    if line.mean is not None:
        return round(line.mean, PLACES)
    shown = [row.means["accuracy"] for row in line.shown]
    return round(float(np.mean(shown)), PLACES) if shown else -1.0


def _fill_areas(lines: Sequence[Line], weights: Weights, resamples: int, seed: int) -> None:
    """Areas with intervals; lines that met the same images are resampled together, to save time.

    Over unfinished rows an area is that of all cells that are there. It has no interval where its
    sizes have other seeds: the draws would be about those that all sizes share.
    """
    together: dict[int, list[tuple[Line, Quantity, list[int]]]] = defaultdict(list)
    for line in lines:
        value = float(
            sum(weight * line.rows[scale].means["accuracy"] for scale, weight in weights.items())
        )
        shared = seeds_in_common(line, line, list(weights))
        alike = same_seeds(line, list(weights))
        line.area = Estimate(
            value, float("nan"), float("nan"), len(shared), int(line.shown[0].means["n"])
        )
        if resamples and alike and testable(line, list(weights)):
            found = quantity(weighted(line, weights, shared))
            together[found.images].append((line, found, shared))
    for images, group in together.items():
        quantities = [found for _, found, _ in group]
        draws = Resampler(images, resamples, seed).draws(
            quantities, [shared for _, _, shared in group]
        )
        for (line, _, _), estimate in zip(group, intervals(quantities, draws), strict=True):
            assert line.area is not None
            line.area = replace(estimate, value=line.area.value)


def _smallest(board: Board, line: Line, draws: bool) -> SmallestSize | None:
    ceiling = board.ceiling
    scales = [scale for scale in board.sizes if scale in line.rows and line.rows[scale].counted]
    if ceiling is None or not scales:
        return None
    sizes = [board.sizes[scale] for scale in scales]
    rows = [line.rows[scale] for scale in scales]
    accuracy = [row.means["accuracy"] for row in rows]
    joint = [row.draws for row in rows]
    top = ceiling.means["accuracy"]
    if not draws or ceiling.draws is None or any(d is None for d in joint):
        return SmallestSize(
            float(smallest_size(sizes, accuracy, KEPT * top)[0]), float("nan"), float("nan")
        )
    stacked = np.stack([d for d in joint if d is not None], axis=1)
    return smallest_with_interval(sizes, accuracy, stacked, top, ceiling.draws)


def _retain(board: Board, line: Line, draws: bool) -> None:
    ceiling = board.ceiling
    if ceiling is None or not ceiling.means["accuracy"]:
        return
    for scale, row in line.rows.items():
        if row.counted:
            line.retained[scale] = _ratio(row, ceiling, draws)


def _ratio(row: Row, ceiling: Row, draws: bool) -> Estimate:
    value = row.means["accuracy"] / ceiling.means["accuracy"]
    low = high = float("nan")
    if draws and row.draws is not None and ceiling.draws is not None and (ceiling.draws > 0).all():
        shares = row.draws / ceiling.draws
        if row.keys == ceiling.keys or not all_agree(shares):  # of itself it keeps all for certain
            low, high = np.percentile(shares, [2.5, 97.5])
    return Estimate(value, float(low), float(high), len(row.seeds), int(row.means["n"]))


def _rank(board: Board, weights: Weights) -> None:
    scales = list(weights)
    groups = same_cells([line for line in board.ranked if line.mean is not None], scales)
    if not groups or (len(weights) > 1 and few_images(board)):
        return
    whole = [group[0] for group in groups]
    if board.tested:
        whole = _tested(board, whole, weights)

    def against(best: int, others: list[int]) -> list[float]:
        if not board.tested:  # the plain order
            top = score_of(whole[best])
            return [1.0 if score_of(whole[k]) == top else 0.0 for k in others]
        found = [against_best(whole[best], whole[k], weights) for k in others]
        # among those below the best, what cannot be said to be worse shares the rank
        return [1.0 if reason else p for p, reason in found]

    for line, rank in zip(whole, ranks([score_of(e) for e in whole], against), strict=True):
        line.rank, line.best_overall = rank, rank == 1
    for first, *others in groups:
        for line in others:
            line.rank, line.best_overall = first.rank, first.best_overall
            if first.label in board.untested:
                board.untested[line.label] = board.untested[first.label]


def _tested(board: Board, lines: Sequence[Line], weights: Weights) -> list[Line]:
    """The lines that can be tested against the best of them; why the others cannot is noted."""
    can = [line for line in lines if testable(line, list(weights))]
    best, beaten = unbeaten(can, weights, score_of) if can else (None, {})
    found = []
    for line in lines:
        reason = no_logits(line, list(weights)) if best is None else ""
        if line.label in beaten:
            reason = BEATEN.format(beaten[line.label])
        elif best is not None and line is not best:
            reason = against_best(best, line, weights)[1]
        if reason:
            board.untested[line.label] = reason
        else:
            found.append(line)
    return found
