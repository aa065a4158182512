"""Fewer than 30 test images: intervals and tests that say how little they tell."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest, ttest_1samp

from lrfer_bench.scoring.bootstrap import FEWEST_IMAGES, Resampler, intervals, quantity, wilson
from lrfer_bench.scoring.paired import compare, paired
from lrfer_bench.scoring.resolution import area_weights
from lrfer_bench.scoring.shares import share_interval

CASES = [(0, 4), (1, 1), (1, 7), (5, 10), (28, 29), (29, 29)]


def interval(right: np.ndarray) -> tuple[float, float]:
    found = quantity(right)
    draws = Resampler(found.images, 1000).draws([found])
    (estimate,) = intervals([found], draws)
    return estimate.low, estimate.high


@pytest.mark.parametrize(("right", "n"), CASES)
def test_wilsons_interval_is_scipys(right: int, n: int) -> None:
    wanted = binomtest(right, n).proportion_ci(method="wilson")
    assert wilson(right / n, n) == pytest.approx((wanted.low, wanted.high), abs=1e-12)


@pytest.mark.parametrize(("right", "n"), CASES)
def test_tables_and_frames_are_at_least_as_wide_as_wilsons(right: int, n: int) -> None:
    low, high = wilson(right / n, n)
    answers = (np.arange(n) < right).astype(np.float32)
    for found in (interval(answers), share_interval(right / n, n)):
        assert found[0] <= low and found[1] >= high and 0 <= found[0] <= found[1] <= 1
    if right in (0, n):
        exact = binomtest(right, n).proportion_ci(method="exact")
        for found in (interval(answers), share_interval(right / n, n)):
            assert found == pytest.approx((exact.low, exact.high))


def test_with_thirty_images_it_is_the_bootstraps() -> None:
    n = FEWEST_IMAGES
    low, high = share_interval(0.5, n)
    assert low * n == round(low * n) and high * n == round(high * n)
    assert share_interval(0.5, n - 1) != (low, high)


def test_a_paired_test_of_a_few_images_is_students() -> None:
    gaps = np.random.default_rng(0).normal(0.1, 1, (5, 12))
    for gap in gaps:
        found = paired(gap[None], np.zeros((1, 12)))[1]
        assert found == pytest.approx(ttest_1samp(gap, 0).pvalue, rel=1e-4)


def test_the_interval_of_a_difference_is_as_wide_as_its_test() -> None:
    gap = np.random.default_rng(1).normal(0, 1, 6)
    found = compare(gap[None], np.zeros((1, 6)), Resampler(6, 4000), [0])
    ends = ttest_1samp(gap, 0).confidence_interval()
    # of few images the bootstrap's variance is N, not N - 1, in its denominator
    assert found.high - found.low == pytest.approx((ends.high - ends.low) * (5 / 6) ** 0.5, rel=0.2)


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8, 12, 20])
def test_equal_methods_are_seldom_told_apart_over_several_scales(n: int) -> None:
    """Of images of unlike difficulty; one seed, and the area over three scales."""
    weights = area_weights([24, 12, 6]).astype(np.float32)
    rng, told = np.random.default_rng(n), 0
    for _ in range(600):
        skill = rng.uniform(0.2, 0.9, (n, 1))
        a, b = ((rng.random((n, 3)) < skill).astype(np.float32) @ weights for _ in range(2))
        p = paired(a[None], b[None])[1]
        assert p > 0
        told += p < 0.05
    assert told / 600 < 0.07  # 5 %, and two standard errors of 0.9 %
