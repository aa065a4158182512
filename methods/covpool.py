"""The covpool stage: CovPoolNet, trained on HR faces, as FSR-FER's frozen extractor and judge."""

from __future__ import annotations

import torch
from torch import Tensor

from lrfer_bench.api import Batch, Task, covpool, register_method
from lrfer_bench.methods.started import Started

HEAD = ("neck", "logits")
"""Parts of CovPoolNet that are as wide as there are classes."""


@register_method("covpool")
class CovPool(Started):
    """CovPoolNet with cross-entropy.

    hidden: width of the first linear layer; 0 takes the code's 2000 (256 without a GPU's preset).
    weights: start from this file (.pth, .bin, .safetensors, ...), all but the head
    """

    def __init__(self, task: Task, *, hidden: int = 0, weights: str = "") -> None:
        super().__init__(task)
        hidden = hidden or (2000 if task.preset.large else 256)
        self.net = covpool.CovPoolNet(task.classes, task.channels, hidden)
        self.start(self.net, weights, HEAD)

    def forward(self, lr: Tensor) -> Tensor:
        return self.net(self.enlarge(lr))

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        logits = self.net(self.enlarged(batch))
        return {"ce": self.cross_entropy(logits, batch)}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        return {"main": torch.optim.Adam(self.parameters(), lr=1e-3, weight_decay=1e-5)}
