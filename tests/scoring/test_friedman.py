"""Over data sets: Demšar's own example, the formula written out, and the edges."""

import numpy as np
import pytest
from scipy import stats

from lrfer_bench.scoring.friedman import comparable, critical_difference, friedman

DEMSAR = [
    [4, 3, 2, 1],
    [1, 2, 3, 4],
    [4, 1, 2, 3],
    [4, 1, 3, 2],
    [4, 2, 3, 1],
    [1, 2.5, 4, 2.5],
    [3, 2, 4, 1],
    [2.5, 2.5, 4, 1],
    [4, 3, 2, 1],
    [2.5, 2.5, 2.5, 2.5],
    [4, 2.5, 1, 2.5],
    [3, 2, 4, 1],
    [4, 1, 2, 3],
    [3, 1, 4, 2],
]
"""The ranks of table 6 of Demšar (2006): four variants of C4.5 on 14 data sets."""


def test_demsars_example():
    found = friedman(-np.array(DEMSAR))
    assert found.ranks == pytest.approx((3.143, 2.000, 2.893, 1.964), abs=5e-4)
    ties = (6 + 6 + 60 + 6) / (
        14 * 4 * (4**2 - 1)
    )  # sum of t^3 - t; the paper's 9.28 is without this correction
    assert found.chi2 * (1 - ties) == pytest.approx(9.28, abs=5e-3)
    assert found.difference == pytest.approx(
        2.569 * np.sqrt(4 * 5 / (6 * 14)), abs=1e-3
    )  # 1.25 in the paper
    assert found.p < 0.05
    assert found.groups == [
        (3, 1, 2, 0)
    ]  # 3.143 - 1.964 < 1.25: Nemenyi's test is too weak here, as the paper says


@pytest.mark.parametrize("methods", [3, 4, 8])
def test_by_the_formula(methods):
    """Friedman (1937) with ties: the spread of the mean ranks over that within data sets."""
    rng = np.random.default_rng(methods)
    scores = rng.integers(0, 6, (7, methods)) / 5  # with ties
    found = friedman(scores)
    ranks = stats.rankdata(-scores, axis=1)
    middle = (methods + 1) / 2
    within = ((ranks - middle) ** 2).sum() / (methods - 1)
    chi2 = 7**2 * ((ranks.mean(axis=0) - middle) ** 2).sum() / within
    assert found.ranks == pytest.approx(ranks.mean(axis=0))
    assert found.chi2 == pytest.approx(chi2)
    f = 6 * chi2 / (7 * (methods - 1) - chi2)
    assert found.p == pytest.approx(1 - stats.f.cdf(f, methods - 1, 6 * (methods - 1)))


def test_the_published_critical_values():
    """Table 5a of Demšar: q at 5 % for 2 to 10 methods."""
    published = {
        2: 1.960,
        3: 2.343,
        4: 2.569,
        5: 2.728,
        6: 2.850,
        7: 2.949,
        8: 3.031,
        9: 3.102,
        10: 3.164,
    }
    for methods, q in published.items():
        assert critical_difference(10, methods) / np.sqrt(
            methods * (methods + 1) / 60
        ) == pytest.approx(q, abs=1.1e-3)


def test_groups_by_hand():
    """Always the same order on ten data sets; critical difference 2.728 sqrt(1 / 2) = 1.93."""
    found = friedman(np.tile([0.1, 0.5, 0.3, 0.2, 0.4], (10, 1)))
    assert found.ranks == (5, 1, 3, 4, 2) and found.chi2 == pytest.approx(40) and found.p == 0
    assert found.groups == [(1, 4), (4, 2), (2, 3), (3, 0)]
    assert friedman(np.tile([0.1, 0.5, 0.9], (10, 1))).groups == [(2, 1), (1, 0)]
    assert friedman(np.tile([0.1, 0.5, 0.9], (12, 1))).groups == []


def test_no_difference_is_one_group():
    found = friedman(np.ones((5, 4)))
    assert (found.chi2, found.p, found.ranks) == (0, 1, (2.5,) * 4)
    assert len(found.groups) == 1 and set(found.groups[0]) == {0, 1, 2, 3}


def test_false_alarms_on_equal_methods():
    rng = np.random.default_rng(1)
    alarms = np.mean([friedman(rng.normal(size=(6, 4))).p < 0.05 for _ in range(600)])
    assert alarms < 0.075


def test_too_little_is_refused():
    for scores in (np.ones((4, 3)), np.ones((5, 2)), np.full((5, 3), np.nan)):
        with pytest.raises(ValueError, match="give 5 data sets and 3 methods or more"):
            friedman(scores)
    assert (
        comparable("abcde", "xyz")
        and not comparable("abcda", "xyz")
        and not comparable("abcde", "xy")
    )
