"""A-SKD: attention similarity distillation from an HR teacher to the same network on LR faces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from lrfer_bench.api import LogUniform, Need, Task, attention, lean, register_method
from lrfer_bench.methods.attention_distillation import AttentionDistilled


@register_method("askd")
class ASKD(AttentionDistilled):
    """A residual network with two gates in every block, whose maps follow the teacher's.

    The gates are over channels and over positions.

    kd_weight: the weight of 1 - cos for each of the two maps of each block; 0 trains without a
               teacher
    weights:   start from this file (.pth, .bin, .safetensors, ...), all but the head
    """

    # Its authors use 80 and 240 times the mean over maps: 13.3 and 40 with the 6 maps of lean2, 10
    # and 30 with lean's 8, 5 and 15 with the 16 of a GPU's preset.
    search = {"kd_weight": LogUniform(0.5, 50.0)}

    @classmethod
    def needs_for(cls, settings: Mapping[str, Any], hr: bool) -> dict[str, Need]:
        """The teacher has no weight of its own, so that every kd_weight has the same one."""
        if hr or not settings["kd_weight"]:
            return {}
        return {"teacher": Need("askd", "hr", {**settings, "kd_weight": 0.0})}

    def __init__(self, task: Task, *, kd_weight: float = 5.0, weights: str = "") -> None:
        super().__init__(task)
        self.kd_weight = kd_weight
        self.net = CBAMNet(task)
        self.start(self.net, weights, ("linear",))

    def attention_maps(self, images: Tensor) -> list[Tensor]:
        return self.net.trunk(images)[1]


class CBAMNet(nn.Module):
    """The shape of the preset's lean classifier, a block a stage, with CBAM as its gates.

    With a GPU's preset: four stages of two blocks.
    """

    def __init__(self, task: Task) -> None:
        super().__init__()
        shape = lean.SHAPES.get(task.preset.classifier, lean.LEAN)
        widths, depth = ((64, 128, 256, 512), 2) if task.preset.large else (shape.widths, 1)
        self.trunk = attention.AttentionTrunk(
            task.channels, shape, widths, depth, task.input_size, attention.Gates
        )
        self.dropout = nn.Dropout(task.preset.dropout)
        self.linear = nn.Linear(widths[-1], task.classes)

    def forward(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        """float [B, C, H, W] in 0..1 -> (logits, attention maps before the sigmoid).

        There are two maps a block.
        """
        features, maps = self.trunk(images)
        return self.linear(self.dropout(features[-1].mean((2, 3)))), maps
