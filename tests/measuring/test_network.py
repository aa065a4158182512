"""Equal networks are those that do the same work; seeds and weights do not count."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from small_models import fresh
from torch import Tensor

from lrfer_bench.contract.method import Method
from lrfer_bench.measuring.network import work_of


def face(side: int = 12) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (1, 1, side, side), dtype=torch.uint8, generator=generator)


def work(name: str, scale: int = 4, **more: Any) -> str:
    return work_of(fresh(name, scale, **more).eval(), face(48 // scale))


def test_seeds_and_students_are_the_same_network() -> None:
    assert work("direct") == work("direct", seed=1) == work("kd") != ""


@pytest.mark.parametrize("other", [("direct", 2), ("gmenet", 4), ("cascade", 4)])
def test_other_sizes_and_other_networks_are_not(other: tuple[str, int]) -> None:
    assert work(*other) not in ("", work("direct"))


class Own(Method):
    """A method whose forward is any function of float faces."""

    def __init__(self, task: Any, function: Any) -> None:
        super().__init__(task)
        self.function = function

    def forward(self, lr: Tensor) -> Tensor:
        return self.function(self.enlarge(lr).flatten(1)[:, :7])


def outside(by: str) -> Any:
    def function(x: Tensor) -> Tensor:
        if by == "numpy":
            return torch.from_numpy(x.numpy() * 2)
        if by == "list":
            return torch.tensor(x.tolist())
        return x if float(x.sum()) > 1 else x * 2

    return function


@pytest.mark.parametrize("by", ["numpy", "list", "value"])
def test_work_outside_torch_or_that_depends_on_values_equals_no_other(by: str) -> None:
    task = fresh("direct").task
    assert work_of(Own(task, outside(by)), face()) == ""
    assert work_of(Own(task, lambda x: x * 2), face()) != ""
