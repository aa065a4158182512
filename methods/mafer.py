"""MAFER: first all sizes mixed, then the one size that counts, at a low rate."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from lrfer_bench.api import (
    Batch,
    LogUniform,
    Method,
    Need,
    Task,
    UserError,
    default_optimizers,
    register_method,
)
from lrfer_bench.methods.stages import Classifier


@register_method("mafer")
class MAFER(Method):
    """The classifier of `multires`, trained on at the scale of the cell.

    smallest: the first training has HR and the scales 2, 4, ... up to this power of two
    rate:     share of the preset's peak rates in the second training
    """

    search = {"rate": LogUniform(0.01, 1.0)}

    @classmethod
    def needs_for(cls, settings: Mapping[str, Any], hr: bool) -> dict[str, Need]:
        return {"multires": Need("multires", "lr", scales=powers(settings["smallest"]))}

    def __init__(self, task: Task, *, smallest: int = 8, rate: float = 0.1) -> None:
        super().__init__(task)
        self.rate = rate
        stage = task.stages["multires"]
        assert isinstance(stage, Classifier)
        self.net = copy.deepcopy(stage.net).requires_grad_(True)

    def forward(self, lr: Tensor) -> Tensor:
        return self.net(self.enlarge(lr))

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        return {"ce": self.cross_entropy(self.net(self.enlarged(batch)), batch)}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        optimizers = default_optimizers(self, self.task.preset)
        for optimizer in optimizers.values():
            for group in optimizer.param_groups:
                group["lr"] *= self.rate
        return optimizers


def powers(smallest: Any) -> tuple[int, ...]:
    """(1, 2, 4, ..., smallest); UserError for anything but a power of two above 1."""
    if type(smallest) is not int or smallest < 2 or smallest & (smallest - 1):
        raise UserError(f"mafer.smallest is {smallest}: it takes 2, 4, 8, ...")
    return tuple(2**power for power in range(smallest.bit_length()))
