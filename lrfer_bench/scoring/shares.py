"""The interval of one model's accuracy from the share of right answers and the number of faces."""

from __future__ import annotations

import math

from scipy import special

from lrfer_bench.scoring.bootstrap import (
    FEWEST_IMAGES,
    LEVEL,
    clopper_pearson_at_edge,
    wilson,
)


def share_interval(share: float, n: int) -> tuple[float, float]:
    """The 95 % interval of a share of n test images, by the percentile bootstrap over images.

    The number of right answers in a resample is binomial, so its quantiles need no draw: this is
    what infinitely many resamples give. Of fewer than 30 images it is at least Wilson's interval,
    and a share of 0 or 1 has that of Clopper and Pearson, as in tables. It covers the choice of
    test images, not that of the training (docs/statistics.md).

    >>> [round(end, 3) for end in share_interval(0.5, 100)]
    [0.4, 0.6]
    """
    if share in (0.0, 1.0):
        return clopper_pearson_at_edge(share, n)
    low, high = (_right_answers(q, n, share) / n for q in ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    if n < FEWEST_IMAGES:
        least, most = wilson(share, n)
        return min(low, least), max(high, most)
    return low, high


def _right_answers(quantile: float, n: int, share: float) -> int:
    """A quantile of the binomial distribution: the least number with so much at or below it.

    By scipy.special, for scipy.stats takes a second to import.
    """
    found = max(math.ceil(special.bdtrik(quantile, n, share)), 0)
    return found - 1 if found and special.bdtr(found - 1, n, share) >= quantile else found
