"""How a metric's column looks in a table; no imports but the standard library's."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

Better = Literal["higher", "lower"]
Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Shown:
    """head: the column's head ("" is the metric's name); better: which numbers are good ones.

    percent: the numbers are shares of 1 and are shown as percent, as accuracy is.
    bounds: the least and the largest number possible, default 0 and 1 with percent, else none: an
    interval ends there.
    """

    head: str = ""
    better: Better = "higher"
    percent: bool = False
    bounds: tuple[float, float] | None = None

    @property
    def limits(self) -> tuple[float, float]:
        """bounds, with its defaults."""
        return self.bounds or ((0.0, 1.0) if self.percent else (-math.inf, math.inf))


def shown(
    head: str = "",
    better: Better = "higher",
    percent: bool = False,
    bounds: tuple[float, float] | None = None,
) -> Callable[[Function], Function]:
    """Function decorator: say how the column of a metric looks; the function stays as it is."""

    def decorate(function: Function) -> Function:
        function.shown = Shown(head, better, percent, bounds)  # type: ignore[attr-defined]
        return function

    return decorate


def shown_of(function: Any) -> Shown:
    """What a metric's function was decorated with; the defaults where it was not."""
    found = getattr(function, "shown", None)
    return found if isinstance(found, Shown) else Shown()


def first_line(function: Any) -> str:
    """The first line of its docstring, "" where it has none."""
    text = getattr(function, "__doc__", None)
    return text.strip().split("\n", 1)[0] if isinstance(text, str) and text.strip() else ""
