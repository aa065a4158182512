"""Numbers as text, with the digits that their interval deserves."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # --help imports this module, and numpy is slow to import
    from lrfer_bench.scoring.bootstrap import Estimate
    from lrfer_bench.scoring.resolution import SmallestSize

DASH = "–"


def digits(low: float, high: float) -> int:
    """Decimals that an interval of this width deserves: 0 if wider than 20, 2 below 0.2, else 1.

    >>> digits(60.3, 63.4), digits(61.74, 61.92), digits(49, 74)
    (1, 2, 0)
    """
    half = (high - low) / 2
    if math.isnan(half) or half <= 0:
        return 1
    return 0 if half >= 10 else 1 if half >= 0.1 else 2


def percent(estimate: Estimate) -> str:
    """A share as percent: 61.9"""
    return f"{100 * estimate.value:.{digits(100 * estimate.low, 100 * estimate.high)}f}"


def bounds(estimate: Estimate) -> str:
    """Its interval: [60.3, 63.4], or nothing when none is known."""
    if math.isnan(estimate.low):
        return ""
    places = digits(100 * estimate.low, 100 * estimate.high)
    return f"[{100 * estimate.low:.{places}f}, {100 * estimate.high:.{places}f}]"


def fraction(estimate: Estimate) -> tuple[str, str]:
    """A number in 0..1, and its interval: 0.563, [0.553, 0.573]."""
    places = 2 + digits(100 * estimate.low, 100 * estimate.high)
    if math.isnan(estimate.low):
        return f"{estimate.value:.{places}f}", ""
    return (
        f"{estimate.value:.{places}f}",
        f"[{estimate.low:.{places}f}, {estimate.high:.{places}f}]",
    )


def whole(value: float) -> str:
    """A share as percent without decimals, for a cell of a matrix: 7; a dash for NaN."""
    return DASH if math.isnan(value) else f"{100 * value:.0f}"


def points(value: float) -> str:
    """A difference of shares in points, with its sign: +3, −12, 0."""
    text = whole(value).lstrip("-")
    if text in (DASH, "0"):
        return text
    return f"−{text}" if value < 0 else f"+{text}"


def signed(value: float, places: int) -> str:
    """A difference of shares in points, with decimals: +1.0, -0.6; zero has a plus."""
    return f"{round(100 * value, places) + 0.0:+.{places}f}"


def deviation(value: float) -> str:
    """A standard deviation of shares, in points: 0.42."""
    return f"{100 * value:.2f}"


def share(value: float | None) -> str:
    """A mean of shares without an interval, as percent."""
    return DASH if value is None else f"{100 * value:.1f}"


def plain(value: float | None) -> str:
    """Any other number, with three decimals where it is small: 0.563, 12.3, 1234."""
    if value is None or math.isnan(value):
        return DASH
    return f"{value:.3f}" if abs(value) < 9.9995 else three(value)


def p_text(p: float) -> str:
    """A p value: 0.032, < 0.001, or a dash when nothing was tested.

    Next to the level of 5 % with a digit more, or without any, so that its side shows.

    >>> p_text(0.0498), p_text(0.05), p_text(0.050004)
    ('0.0498', '0.050', '> 0.05')
    """
    if math.isnan(p):
        return DASH
    if p < 0.001:
        return "< 0.001"
    if p == 0.05 or f"{p:.3f}" != "0.050":
        return f"{p:.3f}"
    if f"{p:.4f}" != "0.0500":
        return f"{p:.4f}"
    return "< 0.05" if p < 0.05 else "> 0.05"


def count(value: float | None) -> str:
    """A large number: 690 k, 20.4 M, 1.82 G."""
    if value is None:
        return DASH
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= 0.9995 * limit:
            return f"{three(value / limit)} {unit}"
    return f"{value:.0f}"


def three(value: float) -> str:
    """Three figures: 1.82, 20.4, 690."""
    if value >= 99.95:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"


def milliseconds(value: float | None) -> str:
    return DASH if value is None else f"{three(value)} ms"


def duration(seconds: float | None) -> str:
    """Seconds as 40 s, 18 min, 3.2 h."""
    if seconds is None:
        return DASH
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 99.5 * 60 else f"{seconds / 3600:.1f} h"


def pixels(size: float, largest: int, smallest: int) -> str:
    """A size in pixels; open ends as > 24 and ≤ 6."""
    if math.isinf(size):
        return f"> {largest}"
    return f"≤ {smallest}" if size == 0 else f"{size:.1f}"


def smallest_text(found: SmallestSize | None, sizes: list[int]) -> str:
    """The smallest good size with its interval: 18.6 [17.3, 20.0]."""
    if found is None or not sizes:
        return DASH
    largest, smallest = max(sizes), min(sizes)
    value = pixels(found.value, largest, smallest)
    if math.isnan(found.low) or found.low == found.high:
        return value
    return (
        f"{value} [{pixels(found.low, largest, smallest)}, {pixels(found.high, largest, smallest)}]"
    )
