"""The lean classifiers: residual networks for 48-pixel faces on two cores, in two versions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LARGE_SIDE = 64
"""For faces above so many pixels the stem halves its map once more.

So a face costs about as much as one of 48 pixels.
"""


class SqueezeExcite(nn.Module):
    """A gate a channel from the channel means (Hu et al., 2018)."""

    def __init__(self, channels: int, reduction: int = 8) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, max(channels // reduction, 4), 1)
        self.excite = nn.Conv2d(max(channels // reduction, 4), channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        gate = self.excite(F.relu(self.squeeze(x.mean((2, 3), keepdim=True))))
        return x * torch.sigmoid(gate)


class ResidualBlock(nn.Module):
    """conv3x3-BN-ReLU-conv3x3-BN-(gate)-add-ReLU.

    The shortcut averages before its 1x1 convolution, so that no pixel is skipped.
    gate: a module put on the residual branch before the addition (squeeze-and-excite, CBAM, ...),
          or None.
    """

    def __init__(
        self, channels_in: int, channels: int, stride: int, gate: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)
        self.gate = gate if gate is not None else nn.Identity()
        self.shortcut = shortcut(channels_in, channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.norm1(self.conv1(x)), inplace=True)
        out = self.gate(self.norm2(self.conv2(out)))
        return F.relu(out + self.shortcut(x), inplace=True)


def shortcut(channels_in: int, channels: int, stride: int) -> nn.Module:
    """Identity where the shape stays; else average pooling, 1x1 convolution and norm."""
    if stride == 1 and channels_in == channels:
        return nn.Identity()
    pool = nn.AvgPool2d(2, ceil_mode=True) if stride == 2 else nn.Identity()
    return nn.Sequential(
        pool, nn.Conv2d(channels_in, channels, 1, bias=False), nn.BatchNorm2d(channels)
    )


def stem(channels_in: int, width: int, size: tuple[int, int]) -> nn.Module:
    """conv3x3/2-BN-ReLU, and 2x2 average pooling for faces above LARGE_SIDE."""
    return _stem(nn.Conv2d(channels_in, width, 3, 2, 1, bias=False), size)


def patch_stem(channels_in: int, width: int, size: tuple[int, int]) -> nn.Module:
    """conv8x8/4-BN-ReLU, and 2x2 average pooling for faces above LARGE_SIDE.

    A wide map at a quarter of the side costs less time than the thin one of stem() at half of it,
    whose few channels leave a processor waiting for memory.
    """
    return _stem(nn.Conv2d(channels_in, width, 8, 4, 2, bias=False), size)


def _stem(conv: nn.Conv2d, size: tuple[int, int]) -> nn.Module:
    pool = nn.AvgPool2d(2, ceil_mode=True) if min(size) > LARGE_SIDE else nn.Identity()
    return nn.Sequential(conv, nn.BatchNorm2d(conv.out_channels), nn.ReLU(inplace=True), pool)


@dataclass(frozen=True)
class Shape:
    """What distinguishes the versions.

    stem:   makes the first map: (channels of the image, width, size of the image) -> module
    widths: channels of the residual stages; the first keeps the stem's side, each later one halves
            it
    gate:   makes the gate of a stage from its width; None: no gates
    """

    stem: Callable[[int, int, tuple[int, int]], nn.Module]
    widths: tuple[int, ...]
    gate: Callable[[int], nn.Module] | None


LEAN = Shape(stem, (24, 64, 128, 256), SqueezeExcite)
LEAN2 = Shape(patch_stem, (48, 96, 192), None)
LEAN2_HALF = Shape(patch_stem, (24, 48, 96), None)
SHAPES = {"lean": LEAN, "lean2": LEAN2, "lean2-half": LEAN2_HALF}
"""By the name that presets and settings call them. Stored weights depend on them: never change one.
"""


class LeanTrunk(nn.Module):
    """A stem and residual stages of one block each.

    Weights keep torch's own small initial values: He-normal ones, or residual branches that start
    at zero, took "lean" six epochs of FER2013 to the training loss that these have after 150 steps.
    """

    def __init__(self, shape: Shape, channels_in: int, size: tuple[int, int]) -> None:
        super().__init__()
        widths = shape.widths
        self.stem = shape.stem(channels_in, widths[0], size)
        self.blocks = nn.ModuleList(
            ResidualBlock(a, b, stride, shape.gate(b) if shape.gate else None)
            for a, b, stride in stages(widths)
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        """float [B, C, H, W] -> the feature map after each stage."""
        x = self.stem(x)
        maps = []
        for block in self.blocks:
            x = block(x)
            maps.append(x)
        return maps


def stages(widths: Sequence[int]) -> list[tuple[int, int, int]]:
    """(channels in, channels, stride) of the first block of each stage.

    >>> stages((64, 128))
    [(64, 64, 1), (64, 128, 2)]
    """
    before = [widths[0], *widths[:-1]]
    return [
        (a, b, 2 if number else 1) for number, (a, b) in enumerate(zip(before, widths, strict=True))
    ]
