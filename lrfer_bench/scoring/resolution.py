"""Numbers over resolution: the area under the curve, and the smallest size that is good enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

KEPT = 0.9
"""The share of the oracle's accuracy that "good enough" means."""


def area_weights(sizes: Sequence[int]) -> NDArray[np.float64]:
    """Weights [K] that make an area over log2(size) of accuracies at sizes (pixels, any order).

    Trapezoids, divided by the width, so that accuracy 1 everywhere has area 1. ValueError for
    fewer than two sizes.
    """
    points = np.log2(np.asarray(sizes, dtype=np.float64))
    if len(set(sizes)) < 2 or len(set(sizes)) != len(sizes):
        raise ValueError(f"an area needs two different sizes or more, each once: got {list(sizes)}")
    order = np.argsort(points)
    gaps = np.diff(points[order])
    weights = np.zeros(len(points))
    weights[order[:-1]] += gaps / 2
    weights[order[1:]] += gaps / 2
    return weights / gaps.sum()


@dataclass(frozen=True)
class SmallestSize:
    """The smallest size in pixels that is good enough, with its interval.

    0 means: the smallest size tested is good enough already (an open end below); inf: not even
    the largest is.
    """

    value: float
    low: float
    high: float


def smallest_size(
    sizes: Sequence[int], accuracy: ArrayLike, target: ArrayLike
) -> NDArray[np.float64]:
    """Where each curve, followed down from its largest size, first falls below its target.

    Between two sizes the curve is linear in log2(size).

    sizes: [K]; accuracy: [K] or [B, K] (B curves); target: scalar or [B]. Returns [B]: sizes in
    pixels, 0 where the whole curve stays at or above its target, inf where its largest size is
    below.
    """
    order = np.argsort(sizes)[::-1]
    points = np.log2(np.asarray(sizes, dtype=np.float64)[order])
    curves = np.atleast_2d(np.asarray(accuracy, dtype=np.float64))[:, order]
    aim = np.broadcast_to(np.asarray(target, dtype=np.float64), curves.shape[:1])
    below = curves < aim[:, None]
    first = np.where(below.any(axis=1), below.argmax(axis=1), -1)
    out = np.where(first == 0, np.inf, 0.0)
    rows = np.flatnonzero(first > 0)
    at, over = first[rows], first[rows] - 1
    high, low = curves[rows, over], curves[rows, at]
    share = (high - aim[rows]) / (high - low)
    out[rows] = 2 ** (points[over] + share * (points[at] - points[over]))
    return out


def smallest_with_interval(
    sizes: Sequence[int],
    accuracy: ArrayLike,
    draws: ArrayLike,
    ceiling: float,
    ceiling_draws: ArrayLike,
    kept: float = KEPT,
) -> SmallestSize:
    """Smallest size at which a method keeps `kept` of the oracle's accuracy, with its interval.

    accuracy: [K]; draws: [B, K]; ceiling: the oracle's accuracy; ceiling_draws: [B], of the same
    resamples.
    """
    value = float(smallest_size(sizes, accuracy, kept * ceiling)[0])
    found = smallest_size(sizes, draws, kept * np.asarray(ceiling_draws, dtype=np.float64))
    if not len(found):
        return SmallestSize(value, float("nan"), float("nan"))
    low, high = np.sort(found)[
        [int(0.025 * (len(found) - 1)), int(np.ceil(0.975 * (len(found) - 1)))]
    ]
    return SmallestSize(value, float(low), float(high))
