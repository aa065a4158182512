"""From pixels to tensors and back: the common way to enlarge a face, and the usual augmentation."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

BITS = 22
ONE = float(1 << BITS)
"""Pillow's fixed point: 22 bits behind the point."""

MOST_EXACT = 256
"""Products of two numbers of 8 bits, so many of them, have a sum that float32 holds exactly."""

NO_FLOAT64 = "mps"
"""The kind of device that has no float64: Apple's GPUs."""

IN_CACHE = 300_000
"""Pixels that are resized at once: as float64 they still fit into a processor's cache.

That is worth a factor of four.
"""


PIXELS_EACH, FEWEST_PIXELS = 4, 24
"""See input_side()."""


def to_unit(images: Tensor, channels_last: bool = True) -> Tensor:
    """uint8 [B, C, H, W] -> float32 in 0..1, laid out with channels last or as it came."""
    unit = images.to(torch.float32).div_(255.0)
    return unit.contiguous(memory_format=torch.channels_last) if channels_last else unit


def centred(images: Tensor) -> Tensor:
    """Float images in 0..1 -> mean 0.5 and deviation 0.25 taken out of every channel.

    This is what the networks built here are fed.
    """
    return (images - 0.5) * 4.0


def resize(images: Tensor, size: tuple[int, int]) -> Tensor:
    """uint8 [B, C, h, w] -> uint8 [B, C, *size]: antialiased bicubic, Pillow's very bytes.

    Pillow's way: weights in fixed point of 22 bits, columns first, rounded to uint8 between the
    passes. Both passes are matrix products that are exact in any order, so all machines, devices
    and thread counts make the same bytes (see resize_axis() and resize_axis_in_parts()).
    """
    if tuple(images.shape[-2:]) == tuple(size):
        return images
    one_axis = resize_axis_in_parts if images.device.type == NO_FLOAT64 else resize_axis
    with torch.autocast(images.device.type, enabled=False):
        if images.device.type != "cpu" or torch.jit.is_tracing():
            # Parts serve the processor's cache; an exported model takes any number of faces.
            return _resize(images, size, one_axis)
        at_once = max(IN_CACHE // images[0].numel(), 1) if len(images) else 1
        return torch.cat([_resize(part, size, one_axis) for part in images.split(at_once)])


def _resize(
    images: Tensor, size: tuple[int, int], one_axis: Callable[[Tensor, int], Tensor]
) -> Tensor:
    narrow = one_axis(images, size[1])
    both = one_axis(narrow.transpose(-1, -2).contiguous(), size[0])
    return both.transpose(-1, -2).to(torch.uint8).contiguous()


def resize_axis(pixels: Tensor, target: int) -> Tensor:
    """Whole numbers 0..255 [..., n] -> the same [..., target] in float64, by products in float64.

    Every product and sum is a whole number below 2**53 over 2**22.
    """
    count = int(pixels.shape[-1])
    weights, half = _weights_on(count, target, pixels.device)
    flat = torch.addmm(half, pixels.reshape(-1, count).to(torch.float64), weights.T)
    return flat.floor_().clamp_(0, 255).reshape(*pixels.shape[:-1], target)


def resize_axis_in_parts(pixels: Tensor, target: int) -> Tensor:
    """resize_axis(), the same numbers, for a device without float64: three products in float32.

    A weight of 24 bits is cut into three digits of 8 bits. A product of a pixel with a digit is
    below 2**16, so sums of up to 256 pixels are exact; digits are put together as int32.
    Longer rows are summed in pieces.
    """
    count = int(pixels.shape[-1])
    digits = _digits_on(count, target, pixels.device)
    flat = pixels.reshape(-1, count).to(torch.float32)
    total = torch.full((len(flat), target), 1 << (BITS - 1), dtype=torch.int32, device=flat.device)
    for start in range(0, count, MOST_EXACT):
        piece = slice(start, start + MOST_EXACT)
        for shift, digit in digits.items():
            total += (flat[:, piece] @ digit[piece]).to(torch.int32) << shift
    return (total >> BITS).clamp_(0, 255).reshape(*pixels.shape[:-1], target)


@lru_cache(maxsize=64)
def _digits_on(source: int, target: int, device: torch.device) -> dict[int, Tensor]:
    """Shift in bits -> that digit of fixed_point_weights(), float32 [source, target], cached."""
    whole = (fixed_point_weights(source, target) * ONE).to(torch.int32).T
    digits = {0: whole & 255, 8: (whole >> 8) & 255, 16: whole >> 16}
    return {shift: digit.to(device, torch.float32) for shift, digit in digits.items()}


@lru_cache(maxsize=64)
def _weights_on(source: int, target: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """fixed_point_weights() and a half on a device, kept there."""
    half = torch.full((1,), 0.5, dtype=torch.float64, device=device)
    return fixed_point_weights(source, target).to(device), half


@lru_cache(maxsize=64)
def fixed_point_weights(source: int, target: int) -> Tensor:
    """float64 [target, source]: Pillow's bicubic weights, rounded to 22 bits.

    a = -0.5, and the support is widened when shrinking.
    """
    ratio = source / target
    widening = max(ratio, 1.0)
    weights = torch.zeros(target, source, dtype=torch.float64)
    for row in range(target):
        centre = (row + 0.5) * ratio
        first = max(int(centre - 2.0 * widening + 0.5), 0)
        last = min(int(centre + 2.0 * widening + 0.5), source)
        taps = [_keys_cubic((at - centre + 0.5) / widening) for at in range(first, last)]
        total = sum(taps)
        weights[row, first:last] = torch.tensor(
            [_round(tap / total * ONE) / ONE for tap in taps], dtype=torch.float64
        )
    return weights


def _keys_cubic(x: float) -> float:
    """The cubic convolution kernel of Keys (1981) with a = -0.5."""
    x = abs(x)
    if x < 1.0:
        return (1.5 * x - 2.5) * x * x + 1.0
    return (((x - 5.0) * x + 8.0) * x - 4.0) * -0.5 if x < 2.0 else 0.0


def _round(value: float) -> float:
    """To the nearest whole number, halves away from zero."""
    return math.trunc(value + math.copysign(0.5, value))


def enlarge(images: Tensor, size: tuple[int, int], channels_last: bool = True) -> Tensor:
    """uint8 LR faces -> float32 [B, C, *size] in 0..1, laid out as to_unit() says.

    Rounded to uint8 on the way, as an enlarged image file would be.
    """
    return to_unit(resize(images, size), channels_last)


def fit(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Float images [B, C, h, w] -> [B, C, *size] by antialiased bicubic interpolation.

    They stay as they are where they have that size already.
    """
    if tuple(images.shape[-2:]) == tuple(size):
        return images
    return F.interpolate(images, size=size, mode="bicubic", antialias=True)


def input_side(side: int, scale: int) -> int:
    """Side in pixels at which a network works on faces of HR side `side`, enlarged from `scale`.

    Four for each LR pixel, 24 at least, and never more than HR: a face of 6 pixels tells no more at
    48 pixels than at 24, where a network takes half the time.

    >>> [input_side(48, scale) for scale in (1, 4, 6, 8, 16)]
    [48, 48, 32, 24, 24]
    """
    return min(side, max(PIXELS_EACH * math.ceil(side / scale), FEWEST_PIXELS))


def flip_and_shift(images: Tensor, flips: Tensor, dy: Tensor, dx: Tensor, most: int) -> Tensor:
    """Mirror where flips is true and move by dy, dx in 0..2*most (most: no move), borders repeated.

    images: uint8 [B, C, H, W]; flips: bool [B]; dy, dx: int64 [B]; all on one device.
    """
    count, channels, height, width = images.shape
    device = images.device
    y = (torch.arange(height, device=device) + dy[:, None] - most).clamp_(0, height - 1)
    x = (torch.arange(width, device=device) + dx[:, None] - most).clamp_(0, width - 1)
    x = torch.where(flips[:, None], width - 1 - x, x)
    flat = (y[:, :, None] * width + x[:, None, :]).reshape(count, 1, height * width)
    pixels = images.reshape(count, channels, height * width).gather(
        2, flat.expand(count, channels, -1)
    )
    return pixels.reshape(images.shape)
