"""The interval of one model's accuracy from the share of right answers and the number of faces."""

from __future__ import annotations

from scipy import stats

from lrfer_bench.scoring.bootstrap import LEVEL


def share_interval(share: float, n: int) -> tuple[float, float]:
    """The 95 % interval of a share of n test images, by the percentile bootstrap over images.

    The number of right answers in a resample is binomial, so its quantiles need no draw: this is
    what infinitely many resamples give. It covers the choice of test images, not that of the
    training (docs/statistics.md).

    >>> [round(end, 3) for end in share_interval(0.5, 100)]
    [0.4, 0.6]
    """
    ends = stats.binom.ppf([(1 - LEVEL) / 2, (1 + LEVEL) / 2], n, share) / n
    return float(ends[0]), float(ends[1])
