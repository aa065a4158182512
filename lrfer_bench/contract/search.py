"""Search spaces: what may be tried for a setting when a method is tuned. Standard library only.

A method says so beside its settings:

    search = {"kd_weight": LogUniform(0.3, 30.0), "variant": Choice("kd", "dkd")}
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from lrfer_bench.contract.toml import toml_value


@dataclass(frozen=True)
class LogUniform:
    """Any number from low to high, uniform in its logarithm: for weights and rates."""

    low: float
    high: float

    def fault(self, default: Any) -> str:
        """What is wrong with this space for a setting with that default, or ""."""
        bounds = (self.low, self.high)
        numbers = all(type(bound) in (int, float) and math.isfinite(bound) for bound in bounds)
        if not numbers or not 0 < self.low < self.high:
            return f"goes from {self.low!r} to {self.high!r}: write two numbers with 0 < low < high"
        if type(default) is not float:
            return f"draws a float, but the setting's default is {default!r}: write a Choice"
        return ""


@dataclass(frozen=True, init=False)
class Choice:
    """One of the options; each has the type of the setting's default."""

    options: tuple[Any, ...]

    def __init__(self, *options: Any) -> None:
        object.__setattr__(self, "options", options)

    def fault(self, default: Any) -> str:
        """What is wrong with this space for a setting with that default, or ""."""
        if not self.options:
            return "has no option: write at least one"
        for option in self.options:
            whole = type(option) is int and type(default) is float
            if default is not None and type(option) is not type(default) and not whole:
                return (
                    f"has the option {option!r}, but the setting's default is {default!r}: "
                    "write options of the default's type"
                )
            try:
                toml_value("none" if option is None else option)
            except TypeError as error:
                return f"has the option {option!r}, which no settings file can hold: {error}"
        return ""


Space = LogUniform | Choice
