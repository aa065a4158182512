"""How well two colours are told apart: the contrast of WCAG 2.1."""

from __future__ import annotations

from collections.abc import Sequence


def ratio(one: Sequence[int], other: Sequence[int]) -> float:
    """Of two colours as red, green and blue in 0..255: 1 (equal) to 21 (black on white)."""
    low, high = sorted((_light(one), _light(other)))
    return (high + 0.05) / (low + 0.05)


def rgb(colour: str) -> list[int]:
    """
    >>> rgb("#0B62B0")
    [11, 98, 176]
    """
    return [int(colour[k : k + 2], 16) for k in (1, 3, 5)]


def _light(colour: Sequence[int]) -> float:
    parts = [part / 255 for part in colour]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
