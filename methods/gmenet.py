"""GME-Net: a local branch with attention and a global one with several receptive fields.

An HR teacher guides the attention.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lrfer_bench.api import (
    Batch,
    Choice,
    LogUniform,
    Need,
    Preset,
    Task,
    UserError,
    lean,
    register_method,
)
from lrfer_bench.api import attention as gated  # `attention` is a setting here
from lrfer_bench.methods.attention_distillation import AttentionDistilled

GROUPS = 4


@dataclass(frozen=True)
class Shape:
    """Channels and blocks of the two branches.

    Channels of the local stages, of which the first `shared` are the global branch's too, and of
    the two global ones; blocks a stage; whose stem comes first.
    """

    local: tuple[int, ...]
    wide: tuple[int, ...]
    shared: int
    depth: int
    stem: lean.Shape


SMALL = {
    "lean": Shape((24, 64, 96, 192), (64, 128), 2, 1, lean.LEAN),
    "lean2": Shape((48, 72, 144), (72, 144), 1, 1, lean.LEAN2),
    "lean2-half": Shape((24, 36, 72), (36, 72), 1, 1, lean.LEAN2_HALF),
}
"""By the preset's classifier: each costs about as much as that."""

LARGE = Shape((64, 128, 256, 512), (256, 512), 2, 2, lean.LEAN)


def shape_for(preset: Preset) -> Shape:
    """That of about the preset's classifier's cost; LARGE has a third of a ResNet-18's."""
    return LARGE if preset.large else SMALL.get(preset.classifier, SMALL["lean"])


@dataclass(frozen=True)
class Build:
    """How the network is built: settings of GMENet, which says what they mean."""

    attention: gated.Parts = "both"
    global_branch: bool = True
    gate_norm: bool = False
    gate_start: str = "quarter"
    heads: int = 1
    global_at: str = "eighth"

    def checked(self) -> Build:
        """UserError for a word that is none of the setting's, and for two heads on one branch."""
        for setting, words in WORDS.items():
            value = getattr(self, setting)
            if value not in words:
                raise UserError(
                    f'gmenet.{setting} is "{value}": it takes one of {", ".join(map(str, words))}'
                )
        if self.heads == 2 and not self.global_branch:
            raise UserError(
                "gmenet.heads=2 needs both branches: leave global_branch at true, or heads at 1"
            )
        return self


WORDS: dict[str, tuple[Any, ...]] = {
    "attention": gated.PARTS,
    "gate_start": ("quarter", "identity"),
    "heads": (1, 2),
    "global_at": ("eighth", "quarter-narrow"),
}
MIX = (0.6, 0.4)
"""Weights of the local and of the global head, as MA-Net has them."""


@register_method("gmenet")
class GMENet(AttentionDistilled):
    """Trained on LR faces at one scale; its teacher is the same network, trained on HR ones.

    kd_weight:     the weight of 1 - cos for each attention map of each block; 0 trains without a
                   teacher
    attention:     which gates the local branch has: "both", "channel", "spatial" or "none"
    global_branch: false leaves the local branch alone
    centred:       distil what is a face's own: maps without their mean over the batch
    gate_norm:     batch norm on the gates' values before the sigmoid
    gate_start:    "identity": gates begin near 1; "quarter": two sigmoids begin near 1/2 each
    heads:         2: a head for each branch, each with its cross-entropy; their logits are mixed
    weights:       start from this file (.pth, .bin, .safetensors, ...), all but the heads
    global_at:     the first global block ends at an "eighth" of the input's side, or at a quarter
                   and with half the channels: "quarter-narrow"
    """

    added = ("centred", "gate_norm", "gate_start", "heads", "global_at", "weights")
    search = {
        "kd_weight": LogUniform(0.1, 30.0),
        "centred": Choice(False, True),
        "gate_norm": Choice(False, True),
        "gate_start": Choice("quarter", "identity"),
        "heads": Choice(1, 2),
        "global_at": Choice("eighth", "quarter-narrow"),
    }

    @classmethod
    def needs_for(cls, settings: Mapping[str, Any], hr: bool) -> dict[str, Need]:
        """The teacher has no weight of its own, so that every way to distil has the same one."""
        if hr or not settings["kd_weight"] or settings["attention"] == "none":
            return {}
        return {"teacher": Need("gmenet", "hr", {**settings, "kd_weight": 0.0, "centred": False})}

    def __init__(
        self,
        task: Task,
        *,
        kd_weight: float = 1.0,
        attention: gated.Parts = "both",
        global_branch: bool = True,
        centred: bool = False,
        gate_norm: bool = False,
        gate_start: str = "quarter",
        heads: int = 1,
        global_at: str = "eighth",
        weights: str = "",
    ) -> None:
        super().__init__(task)
        self.kd_weight, self.centred = kd_weight, centred
        build = Build(attention, global_branch, gate_norm, gate_start, heads, global_at).checked()
        self.net = TwoBranches(task, shape_for(task.preset), build)
        self.start(self.net, weights, ("linear", "second"))

    def attention_maps(self, images: Tensor) -> list[Tensor]:
        return self.net.local(images)[1]

    def recognition(self, batch: Batch) -> tuple[dict[str, Tensor], list[Tensor]]:
        if self.net.second is None:
            return super().recognition(batch)
        logits, maps = self.net.by_head(self.enlarged(batch))
        names = ("ce_local", "ce_global")
        losses = {
            name: weight * self.cross_entropy(said, batch)
            for name, weight, said in zip(names, MIX, logits, strict=True)
        }
        return losses, maps


