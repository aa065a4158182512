"""What the answers of a row say, class by class and by confidence; needs no matplotlib."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lrfer_bench.reporting.rows import Row

FEWEST_IMAGES = 10
"""Answers below which a bin of confidence is not shown."""


def shares(row: Row) -> NDArray[np.float64]:
    """Confusion [true, said] over all seeds, as shares of the true class; NaN: no such image."""
    counts = confusion(row).astype(np.float64)
    totals = counts.sum(axis=1, keepdims=True)
    return np.divide(counts, totals, out=np.full(counts.shape, np.nan), where=totals > 0)


def confusion(row: Row) -> NDArray[np.int64]:
    """Counts [true, said] on the row's test images, summed over seeds."""
    found = [np.asarray(part.confusion) for part in row.parts]
    return np.asarray(np.sum(found, axis=0), dtype=np.int64)


def class_recall(row: Row, k: int) -> float | None:
    """Mean over seeds of the recall of class k; None when the test has no such image."""
    values = [part.recall[k] for part in row.parts]
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def reliability_points(row: Row) -> list[tuple[float, float]]:
    """(mean confidence, share right) of each bin that has ten answers or more."""
    count, hits, mass = row.calibration
    met = count >= FEWEST_IMAGES
    sure, right = mass[met] / count[met], hits[met] / count[met]
    return list(zip(sure.tolist(), right.tolist(), strict=True))
