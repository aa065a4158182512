"""Pictures of any size brought to the size that a model takes: whole and not squeezed."""

from __future__ import annotations

import math

import torch.nn.functional as F
from torch import Tensor

from lrfer_bench.pixels import resize

Size = tuple[int, int]
"""Height and width in pixels."""


def whole(images: Tensor, size: Size) -> Tensor:
    """uint8 [B, C, h, w] -> uint8 [B, C, *size] that shows all of each picture, not squeezed.

    Antialiased bicubic. Where the shape differs, the picture lies in the middle and the pixels of
    its edges go on to the border: cutting would take a mouth or a brow away, and one pixel of
    a face of 6 is too much to be squeezed away.
    """
    inner = inside(_size(images), size)
    fitted = resize(images, inner)
    if inner == size:
        return fitted
    down, right = size[0] - inner[0], size[1] - inner[1]
    border = (right // 2, right - right // 2, down // 2, down - down // 2)
    # Fractions of 256 are exact in float32, so the pixels stay as they are.
    return F.pad(fitted.float(), border, mode="replicate").to(images.dtype)


def inside(shape: Size, size: Size) -> Size:
    """The largest size within another that keeps a picture's shape, 1 pixel at least.

    >>> inside((100, 75), (12, 12)), inside((100, 99), (12, 12))
    ((12, 9), (12, 12))
    """
    factor = min(size[0] / shape[0], size[1] / shape[1])
    height, width = (
        min(max(math.floor(side * factor + 0.5), 1), most)
        for side, most in zip(shape, size, strict=True)
    )
    return height, width


def far(shape: Size, size: Size) -> float:
    """How many times a picture is to be doubled or halved to fill a size; 0: it fits.

    >>> far((24, 24), (12, 12)), far((6, 5), (12, 12)), far((12, 9), (12, 12))
    (1.0, 1.0, 0.0)
    """
    return abs(math.log2(max(shape[0] / size[0], shape[1] / size[1])))


def said(size: Size) -> str:
    """Width x height, as pictures are usually described.

    >>> said((48, 36))
    '36x48'
    """
    return f"{size[1]}x{size[0]}"


def _size(images: Tensor) -> Size:
    height, width = images.shape[-2:]
    return int(height), int(width)
