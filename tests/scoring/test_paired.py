"""Paired tests: exact values, families, ties, and how often they cry wolf."""

import math

import numpy as np
import pytest
from scipy import special, stats

from lrfer_bench.scoring.bootstrap import Resampler
from lrfer_bench.scoring.paired import compare, holm, mcnemar, paired, ranks


@pytest.mark.parametrize(("a", "b"), [(0, 0), (1, 0), (5, 5), (12, 2), (3, 20), (200, 260)])
def test_mcnemar_is_the_exact_binomial_test(a, b):
    expected = stats.binomtest(a, a + b, 0.5).pvalue if a + b else 1.0
    assert mcnemar(a, b) == pytest.approx(expected)


def test_mcnemar_by_hand():
    # six images on which only A is right, none on which only B is: 2 / 2**6
    assert mcnemar(6, 0) == pytest.approx(2 / 64)


def test_holm_by_hand():
    # sorted 0.01, 0.02, 0.04 times 3, 2, 1: 0.03, 0.04, 0.04
    assert holm([0.04, 0.01, 0.02]).tolist() == pytest.approx([0.04, 0.03, 0.04])
    assert holm([0.6, 0.7]).tolist() == [1.0, 1.0]
    assert holm([]).tolist() == []


def test_holm_leaves_untested_pairs_out_of_the_family():
    found = holm([0.02, float("nan"), 0.03])
    assert found[[0, 2]].tolist() == pytest.approx([0.04, 0.04])
    assert math.isnan(found[1])


def test_one_seed_is_mcnemar():
    a = np.array([[1] * 8 + [0] * 2])
    b = np.array([[1] * 2 + [0] * 7 + [1]])
    found = compare(a, b, Resampler(10, 500), [0])
    assert (found.test, found.seeds) == ("McNemar, exact", 1)
    assert found.p == pytest.approx(stats.binomtest(1, 7, 0.5).pvalue)
    assert found.value == pytest.approx(0.5)
    assert found.low < 0.5 < found.high


def test_equal_methods_have_no_difference():
    a = np.random.default_rng(0).random((3, 50)) < 0.5
    gap, p, test = paired(a, a)
    assert (gap.value, p, test) == (0.0, 1.0, "paired bootstrap")


def test_a_difference_that_is_the_same_everywhere_is_certain():
    assert paired(np.ones((2, 30)), np.zeros((2, 30)))[1] == 0.0


def test_without_image_effects_the_test_is_students_paired_test():
    # very many images, so that only the three seeds vary: p of a t test of their differences
    rng = np.random.default_rng(3)
    accuracies = np.array([[0.62, 0.60, 0.63], [0.58, 0.59, 0.57]])
    a, b = (
        np.stack([rng.permutation(np.arange(1_000_000) / 1e6 < p) for p in row])
        for row in accuracies
    )
    expected = stats.ttest_rel(*accuracies).pvalue
    assert paired(a, b)[1] == pytest.approx(expected, rel=0.03)


def test_shapes_have_to_agree():
    with pytest.raises(ValueError, match="same seeds and images"):
        paired(np.ones((2, 3)), np.ones((1, 3)))


def test_ties_share_a_rank_and_the_next_group_is_ranked_among_itself():
    p = {frozenset(pair): value for pair, value in [
        ((0, 1), 0.5), ((0, 2), 0.001), ((0, 3), 0.001), ((2, 3), 0.02)]}  # fmt: skip
    found = ranks(
        [0.9, 0.89, 0.7, 0.6], lambda best, others: [p[frozenset((best, k))] for k in others]
    )
    assert found == [1, 1, 3, 4]


def test_holm_decides_ties_over_the_whole_family():
    # raw 0.03 against each of two others: corrected 0.06, so all three tie
    assert ranks([0.9, 0.8, 0.7], lambda best, others: [0.03] * len(others)) == [1, 1, 1]
    assert ranks([0.9, 0.8], lambda best, others: [0.03]) == [1, 2]


def test_untested_methods_share_the_rank_since_nothing_tells_them_apart():
    assert ranks([0.2, 0.9], lambda best, others: [float("nan")]) == [1, 1]
    assert ranks([], lambda best, others: []) == []


@pytest.mark.parametrize(("seeds", "shift"), [(1, 0.0), (2, 0.04), (3, 0.0), (3, 0.05), (5, 0.05)])
def test_false_positive_rate(seeds, shift):
    """Two methods of equal skill differ "significantly" in at most 5 % of 600 simulated worlds."""
    rng = np.random.default_rng(23)
    false = 0
    for _ in range(600):
        hard = rng.normal(0, 1.5, 600)
        a, b = (
            rng.random((seeds, 600)) < special.expit(0.4 + hard + rng.normal(0, shift, (seeds, 1)))
            for _ in "ab"
        )
        false += paired(a, b)[1] < 0.05
    assert false / 600 <= 0.05


def test_a_real_difference_is_found():
    rng = np.random.default_rng(29)
    found = 0
    for _ in range(100):
        hard = rng.normal(0, 1.5, 3000)
        a, b = (
            rng.random((3, 3000)) < special.expit(s + hard + rng.normal(0, 0.02, (3, 1)))
            for s in (0.4, 0.65)
        )
        found += paired(a, b)[1] < 0.05
    assert found >= 80


def test_a_few_images_that_all_differ_alike_prove_nothing():
    few, many = np.ones((1, 3)), np.ones((1, 400))
    assert paired(few, few / 2)[1] == 1 and paired(many, many / 2)[1] == 0
