"""SR-FER: super-resolver and classifier as one cascade, trained for recognition.

The restored face should be recognised, not just sharp.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from lrfer_bench.api import (
    Batch,
    ClassifierNet,
    LogUniform,
    Method,
    Task,
    UserError,
    default_optimizers,
    losses,
    register_method,
)
from lrfer_bench.methods.stages import classifier_of, try_maps
from lrfer_bench.methods.superres import superres_of


@register_method("srfer")
class SRFER(Method):
    """The cascade's two networks trained on, with four losses.

    They are L1, attention consistency, prediction consistency and cross-entropy.

    pixel, attention, prediction, ce: the weights of the four terms (0 leaves one out)
    finetune: train the classifier as well, a copy of it; false leaves it frozen, so that it only
              hands gradients on
    """

    needs = {"superres": "superres@lr", "classifier": "classifier@hr"}
    search = {
        "pixel": LogUniform(0.1, 10.0),
        "attention": LogUniform(0.03, 30.0),
        "prediction": LogUniform(0.03, 30.0),
    }

    @classmethod
    def notes_for(cls, settings: Mapping[str, Any], task: Task) -> list[str]:
        """UserError where the classifier to train on hands out no maps."""
        try_maps(task)
        return []

    def __init__(
        self,
        task: Task,
        *,
        pixel: float = 1.0,
        attention: float = 1.0,
        prediction: float = 1.0,
        ce: float = 1.0,
        finetune: bool = True,
    ) -> None:
        super().__init__(task)
        if not (pixel or attention or prediction or ce):
            raise UserError(
                "srfer has no loss with pixel, attention, prediction and ce at 0: give one a weight"
            )
        self.pixel, self.attention, self.prediction, self.ce = pixel, attention, prediction, ce
        self.restore = copy.deepcopy(superres_of(task.stages).net).requires_grad_(True)
        self.tuned = (
            copy.deepcopy(classifier_of(task.stages).net).requires_grad_(True) if finetune else None
        )

    @property
    def classifier(self) -> ClassifierNet:
        """What recognises the restored face: the frozen stage, or the copy that is trained."""
        return classifier_of(self.stages).net if self.tuned is None else self.tuned

    def forward(self, lr: Tensor) -> Tensor:
        return self.classifier(self.restore(lr, self.task.size))

    def restored(self, lr: Tensor) -> Tensor:
        return self.restore(lr, self.task.size)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Terms of weight 0 are left out."""
        original = self.unit(batch.hr)
        restored = self.restore(batch.lr, self.task.size)
        maps = self.classifier.maps(restored)
        logits = self.classifier.head(maps[-1])
        terms = {}
        if self.pixel:
            terms["pixel"] = self.pixel * F.l1_loss(restored, original)
        if self.attention or self.prediction:
            terms |= self.consistency(maps, logits, original)
        if self.ce:
            terms["ce"] = self.ce * self.cross_entropy(logits, batch)
        return terms

    def consistency(
        self, maps: list[Tensor], logits: Tensor, original: Tensor
    ) -> dict[str, Tensor]:
        """What the classifier sees and says, against the frozen one on the original face."""
        with torch.no_grad():
            frozen = classifier_of(self.stages).net
            reference = frozen.maps(original)
            expected = frozen.head(reference[-1])
        terms = {}
        if self.attention:
            terms["attention"] = self.attention * losses.attention_transfer(maps, reference)
        if self.prediction:
            terms["prediction"] = self.prediction * losses.prediction_consistency(logits, expected)
        return terms

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """Both networks start trained, so both move slower than they did when they were new."""
        rate = 2.5e-4 if self.task.preset.large else 5e-4
        optimizers: dict[str, torch.optim.Optimizer] = {
            "restore": torch.optim.Adam(self.restore.parameters(), lr=rate)
        }
        if self.tuned is not None:
            for name, optimizer in default_optimizers(self.tuned, self.task.preset).items():
                for group in optimizer.param_groups:
                    group["lr"] *= 0.1
                # so checkpoints name it
                optimizers["classifier" if name == "main" else name] = optimizer
        return optimizers
