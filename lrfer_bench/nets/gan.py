"""Feature generators and critics of FSR-FER: features in, features out, no up-sampling."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SLOPE = 0.2
RESIDUAL = 0.2


class Affine(nn.Module):
    """A scale and an offset a channel: batch norm that never looks at its batch.

    The official code's batch norm does so in effect.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight[:, None, None] + self.bias[:, None, None]


class DenseBlock(nn.Module):
    """Five conv3x3, each fed all before it; 0.2 times the last output is added to the input."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        outs = [growth] * 4 + [width]
        self.convs = nn.ModuleList(
            nn.Conv2d(width + k * growth, out, 3, 1, 1) for k, out in enumerate(outs)
        )
        self.norms = nn.ModuleList(Affine(out) for out in outs)

    def forward(self, x: Tensor) -> Tensor:
        seen = x
        for conv, norm in zip(list(self.convs)[:-1], list(self.norms)[:-1], strict=True):
            seen = torch.cat([seen, F.leaky_relu(norm(conv(seen)), SLOPE)], 1)
        return x + RESIDUAL * self.norms[-1](self.convs[-1](seen))


class RRDB(nn.Module):
    """Residual in residual: three dense blocks; 0.2 times their output is added to the input x.

    Their output holds x itself already.
    """

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.dense = nn.Sequential(*(DenseBlock(width, growth) for _ in range(3)))

    def forward(self, x: Tensor) -> Tensor:
        return x + RESIDUAL * self.dense(x)


class Generator(nn.Module):
    """[B, C, h, w] -> the same shape: convolutions and RRDBs.

    In order: conv3x3, RRDBs, conv3x3, one skip around those, and two convolutions of a larger
    kernel.

    skip: add the input to the output, so that the generator starts from the LR features

    The official one is Generator(1, 32, 16, 6, kernel=8, skip=False): 1.16 M parameters, 19 GMAC at
    128x128.
    """

    def __init__(
        self, channels: int, width: int, growth: int, blocks: int, *, kernel: int, skip: bool
    ) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, width, 3, 1, 1)
        self.blocks = nn.Sequential(*(RRDB(width, growth) for _ in range(blocks)))
        self.trunk = nn.Conv2d(width, width, 3, 1, 1)
        self.pad = nn.ZeroPad2d(((kernel - 1) // 2, kernel // 2, (kernel - 1) // 2, kernel // 2))
        self.wide = nn.Conv2d(width, width, kernel)
        self.last = nn.Conv2d(width, channels, kernel)
        self.skip = skip
        _small_he(self)

    def forward(self, x: Tensor) -> Tensor:
        start = self.first(x)
        made = start + self.trunk(self.blocks(start))
        made = self.last(self.pad(F.leaky_relu(self.wide(self.pad(made)), SLOPE)))
        return x + made if self.skip else made


class Critic(nn.Module):
    """[B, C, h, w] -> a number a sample [B]: low on features of HR faces, high on made ones.

    Pairs of conv3x3 and conv4x4/2 of the given widths, then two linear layers (100, 1); no norm,
    leaky ReLU 0.2. The official one is Critic(1, (8, 16, 32, 64, 64), (128, 128)): 0.32 M
    parameters.
    """

    def __init__(self, channels: int, widths: tuple[int, ...], size: tuple[int, int]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, width in zip((channels, *widths[:-1]), widths, strict=True):
            layers += [nn.Conv2d(before, width, 3, 1, 1, bias=False), nn.LeakyReLU(SLOPE)]
            layers += [nn.Conv2d(width, width, 4, 2, 1, bias=False), nn.LeakyReLU(SLOPE)]
        least = 2 ** len(widths)
        height, width = (max(side, least) for side in size)
        self.pad = nn.ZeroPad2d(
            (0, width - size[1], 0, height - size[0])
        )  # only maps too small to be halved grow
        self.convs = nn.Sequential(*layers)
        inputs = widths[-1] * (height // least) * (width // least)
        self.linear = nn.Sequential(nn.Linear(inputs, 100), nn.LeakyReLU(SLOPE), nn.Linear(100, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.convs(self.pad(x)).flatten(1))[:, 0]


def _small_he(module: nn.Module) -> None:
    """He-normal weights times 0.1, no offsets, for every convolution."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight)
            with torch.no_grad():
                part.weight.mul_(0.1)
                if part.bias is not None:
                    part.bias.zero_()
