"""Bicubic with four taps an axis (a = -0.75), the same bytes on every processor and torch.

F.interpolate rounds differently with the vector instructions of a processor and from one version of
torch to the next: a value near a half then becomes another grey level. Here every product and sum
is an operation of its own, so IEEE 754 says what it rounds to. They are done in the order in which
torch 2.14 does them on a processor with fused multiply and add, for golden.npz was made there.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

A = -0.75
"""Of the cubic convolution kernel of Keys (1981); OpenCV and torch take this one."""


def shrink(faces: Tensor, size: tuple[int, int]) -> Tensor:
    """uint8 [B, C, h, w] -> float32 [B, C, *size], neither rounded to grey levels nor clamped."""
    narrow = _along(faces, size[1]).transpose(-1, -2).contiguous()
    return _along(narrow, size[0]).transpose(-1, -2)


def _along(pixels: Tensor, target: int) -> Tensor:
    """[..., n] -> float32 [..., target]."""
    at, weights = taps(int(pixels.shape[-1]), target)
    wide = pixels.to(torch.float64)
    first, second, third, fourth = (wide.index_select(-1, place) for place in at)
    total = (second * weights[1]).to(torch.float32)
    for value, weight in ((first, weights[0]), (third, weights[2]), (fourth, weights[3])):
        total = _fused(value, weight, total)
    return total


def _fused(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """float32 a * b + c of numbers that float32 holds; the product is exact, as a is float64."""
    return (a * b + c).to(torch.float32)


@lru_cache(maxsize=64)
def taps(source: int, target: int) -> tuple[Tensor, Tensor]:
    """Which four source pixels make each target pixel, and their weights.

    int64 [4, target]; float64 [4, target], rounded to float32. The border's pixel stands for those
    beyond it.
    """
    ratio = torch.tensor(float(source), dtype=torch.float32) / float(target)
    centre = ratio * (torch.arange(target, dtype=torch.float32) + 0.5) - 0.5
    floor = centre.floor()
    after = centre - floor
    before = 1.0 - after
    weights = torch.stack(
        [_outer(after + 1.0), _inner(after), _inner(before), _outer(before + 1.0)]
    )
    at = floor.to(torch.int64) + torch.arange(-1, 3)[:, None]
    return at.clamp_(0, source - 1), weights.to(torch.float64)


def _inner(x: Tensor) -> Tensor:
    """The kernel for 0 <= x <= 1."""
    return ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0


def _outer(x: Tensor) -> Tensor:
    """The kernel for 1 <= x <= 2."""
    wide = x.to(torch.float64)
    inside = _fused(wide, torch.full_like(x, A), torch.full_like(x, -5.0 * A))
    return _fused(wide, inside, torch.full_like(x, 8.0 * A)) * x - 4.0 * A
