"""Is one method better than another on the same images? Paired tests, Holm's correction, ties."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from lrfer_bench.scoring.bootstrap import (
    FEWEST_IMAGES,
    Quantity,
    Resampler,
    intervals,
    quantity,
)

PLACES = 12
"""Decimals of a mean that count: the order in which seeds are summed decides the last ones."""
SIGNIFICANT = 0.05
MCNEMAR, BOOTSTRAP = "McNemar, exact", "paired bootstrap"
"""Names of the tests."""


@dataclass(frozen=True)
class Difference:
    """A minus B, with its 95 % interval. test: MCNEMAR or BOOTSTRAP; seeds: those of both."""

    value: float
    low: float
    high: float
    p: float
    test: str
    seeds: int


def mcnemar(only_a: ArrayLike, only_b: ArrayLike) -> NDArray[np.float64]:
    """Exact two-sided p of how many images only A and only B has right (McNemar, 1947).

    Twice the binomial tail at 1/2, at most 1; 1 where the two never disagree.
    """
    a, b = np.asarray(only_a), np.asarray(only_b)
    return np.minimum(1.0, 2 * special.bdtr(np.minimum(a, b), a + b, 0.5))


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """Holm's (1979) correction of a family of p values [M]; NaN (not tested) stays NaN."""
    raw = np.asarray(p, dtype=np.float64)
    out = np.full(raw.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(raw))
    order = tested[np.argsort(raw[tested], kind="stable")]
    steps = raw[order] * (len(order) - np.arange(len(order)))
    out[order] = np.minimum(1.0, np.maximum.accumulate(steps)) if len(order) else steps
    return out


def p_of(difference: Quantity) -> float:
    """Two-sided p of "the mean of a paired quantity is 0", from Student's t."""
    variance = difference.image_var + difference.seed_var
    if variance == 0:
        # Of a few images that all differ alike nothing is known of others.
        few = difference.images < FEWEST_IMAGES
        return 1.0 if few or difference.value == 0 else 0.0
    size = abs(difference.value) / np.sqrt(variance)
    freedom = difference.freedom
    tail = special.stdtr(freedom, -size) if np.isfinite(freedom) else special.ndtr(-size)
    return float(2 * tail)


def paired(a: ArrayLike, b: ArrayLike) -> tuple[Quantity, float, str]:
    """The difference a - b of scores [S, N] (same seeds, same images), its p, and the test's name.

    One seed of 0/1 scores: McNemar's exact test; else the p of the paired hierarchical bootstrap.
    """
    first, second = (np.atleast_2d(np.asarray(x, dtype=np.float32)) for x in (a, b))
    if first.shape != second.shape:
        raise ValueError(
            f"scores have shapes {first.shape} and {second.shape}: give the same seeds and images"
        )
    gap = quantity(first - second, paired=True)
    if len(first) > 1 or not (_binary(first) and _binary(second)):
        return gap, p_of(gap), BOOTSTRAP
    only_a, only_b = int((first > second).sum()), int((second > first).sum())
    return gap, float(mcnemar(only_a, only_b)), MCNEMAR


def compare(a: ArrayLike, b: ArrayLike, resampler: Resampler, seeds: Sequence[int]) -> Difference:
    """All about one pair; seeds: the common seeds, in the order of the rows of a and b."""
    gap, p, test = paired(a, b)
    found = intervals([gap], resampler.draws([gap], [seeds]), share=False)[0]
    return Difference(gap.value, found.low, found.high, p, test, len(seeds))


def ranks(values: ArrayLike, p_between: Callable[[int, list[int]], Sequence[float]]) -> list[int]:
    """Ranks 1, 1, 3, ...: methods not significantly worse than the best share its rank.

    values: float [M], higher is better. p_between(best, others) gives raw p values of best against
    each other. After a group is found the rest is ranked in the same way; a method below a tied one
    may still share the best's rank.
    """
    scores = np.asarray(values, dtype=np.float64)
    left = [int(k) for k in np.argsort(-scores, kind="stable")]
    found = [0] * len(left)
    rank = 1
    while left:
        best, others = left[0], left[1:]
        corrected = holm(p_between(best, others)) if others else np.empty(0)
        tied = [best] + [k for k, p in zip(others, corrected, strict=True) if not p < SIGNIFICANT]
        for k in tied:
            found[k] = rank
        rank += len(tied)
        left = [k for k in left if k not in tied]
    return found


def _binary(scores: NDArray[np.float32]) -> bool:
    return bool(((scores == 0) | (scores == 1)).all())
