"""Numbers with the digits that their interval deserves."""

import math

import pytest

from lrfer_bench.reporting import numbers
from lrfer_bench.scoring.bootstrap import Estimate
from lrfer_bench.scoring.resolution import SmallestSize

NAN = math.nan


@pytest.mark.parametrize(
    ("value", "low", "high", "text", "interval"),
    [
        (0.6187, 0.6031, 0.6342, "61.9", "[60.3, 63.4]"),
        (0.6187, 0.618, 0.6194, "61.87", "[61.80, 61.94]"),
        (0.6187, 0.40, 0.83, "62", "[40, 83]"),
        (0.6187, NAN, NAN, "61.9", ""),
        (1.0, 0.93, 1.0, "100.0", "[93.0, 100.0]"),
    ],
)
def test_percent_and_bounds(value, low, high, text, interval):
    estimate = Estimate(value, low, high, 1, 100)
    assert (numbers.percent(estimate), numbers.bounds(estimate)) == (text, interval)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (690_000, "690 k"),
        (20_400_000, "20.4 M"),
        (1.824e9, "1.82 G"),
        (12, "12"),
        (999_950, "1.00 M"),
        (None, "–"),
    ],
)
def test_counts(value, text):
    assert numbers.count(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(40, "40 s"), (100, "2 min"), (1080, "18 min"), (11_520, "3.2 h"), (None, "–")],
)
def test_durations(seconds, text):
    assert numbers.duration(seconds) == text


@pytest.mark.parametrize(
    ("p", "text"), [(0.0321, "0.032"), (1e-9, "< 0.001"), (NAN, "–"), (1.0, "1.000")]
)
def test_p_values(p, text):
    assert numbers.p_text(p) == text


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (SmallestSize(18.62, 17.3, 20.04), "18.6 [17.3, 20.0]"),
        (SmallestSize(math.inf, 22.0, math.inf), "> 24 [22.0, > 24]"),
        (SmallestSize(0.0, 0.0, 7.0), "≤ 6 [≤ 6, 7.0]"),
        (SmallestSize(math.inf, math.inf, math.inf), "> 24"),
        (SmallestSize(18.62, NAN, NAN), "18.6"),
        (None, "–"),
    ],
)
def test_smallest_sizes(found, text):
    assert numbers.smallest_text(found, [24, 12, 6]) == text
