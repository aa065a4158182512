"""Condition: what the faces of a training or a test are like."""

from __future__ import annotations

from typing import NamedTuple

from lrfer_bench.contract.protocol import HR


class Condition(NamedTuple):
    """A protocol and the scales that it is used at.

    protocol: the id of a degradation, such as "bicubic@1"; "hr" where no face is degraded
    scales:   down-sampling factors; (1,) is HR, () is the condition of what trains nothing
    """

    protocol: str
    scales: tuple[int, ...]

    @property
    def is_hr(self) -> bool:
        """True where faces are HR images and nothing else."""
        return self.scales == (1,)

    @property
    def scale(self) -> int:
        """The scale of a condition that has one only, as every test has."""
        (scale,) = self.scales
        return scale

    @property
    def label(self) -> str:
        """As messages write it: "bicubic@1 x4", "bicubic@1 x2,4,8", "HR"."""
        if self.protocol == HR:
            return "HR"
        return f"{self.protocol} x{','.join(map(str, self.scales))}"
