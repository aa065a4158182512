"""GME-Net: a local branch with attention, a global one with several receptive fields, and an HR teacher for the attention."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lrfer_bench.api import Need, Preset, Task, UserError, register_method
from lrfer_bench.methods.attention_distillation import AttentionDistilled
from lrfer_bench.nets import lean
from lrfer_bench.nets.attention import PARTS, AttentionTrunk, Gates, Parts
from lrfer_bench.nets.lean import shortcut

GROUPS = 4


@dataclass(frozen=True)
class Shape:
    """Channels of the local stages, of which the first `shared` are the global branch's too, and of the two
    global ones; blocks a stage; whose stem comes first.
    """

    local: tuple[int, ...]
    wide: tuple[int, ...]
    shared: int
    depth: int
    stem: lean.Shape


SMALL = {
    "lean": Shape((24, 64, 96, 192), (64, 128), 2, 1, lean.LEAN),
    "lean2": Shape((64, 96, 192), (96, 192), 1, 1, lean.LEAN2),
}
"""By the preset's classifier: each costs about as much as that."""

LARGE = Shape((64, 128, 256, 512), (256, 512), 2, 2, lean.LEAN)


def shape_for(preset: Preset) -> Shape:
    """The shape whose cost is nearest to that of the preset's classifier."""
    return LARGE if preset.large else SMALL.get(preset.classifier, SMALL["lean"])


@register_method("gmenet")
class GMENet(AttentionDistilled):
    """Trained on LR faces at one scale; its teacher is the same network, trained on HR ones.

    kd_weight:     the weight of 1 - cos for each attention map of each block; 0 trains without a teacher
    attention:     which gates the local branch has: "both", "channel", "spatial" or "none"
    global_branch: false leaves the local branch alone
    """

    @classmethod
    def needs_for(cls, settings: Mapping[str, Any], hr: bool) -> dict[str, Need]:
        """The teacher has no weight of its own, so that every kd_weight has the same one."""
        if hr or not settings["kd_weight"] or settings["attention"] == "none":
            return {}
        return {"teacher": Need("gmenet", "hr", {**settings, "kd_weight": 0.0})}

    def __init__(
        self, task: Task, *, kd_weight: float = 1.0, attention: Parts = "both", global_branch: bool = True
    ) -> None:
        super().__init__(task)
        if attention not in PARTS:
            raise UserError(f'gmenet.attention is "{attention}": it takes one of {", ".join(PARTS)}')
        self.kd_weight = kd_weight
        self.net = TwoBranches(task, shape_for(task.preset), attention, global_branch)

    def attention_maps(self, images: Tensor) -> list[Tensor]:
        return self.net.local(images)[1]


class TwoBranches(nn.Module):
    """Shared stages of mixed-attention blocks; from there on two more of them (local) beside two of mixed-channel
    blocks (global). The pooled ends of both stand side by side before dropout and one linear layer."""

    def __init__(self, task: Task, shape: Shape, attention: Parts, global_branch: bool) -> None:
        super().__init__()
        self.shared = shape.shared
        self.local = AttentionTrunk(
            task.channels, shape.stem, shape.local, shape.depth, task.input_size,
            lambda width: Gates(width, attention, depthwise=True),
        )  # fmt: skip
        self.wide: nn.Module | None = None
        if global_branch:
            before, blocks = shape.local[shape.shared - 1], []
            for width in shape.wide:
                blocks += [MixedChannelBlock(before, width, 2)]
                blocks += [MixedChannelBlock(width, width, 1) for _ in range(shape.depth - 1)]
                before = width
            self.wide = nn.Sequential(*blocks)
        self.dropout = nn.Dropout(task.preset.dropout)
        self.linear = nn.Linear(shape.local[-1] + (shape.wide[-1] if global_branch else 0), task.classes)

    def forward(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        """float [B, C, H, W] in 0..1 -> (logits, attention maps before the sigmoid, two a block)."""
        features, maps = self.local(images)
        ends = [features[-1]] if self.wide is None else [features[-1], self.wide(features[self.shared - 1])]
        pooled = torch.cat([end.mean((2, 3)) for end in ends], 1)
        return self.linear(self.dropout(pooled)), maps


class MixedChannelBlock(nn.Module):
    """Channels in four groups, chained forwards and, beside that, backwards: the quasi-symmetric pair.

    y1 = f(x1), yk = f(relu(y(k-1)) + xk) and z4 = g(x4), zk = g(relu(z(k+1)) + xk), each f and g with weights of its own. What
    is y1 has come through one 3x3 convolution of the chain, y4 through four; in z it is the other way round. A 1x1 convolution
    mixes the groups of y + z.
    """

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.expand = nn.Sequential(
            nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False), nn.BatchNorm2d(channels), nn.ReLU(inplace=True)
        )
        # the f of y and the g of z; their names, and `wide` of TwoBranches, stand in stored weights
        self.down = nn.ModuleList(_step(channels // GROUPS, 3) for _ in range(GROUPS))
        self.up = nn.ModuleList(_step(channels // GROUPS, 3) for _ in range(GROUPS))
        self.mix = _step(channels, 1)
        self.shortcut = shortcut(channels_in, channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        groups = list(self.expand(x).chunk(GROUPS, 1))
        forwards = _chain(self.down, groups)
        backwards = _chain(self.up, groups[::-1])[::-1]
        mixed = self.mix(torch.cat(forwards, 1) + torch.cat(backwards, 1))
        return F.relu(mixed + self.shortcut(x), inplace=True)


def _step(channels: int, kernel: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(channels, channels, kernel, 1, kernel // 2, bias=False), nn.BatchNorm2d(channels))


def _chain(steps: nn.ModuleList, groups: list[Tensor]) -> list[Tensor]:
    made = [steps[0](groups[0])]
    for step, group in zip(list(steps)[1:], groups[1:], strict=True):
        made.append(step(F.relu(made[-1]) + group))
    return made
