"""One line against another: which can be tested, on which seeds, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lrfer_bench.reporting.lines import Line
from lrfer_bench.reporting.rows import common_seeds
from lrfer_bench.scoring.paired import SIGNIFICANT, holm, paired

Weights = dict[int, float]
BETTER = "better than the best on the seeds that both have"
BEATEN = "{} is better on the seeds that both have"
MIXED = "its sizes have other seeds"
"""Why a row has no rank although it was tested."""


def weighted(line: Line, weights: Weights, seeds: Sequence[int]) -> NDArray[np.float32]:
    """Weighted sum over scales of being right: float32 [S, N]; its mean is the area."""
    parts = [
        np.float32(weight) * line.rows[scale].correct(seeds) for scale, weight in weights.items()
    ]
    return np.asarray(sum(parts[1:], start=parts[0]), dtype=np.float32)


def testable(line: Line, scales: Sequence[int]) -> bool:
    return all(scale in line.rows and line.rows[scale].tested for scale in scales)


def no_logits(line: Line, scales: Sequence[int]) -> str:
    """That answers are missing, of which seeds where it is not of all."""
    rows = [line.rows[scale] for scale in scales if scale in line.rows]
    seeds = {seed for row in rows for seed in row.seeds}
    missing = {seed for row in rows for seed in row.seeds if seed not in row.answers}
    if missing == seeds:
        return "no logits"
    several = "s" if len(missing) > 1 else ""
    return f"no logits of seed{several} {' and '.join(map(str, sorted(missing)))}"


def why_untested(a: Line, b: Line, scales: Sequence[int]) -> str:
    """Why A and B cannot be tested against each other; "" where they can."""
    if not (testable(a, scales) and testable(b, scales)):
        return no_logits(a if not testable(a, scales) else b, scales)
    shared = seeds_in_common(a, b, scales)
    if not shared:
        return "no common seed"
    faces = {len(e.rows[scale].answers_at(shared[0]).labels) for e in (a, b) for scale in scales}
    return "" if len(faces) == 1 else "other test images"


def seeds_in_common(a: Line, b: Line, scales: Sequence[int]) -> list[int]:
    """The seeds of both at all of these scales; see common_seeds() for what existed already."""
    return common_seeds(line.rows[scale] for line in (a, b) for scale in scales)


def same_seeds(line: Line, scales: Sequence[int]) -> bool:
    """Whether a line has the same seeds at all of these scales; see common_seeds()."""
    shared = seeds_in_common(line, line, scales)
    return line.existing or all(len(line.rows[scale].seeds) == len(shared) for scale in scales)


def _gap(a: Line, b: Line, weights: Weights) -> tuple[float, float]:
    """A minus B over their common seeds, and its raw p."""
    shared = seeds_in_common(a, b, list(weights))
    if len(weights) == 1:
        scale = next(iter(weights))
        first: NDArray[Any] = a.rows[scale].correct(shared)
        second: NDArray[Any] = b.rows[scale].correct(shared)
    else:
        first, second = weighted(a, weights, shared), weighted(b, weights, shared)
    found, p, _ = paired(first, second)
    return found.value, p


def unbeaten(
    lines: Sequence[Line], weights: Weights, score: Callable[[Line], float]
) -> tuple[Line, dict[str, str]]:
    """The line with the highest score that none beats, and who beats those above it, by label.

    A line beats another where it has all of its seeds and more, and is significantly better on
    them, after Holm's correction over all that might: one seed that was lucky for all makes no
    winner of the row that has it alone. Nobody beats in a circle, as seeds grow along the way.
    """
    beaten: dict[str, str] = {}
    for line in sorted(lines, key=lambda line: -score(line)):
        wider = [other for other in lines if _has_more_seeds(other, line, weights)]
        winner = _better(wider, line, weights)
        if winner is None:
            return line, beaten
        beaten[line.label] = winner.label
    raise AssertionError("a line with the most seeds is beaten by none")


def _has_more_seeds(one: Line, other: Line, weights: Weights) -> bool:
    """No seed is lucky for what existed already, and none is missing of it."""
    if one.existing or other.existing:
        return False
    return _has_seeds_of(one, other, weights) and not _has_seeds_of(other, one, weights)


def _has_seeds_of(one: Line, other: Line, weights: Weights) -> bool:
    """Whether one has all seeds of the other, at each scale."""
    return all(set(one.rows[scale].seeds) >= set(other.rows[scale].seeds) for scale in weights)


def _better(wider: Sequence[Line], line: Line, weights: Weights) -> Line | None:
    """Of lines that have its seeds, the first that is significantly better on them; or None."""
    able = [other for other in wider if not why_untested(other, line, list(weights))]
    gaps = [_gap(other, line, weights) for other in able]
    corrected = holm([p for _, p in gaps])
    for other, (value, _), p in zip(able, gaps, corrected, strict=True):
        if value > 0 and p < SIGNIFICANT:
            return other
    return None


def against_best(best: Line, other: Line, weights: Weights) -> tuple[float, str]:
    """Raw p of "the best is no better than this one", and why there is none.

    The best is best over its own seeds; where one that lacks some of them is better on the rest,
    and not by chance, neither may be called better. One that has them all and more beats the best
    in unbeaten() or not at all: what is better by its raw p only is at least not worse.
    """
    reason = why_untested(best, other, list(weights))
    if reason:
        return float("nan"), reason
    value, p = _gap(best, other, weights)
    if value < 0 and p < SIGNIFICANT:
        return (1.0, "") if _has_seeds_of(other, best, weights) else (float("nan"), BETTER)
    return p, ""
