"""KD: the answers of the HR classifier as soft targets (Hinton et al.), or decoupled (DKD)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
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
from lrfer_bench.methods.stages import classifier_of
from lrfer_bench.methods.students import Student

VARIANTS = ("kd", "dkd")
WARM_UP = 20 / 240
"""Share of the budget over which DKD's weight grows from 0: 20 of the 240 epochs of its code."""


@register_method("kd")
class KD(Student):
    """A student that learns labels, and what the HR classifier says of the same faces.

    kd_weight:   weight of the second part; 0 trains without a teacher
    temperature: how soft both answers are made
    variant:     "kd", or "dkd": the true class and the others apart, weighed by alpha and beta
    weights:     start the student from this file, all but the head
    """

    search = {"kd_weight": LogUniform(0.1, 10.0), "variant": Choice(*VARIANTS)}

    @classmethod
    def needs_for(cls, settings: Mapping[str, Any], hr: bool) -> dict[str, Need]:
        return {"classifier": Need("classifier", "hr")} if settings["kd_weight"] else {}

    def __init__(
        self,
        task: Task,
        *,
        kd_weight: float = 1.0,
        temperature: float = 4.0,
        variant: str = "kd",
        alpha: float = 1.0,
        beta: float = 8.0,
        weights: str = "",
    ) -> None:
        super().__init__(task, weights)
        if variant not in VARIANTS:
            raise UserError(f'kd.variant is "{variant}": it takes one of {", ".join(VARIANTS)}')
        if temperature <= 0:
            raise UserError(f"kd.temperature is {temperature:g}: it takes a number above 0")
        self.kd_weight, self.temperature, self.variant = kd_weight, temperature, variant
        self.weights = (alpha, beta)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        if not self.stages:
            return self.plain_losses(batch)
        logits = self.net(self.enlarged(batch))
        with torch.no_grad():
            wanted = classifier_of(self.stages).net(self.unit(batch.hr))
        if self.variant == "dkd":
            taught = losses.decoupled_distillation(
                logits, wanted, batch.label, self.temperature, self.weights
            )
            taught = taught * min(self.progress / WARM_UP, 1.0)
        else:
            taught = losses.distillation(logits, wanted, self.temperature)
        return {"ce": self.cross_entropy(logits, batch), "kd": self.kd_weight * taught}