class TwoBranches(nn.Module):
    """Shared stages of mixed-attention blocks, then two more beside two of mixed-channel ones.

    These are the local and the global branch. Their pooled ends stand side by side before dropout
    and one linear layer; with two heads each end has a linear layer of its own.
    """

    def __init__(self, task: Task, shape: Shape, build: Build) -> None:
        super().__init__()

        def gates(width: int) -> gated.Gates:
            identity = build.gate_start == "identity"
            return gated.Gates(
                width, build.attention, depthwise=True, norm=build.gate_norm, identity=identity
            )

        self.shared = shape.shared
        self.local = gated.AttentionTrunk(
            task.channels, shape.stem, shape.local, shape.depth, task.input_size, gates
        )
        self.wide = global_stages(shape, build.global_at) if build.global_branch else None
        self.dropout = nn.Dropout(task.preset.dropout)
        local, wide = shape.local[-1], 0
        if build.global_branch:
            wide = widths(shape, build.global_at)[-1]
        two = build.heads == 2
        self.linear = nn.Linear(local if two else local + wide, task.classes)
        self.second = nn.Linear(wide, task.classes) if two else None

    def forward(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        """float [B, C, H, W] in 0..1 -> (logits, attention maps before the sigmoid)."""
        logits, maps = self.by_head(images)
        if len(logits) == 1:
            return logits[0], maps
        return MIX[0] * logits[0] + MIX[1] * logits[1], maps

    def by_head(self, images: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """The logits of each head, the local one first, and the attention maps."""
        features, maps = self.local(images)
        ends = (
            [features[-1]]
            if self.wide is None
            else [features[-1], self.wide(features[self.shared - 1])]
        )
        pooled = [end.mean((2, 3)) for end in ends]
        if self.second is None:
            return [self.linear(self.dropout(torch.cat(pooled, 1)))], maps
        local, wide = (self.dropout(end) for end in pooled)
        return [self.linear(local), self.second(wide)], maps


def global_stages(shape: Shape, first_at: str) -> nn.Module:
    """Mixed-channel blocks on the map at 1/4 of the input, which the first one may keep."""
    before, blocks = shape.local[shape.shared - 1], []
    for number, width in enumerate(widths(shape, first_at)):
        stride = 1 if number == 0 and first_at == "quarter-narrow" else 2
        blocks += [MixedChannelBlock(before, width, stride)]
        blocks += [MixedChannelBlock(width, width, 1) for _ in range(shape.depth - 1)]
        before = width
    return nn.Sequential(*blocks)


def widths(shape: Shape, first_at: str) -> list[int]:
    """Channels of the global stages: half at a quarter, where maps have four times the places.

    So both cost about the same.
    """
    if first_at == "eighth":
        return list(shape.wide)
    return [width // 2 // GROUPS * GROUPS for width in shape.wide]


class MixedChannelBlock(nn.Module):
    """Channels in four groups, chained forwards and backwards: the quasi-symmetric pair.

    y1 = f(x1), yk = f(relu(y(k-1)) + xk) and z4 = g(x4), zk = g(relu(z(k+1)) + xk), each f and g
    with weights of its own. What is y1 has come through one 3x3 convolution of the chain, y4
    through four; in z it is the other way round. A 1x1 convolution mixes the groups of y + z.
    """

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.expand = nn.Sequential(
            nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
        )
        # the f of y and the g of z; their names, and `wide` of TwoBranches, stand in stored weights
        self.down = nn.ModuleList(_step(channels // GROUPS, 3) for _ in range(GROUPS))
        self.up = nn.ModuleList(_step(channels // GROUPS, 3) for _ in range(GROUPS))
        self.mix = _step(channels, 1)
        self.shortcut = lean.shortcut(channels_in, channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        groups = list(self.expand(x).chunk(GROUPS, 1))
        forwards = _chain(self.down, groups)
        backwards = _chain(self.up, groups[::-1])[::-1]
        mixed = self.mix(torch.cat(forwards, 1) + torch.cat(backwards, 1))
        return F.relu(mixed + self.shortcut(x), inplace=True)


def _step(channels: int, kernel: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(channels, channels, kernel, 1, kernel // 2, bias=False), nn.BatchNorm2d(channels)
    )


def _chain(steps: nn.ModuleList, groups: list[Tensor]) -> list[Tensor]:
    made = [steps[0](groups[0])]
    for step, group in zip(list(steps)[1:], groups[1:], strict=True):
        made.append(step(F.relu(made[-1]) + group))
    return made
