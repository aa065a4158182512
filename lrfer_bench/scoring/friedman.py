"""Several methods over several data sets (Demšar, 2006): average ranks and their tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from lrfer_bench.scoring.paired import PLACES, SIGNIFICANT

LEAST_DATASETS = 5
LEAST_METHODS = 3


@dataclass(frozen=True)
class Friedman:
    """ranks: average rank of each method over the data sets, 1 is the best; datasets: how many.

    chi2: Friedman's (1937) statistic, corrected for ties; p: of Iman and Davenport's (1980) F
    made of it, which is less conservative; difference: average ranks that are further apart than
    this differ at 5 % (Nemenyi, 1963).
    """

    ranks: tuple[float, ...]
    datasets: int
    chi2: float
    p: float
    difference: float

    @property
    def groups(self) -> list[tuple[int, ...]]:
        """Largest sets of methods that are within the critical difference, best first.

        Where Friedman's test finds no difference among all, all of them are one group. A method
        that is told apart from every other is in none.
        """
        order = [int(k) for k in np.argsort(self.ranks, kind="stable")]
        if not self.p < SIGNIFICANT:
            return [tuple(order)]
        found: list[tuple[int, ...]] = []
        for start, best in enumerate(order):
            limit = self.ranks[best] + self.difference
            near = [k for k in order[start:] if self.ranks[k] <= limit]
            if len(near) > 1 and not (found and set(near) <= set(found[-1])):
                found.append(tuple(near))
        return found


def friedman(scores: ArrayLike) -> Friedman:
    """Ranks and tests of scores, float [data sets, methods], higher is better.

    Give one number a data set, never one for each of its resolutions: those are not independent.

    Equal scores share the mean of their ranks. ValueError for fewer than 5 data sets or 3
    methods, or a score that is NaN.
    """
    table = np.asarray(scores, dtype=np.float64)
    datasets, methods = table.shape
    if datasets < LEAST_DATASETS or methods < LEAST_METHODS or np.isnan(table).any():
        raise ValueError(
            f"scores are [{datasets}, {methods}]: give 5 data sets and 3 methods or more, "
            "all finished"
        )
    mean = stats.rankdata(-np.round(table, PLACES), axis=1).mean(axis=0)
    # Where every data set has all methods equal, scipy divides 0 by 0.
    alike = (table == table[:, :1]).all()
    chi2 = 0.0 if alike else float(stats.friedmanchisquare(*table.T).statistic)
    return Friedman(
        tuple(mean.tolist()),
        datasets,
        chi2,
        _p(chi2, datasets, methods),
        critical_difference(datasets, methods),
    )


def critical_difference(datasets: int, methods: int) -> float:
    """q sqrt(k (k + 1) / 6 N), q: 5 % point of the studentized range over sqrt 2 (Demšar, 2006)."""
    q = float(stats.studentized_range.ppf(1 - SIGNIFICANT, methods, np.inf)) / np.sqrt(2)
    return float(q * np.sqrt(methods * (methods + 1) / (6 * datasets)))


def _p(chi2: float, datasets: int, methods: int) -> float:
    """Of F = (N - 1) chi2 / (N (k - 1) - chi2), with k - 1 and (k - 1)(N - 1) degrees of freedom.

    0 where all data sets agree.
    """
    rest = datasets * (methods - 1) - chi2
    if rest <= 1e-9:
        return 0.0
    freedom = methods - 1, (methods - 1) * (datasets - 1)
    return float(stats.f.sf((datasets - 1) * chi2 / rest, *freedom))


def comparable(datasets: Sequence[str], methods: Sequence[str]) -> bool:
    """Whether there is enough for a test over data sets: five that differ, and three methods."""
    return len(set(datasets)) >= LEAST_DATASETS and len(methods) >= LEAST_METHODS
