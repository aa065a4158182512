"""Attention gates whose maps can be read before the sigmoid, and a trunk of gated blocks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, cast, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lrfer_bench.nets.lean import ResidualBlock, Shape, stages
from lrfer_bench.pixels import centred, fit

Parts = Literal["both", "channel", "spatial", "none"]
PARTS = get_args(Parts)


class ChannelGate(nn.Module):
    """[B, C, h, w] -> a number a channel [B, C, 1, 1].

    One MLP without bias looks at the channels' means and at their maxima.
    """

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        hidden = max(channels // reduction, 4)
        self.mlp = nn.Sequential(
            nn.Conv2d(channels, hidden, 1, bias=False),
            nn.ReLU(inplace=True),
            nn.Conv2d(hidden, channels, 1, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.mlp(x.mean((2, 3), keepdim=True)) + self.mlp(x.amax((2, 3), keepdim=True))


class SpatialGate(nn.Module):
    """[B, C, h, w] -> a number a position [B, 1, h, w].

    A conv3x3 looks at the mean and the maximum over channels.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 1, 3, 1, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], 1))


class Gates(nn.Module):
    """Channel gate, then spatial gate on what that lets through, as in CBAM (Woo et al., 2018).

    depthwise: both gates look at a depthwise conv3x3 of the input instead, side by side, so that a
               channel's number knows of its neighbourhoods and not of its mean and its maximum
               alone; what is gated stays the input itself
    norm: batch norm on the gates' values before the sigmoid, so that they differ between faces
    identity: twice the sigmoid, which is 1 where a value is 0: gates that start near identity
    """

    def __init__(
        self,
        channels: int,
        parts: Parts = "both",
        depthwise: bool = False,
        *,
        norm: bool = False,
        identity: bool = False,
    ) -> None:
        super().__init__()
        self.gain = 2.0 if identity else 1.0
        self.look = None
        if depthwise and parts != "none":
            conv = nn.Conv2d(channels, channels, 3, 1, 1, groups=channels, bias=False)
            self.look = nn.Sequential(conv, nn.BatchNorm2d(channels))
        self.channel = ChannelGate(channels) if parts in ("both", "channel") else None
        self.spatial = SpatialGate() if parts in ("both", "spatial") else None
        self.channel_norm = nn.BatchNorm2d(channels) if norm and self.channel is not None else None
        self.spatial_norm = nn.BatchNorm2d(1) if norm and self.spatial is not None else None

    def with_maps(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The gated input and the gates' values before the sigmoid."""
        seen = None if self.look is None else self.look(x)
        maps = []
        for gate, norm in ((self.channel, self.channel_norm), (self.spatial, self.spatial_norm)):
            if gate is not None:
                values = gate(x if seen is None else seen)
                maps.append(values if norm is None else norm(values))
                x = x * self._open(maps[-1])
        return x, maps

    def _open(self, values: Tensor) -> Tensor:
        """How much is let through: 0..1, or 0..2 with identity."""
        opened = torch.sigmoid(values)
        return opened if self.gain == 1.0 else self.gain * opened

    def forward(self, x: Tensor) -> Tensor:
        return self.with_maps(x)[0]


class AttentionBlock(ResidualBlock):
    """A residual block whose gates' maps can be had."""

    gate: Gates

    def with_maps(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The block's output and its attention maps before the sigmoid."""
        out = F.relu(self.norm1(self.conv1(x)), inplace=True)
        out, maps = self.gate.with_maps(self.norm2(self.conv2(out)))
        return F.relu(out + self.shortcut(x), inplace=True), maps


class AttentionTrunk(nn.Module):
    """A stem and stages of `depth` gated residual blocks.

    Each later stage works at half the side of the one before.

    shape: whose stem it has, with widths of its own (see nets/lean.py)
    size:  height and width in pixels that it works at; images of another size are resized first
    """

    def __init__(
        self,
        channels: int,
        shape: Shape,
        widths: Sequence[int],
        depth: int,
        size: tuple[int, int],
        gates: Callable[[int], Gates],
    ) -> None:
        super().__init__()
        self.size = size
        self.stem = shape.stem(channels, widths[0], size)
        self.stages = nn.ModuleList()
        for before, width, stride in stages(widths):
            first = AttentionBlock(before, width, stride, gates(width))
            rest = [AttentionBlock(width, width, 1, gates(width)) for _ in range(depth - 1)]
            self.stages.append(nn.ModuleList([first, *rest]))

    def forward(self, images: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """float [B, C, H, W] in 0..1 -> (feature maps after the stages, attention maps)."""
        x = self.stem(centred(fit(images, self.size)))
        features, maps = [], []
        for stage in self.stages:
            for block in cast(nn.ModuleList, stage):
                x, found = cast(AttentionBlock, block).with_maps(x)
                maps.extend(found)
            features.append(x)
        return features, maps
