"""The super-resolver that cascade and srfer share: an EDSR baseline, one model a scale."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from lrfer_bench.api import Batch, Method, Task, UserError, register_method, superres
from lrfer_bench.methods.started import Started

WIDTHS = {"tiny": 8, "small": 24, "large": 64}
MOST_BLOCKS = {"tiny": 4, "small": 16, "large": 16}
"""Channels, and the most residual blocks, by a preset's compute."""


@register_method("superres")
class SuperRes(Started):
    """From an LR face to an HR one, trained for small pixel error (L1).

    width: channels; 0 takes 24 (64 with a GPU's preset, 8 with a preset of minutes).
    blocks: residual blocks; 0 takes 16 with a GPU's preset, else as many as give each scale about
        the same cost (at most 16, or 4 with a preset of minutes).
    weights: start from this file, of the same width and blocks
    """

    answers = "images"

    def __init__(self, task: Task, *, width: int = 0, blocks: int = 0, weights: str = "") -> None:
        super().__init__(task)
        if len(task.scales) != 1:
            raise UserError(
                f"superres trains one scale a model, not {task.scales}: "
                "a method that needs it must do so too"
            )
        scale, compute = task.scales[0], task.preset.compute
        most = MOST_BLOCKS[compute]
        blocks = blocks or (most if task.preset.large else min(max(scale**2 // 2, 2), most))
        width = width or WIDTHS[compute]
        self.net = superres.EDSR(task.channels, scale, width, blocks)
        self.start(self.net, weights)

    def forward(self, lr: Tensor) -> Tensor:
        """Not logits but the HR face: float [B, C, H, W] in 0..1."""
        return self.net(lr, self.task.size).clamp(0.0, 1.0)

    def restored(self, lr: Tensor) -> Tensor:
        return self(lr)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        return {"pixel": F.l1_loss(self.net(batch.lr, self.task.size), self.unit(batch.hr))}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        rate = 5e-4 if self.task.preset.large else 2e-3
        return {"main": torch.optim.Adam(self.parameters(), lr=rate)}

    def score(self, batch: Batch) -> Tensor:
        """PSNR in dB of each face."""
        return superres.psnr(self(batch.lr), self.unit(batch.hr))


def superres_of(stages: Mapping[str, Method]) -> SuperRes:
    """The stage named "superres", with its type."""
    stage = stages["superres"]
    assert isinstance(stage, SuperRes)
    return stage
