"""FitNets: the feature maps of the HR classifier as hints; or its attention maps (AT)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from lrfer_bench.api import (
    Batch,
    Choice,
    LogUniform,
    Need,
    Task,
    UserError,
    losses,
    register_method,
)
from lrfer_bench.methods.students import HintLayers, Student

WEIGHTS = {"fitnet": 1.5, "at": 1000.0}
"""What kd_weight=1 stands for: the weights of F-SKD's authors, who compare with both."""


@register_method("fitnet")
class FitNet(Student):
    """A student that learns labels, and the maps that the HR classifier makes of the same faces.

    kd_weight: times the variant's own weight; 0 trains without a teacher
    variant:   "fitnet": the maps themselves, the student's through hint layers;
               "at": the mean squares over channels
    weights:   start the student from this file, all but the head
    """

    compares_maps = True
    search = {"kd_weight": LogUniform(0.03, 10.0), "variant": Choice(*WEIGHTS)}

    @classmethod
    def needs_for(cls, settings: Mapping[str, Any], hr: bool) -> dict[str, Need]:
        return {"classifier": Need("classifier", "hr")} if settings["kd_weight"] else {}

    def __init__(
        self, task: Task, *, kd_weight: float = 1.0, variant: str = "fitnet", weights: str = ""
    ) -> None:
        super().__init__(task, weights)
        if variant not in WEIGHTS:
            raise UserError(f'fitnet.variant is "{variant}": it takes one of {", ".join(WEIGHTS)}')
        self.weight = kd_weight * WEIGHTS[variant]
        self.hint = HintLayers(self) if variant == "fitnet" and task.stages else None

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        if not self.stages:
            return self.plain_losses(batch)
        low, high = self.seen(batch)
        if self.hint is None:
            error = losses.attention_error(low, high)
        else:
            error = losses.hint_error(self.hint(low), high)
        return {
            "ce": self.cross_entropy(self.net.head(low[-1]), batch),
            "hint": self.weight * error,
        }
