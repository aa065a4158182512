"""From pixels to tensors and back: the common way to enlarge a face, and the usual augmentation."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def to_unit(images: Tensor) -> Tensor:
    """uint8 [B, C, H, W] -> float32 in 0..1, channels last."""
    return images.to(torch.float32).div_(255.0).contiguous(memory_format=torch.channels_last)


def resize(images: Tensor, size: tuple[int, int]) -> Tensor:
    """uint8 [B, C, h, w] -> uint8 [B, C, *size], antialiased bicubic, as Pillow computes it to one grey level."""
    if tuple(images.shape[-2:]) == tuple(size):
        return images
    if images.is_cuda:  # torch has no uint8 path there; the float one differs by a few grey levels at edges
        wide = F.interpolate(images.to(torch.float32), size=size, mode="bicubic", antialias=True)
        return wide.round_().clamp_(0, 255).to(torch.uint8)
    return F.interpolate(images, size=size, mode="bicubic", antialias=True)


def enlarge(images: Tensor, size: tuple[int, int]) -> Tensor:
    """uint8 LR faces -> float32 [B, C, *size] in 0..1. Rounded to uint8 on the way, as an enlarged image file would be."""
    return to_unit(resize(images, size))


def flip_and_shift(images: Tensor, flips: Tensor, dy: Tensor, dx: Tensor, most: int) -> Tensor:
    """Mirror where flips is true and move by dy, dx in 0..2*most (most: no move), borders repeated.

    images: uint8 [B, C, H, W]; flips: bool [B]; dy, dx: int64 [B].
    """
    count, channels, height, width = images.shape
    y = (torch.arange(height) + dy[:, None] - most).clamp_(0, height - 1)
    x = (torch.arange(width) + dx[:, None] - most).clamp_(0, width - 1)
    x = torch.where(flips[:, None], width - 1 - x, x)
    flat = (y[:, :, None] * width + x[:, None, :]).reshape(count, 1, height * width)
    pixels = images.reshape(count, channels, height * width).gather(2, flat.expand(count, channels, -1))
    return pixels.reshape(images.shape)
