"""Areas, and the smallest size that is good enough, by hand."""

import math

import numpy as np
import pytest

from lrfer_bench.scoring.resolution import area_weights, smallest_size, smallest_with_interval


def test_area_by_hand():
    # 24, 12, 6 px: two octaves; trapezoids (0.7 + 0.5) / 2 and (0.5 + 0.4) / 2, over two
    area = area_weights([24, 12, 6]) @ [0.7, 0.5, 0.4]
    assert area == pytest.approx(((0.7 + 0.5) / 2 + (0.5 + 0.4) / 2) / 2)


def test_area_of_unequal_steps_and_any_order():
    # 6 to 24 is two octaves, 24 to 48 one: (0.4 + 0.6) / 2 * 2 + (0.6 + 0.8) / 2, over three
    assert area_weights([24, 48, 6]) @ [0.6, 0.8, 0.4] == pytest.approx((1.0 + 0.7) / 3)


def test_perfect_is_one_and_agrees_with_numpy():
    sizes = [5, 7, 12, 16, 24]
    accuracy = np.random.default_rng(0).random(5)
    assert area_weights(sizes).sum() == pytest.approx(1.0)
    x = np.log2(sizes)
    trapezoid = ((accuracy[1:] + accuracy[:-1]) / 2 * np.diff(x)).sum() / (x[-1] - x[0])
    assert area_weights(sizes) @ accuracy == pytest.approx(trapezoid)


@pytest.mark.parametrize("sizes", [[24], [], [24, 24]])
def test_area_needs_two_sizes(sizes):
    with pytest.raises(ValueError, match="two different sizes"):
        area_weights(sizes)


def test_smallest_size_by_hand():
    # between 12 px (0.5) and 24 px (0.7) the curve meets 0.6 half an octave up: 12 * sqrt(2)
    assert smallest_size([24, 12, 6], [0.7, 0.5, 0.4], 0.6)[0] == pytest.approx(12 * math.sqrt(2))


def test_smallest_size_has_open_ends():
    assert smallest_size([24, 12], [0.7, 0.5], 0.8)[0] == math.inf
    assert smallest_size([24, 12], [0.7, 0.5], 0.5)[0] == 0.0
    assert smallest_size([24], [0.7], 0.6)[0] == 0.0


def test_a_curve_that_dips_and_recovers_is_followed_to_the_first_dip():
    # at 12 px it falls below, so that being good again at 6 px does not count
    assert smallest_size([24, 12, 6], [0.7, 0.5, 0.7], 0.6)[0] == pytest.approx(12 * math.sqrt(2))


def test_many_curves_at_once():
    found = smallest_size([12, 24], [[0.5, 0.7], [0.7, 0.7], [0.1, 0.2]], [0.6, 0.6, 0.6])
    assert found.tolist() == pytest.approx([12 * math.sqrt(2), 0.0, math.inf])


def test_interval_comes_from_joint_draws():
    draws = np.array([[0.7, 0.5], [0.7, 0.52], [0.7, 0.48]])
    found = smallest_with_interval([24, 12], [0.7, 0.5], draws, 0.6 / 0.9, np.full(3, 0.6 / 0.9))
    ends = sorted(smallest_size([24, 12], draws, 0.6))
    assert (found.low, found.value, found.high) == pytest.approx(
        (ends[0], 12 * math.sqrt(2), ends[-1])
    )
    empty = smallest_with_interval([24, 12], [0.7, 0.5], np.empty((0, 2)), 0.7, np.empty(0))
    assert math.isnan(empty.low)
