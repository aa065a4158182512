"""A distant camera: blur, down-sampling, sensor noise and JPEG, drawn anew for each image.

Each image has its own seed. Only the draws are made face by face; the rest runs on batches, as
products of small matrices.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from lrfer_bench.contract.protocol import Protocol
from lrfer_bench.protocols.jpeg import through_jpeg
from lrfer_bench.protocols.resample import area_weights

if TYPE_CHECKING:
    from torch import Tensor

# Ranges are ours, after GFPGAN's y = JPEG(down(x * k) + n) with its widths scaled from 512 pixels
# to small faces: the blur is in units of the scale (so of LR pixels), since a lens blurs the
# sensor's pixels, not the original's.
BLUR_SIGMA = (0.1, 0.6)
ANISOTROPY = (1.0, 2.0)
READ_NOISE = (1.0, 6.0)
SHOT_NOISE = (0.0, 0.6)
JPEG_QUALITY = (50, 95)

IN_CACHE = 100_000
"""Pixels that are worked on at once: float64, with their frequencies, they stay in the cache."""


class Camera(Protocol):
    """Anisotropic Gaussian blur, area down-sampling, shot and read noise, then JPEG at LR size.

    The blur is that of the lens and of motion.
    """

    name = "camera"
    summary = "blur, area down-sampling, sensor noise and JPEG, drawn per image"
    details = (
        "In this order: a Gaussian blur of sigma U(0.1, 0.6) LR pixels along one axis and up to "
        "twice as much along the "
        "other, at any angle; the mean of the area under each LR pixel; noise of variance read^2 + "
        "shot * value with read "
        "U(1, 6) grey levels and shot U(0, 0.6); JPEG of quality U(50, 95) on the LR image (chroma "
        "kept at full size). No "
        "published low-resolution FER paper is known to use it; the ranges are ours, scaled down "
        "from those of blind face "
        "restoration (GFPGAN, BSRGAN)."
    )

    def degrade(self, hr: Tensor, size: tuple[int, int], scale: int, seeds: Tensor) -> Tensor:
        import torch

        at_once = max(IN_CACHE // max(hr[0].numel(), 1), 1) if len(hr) else 1
        parts = zip(hr.split(at_once), seeds.split(at_once), strict=True)
        made = [_photograph(faces, size, scale, some) for faces, some in parts]
        return torch.cat(made) if made else hr.new_empty((0, hr.shape[1], *size))


@dataclass(frozen=True)
class _Draws:
    """What is random, for a batch.

    float64 [B] each; noise is float64 [B, C, h, w], quality int64 [B].
    """

    sigma: Tensor
    across: Tensor
    angle: Tensor
    read: Tensor
    shot: Tensor
    quality: Tensor
    noise: Tensor


def _draw(seeds: Tensor, shape: tuple[int, int, int], scale: int) -> _Draws:
    """From numpy's PCG64, one generator a face; the order of the draws is part of the protocol."""
    import torch

    uniform = np.empty((len(seeds), 5))
    quality = np.empty(len(seeds), dtype=np.int64)
    noise = np.empty((len(seeds), *shape))
    for row, seed in enumerate(seeds.tolist()):
        rng = np.random.Generator(np.random.PCG64(seed))
        rng.random(out=uniform[row])
        quality[row] = rng.integers(JPEG_QUALITY[0], JPEG_QUALITY[1] + 1)
        rng.standard_normal(out=noise[row])
    ranges = np.array([BLUR_SIGMA, ANISOTROPY, (0.0, np.pi), READ_NOISE, SHOT_NOISE])
    values = ranges[:, 0] + (ranges[:, 1] - ranges[:, 0]) * uniform
    sigma, anisotropy, angle, read, shot = torch.from_numpy(values).unbind(1)
    sigma = sigma * scale
    return _Draws(
        sigma,
        sigma * anisotropy,
        angle,
        read,
        shot,
        torch.from_numpy(quality),
        torch.from_numpy(noise),
    )


def _photograph(faces: Tensor, size: tuple[int, int], scale: int, seeds: Tensor) -> Tensor:
    """uint8 [B, C, H, W] -> uint8 [B, C, *size]."""
    import torch

    draws = _draw(seeds, (faces.shape[1], *size), scale)
    small = _blurred(faces.to(torch.float64), size, draws)
    read, shot = (value[:, None, None, None] for value in (draws.read, draws.shot))
    deviation = (read.square() + shot * small.clamp(0.0, 255.0)).sqrt_()
    noisy = small.add_(deviation.mul_(draws.noise))
    return through_jpeg(noisy.round_().clamp_(0.0, 255.0).to(torch.uint8), draws.quality)


def _blurred(faces: Tensor, size: tuple[int, int], draws: _Draws) -> Tensor:
    """Anisotropic Gaussian blur, borders mirrored so that no edge wraps round, then area means.

    faces: float64 [B, C, H, W]; the result is float64 [B, C, *size]

    The blur multiplies frequencies (fy, fx) by g = exp(-2 pi^2 (a fy^2 + b fx^2 + 2 k fy fx)). A
    mirrored image has cosines only, but g is another for (fy, -fx), so that products of sines come
    in as well: with c the cosine coefficients, image = sum c ((g+ + g-) cos cos - (g+ - g-) sin
    sin) / 2. The area under each LR pixel is averaged over the cosines and sines, long before there
    are any faces.
    """
    import torch

    height, width = faces.shape[-2:]
    rows, columns = _waves(height, size[0]), _waves(width, size[1])
    sine, cosine = draws.angle.sin(), draws.angle.cos()
    along, across = draws.sigma.square(), draws.across.square()
    a = along * sine.square() + across * cosine.square()
    b = along * cosine.square() + across * sine.square()
    k = (along - across) * sine * cosine
    fy = torch.arange(height, dtype=torch.float64) / (2.0 * height)
    fx = torch.arange(width, dtype=torch.float64) / (2.0 * width)
    square = a[:, None, None] * fy.square()[:, None] + b[:, None, None] * fx.square()
    mixed = 2.0 * k[:, None, None] * (fy[:, None] * fx)
    plus = (square + mixed).mul_(-2.0 * np.pi**2).exp_()
    minus = (square - mixed).mul_(-2.0 * np.pi**2).exp_()
    even, odd = (plus + minus)[:, None], (minus - plus)[:, None]
    found = rows.analysis @ (faces @ columns.analysis.T)
    right = torch.cat([(found * even) @ columns.cosines.T, (found * odd) @ columns.sines.T], 2)
    return torch.cat([rows.cosines, rows.sines], 1) @ right * 0.5


@dataclass(frozen=True)
class _Waves:
    """One axis of H source and h target pixels; column f stands for f half waves over the axis.

    analysis: float64 [H, H], pixels -> cosine coefficients
    cosines, sines: float64 [h, H], coefficients -> the mean of the wave over each target pixel
    """

    analysis: Tensor
    cosines: Tensor
    sines: Tensor


@lru_cache(maxsize=64)
def _waves(source: int, target: int) -> _Waves:
    import torch

    middle = (torch.arange(source, dtype=torch.float64) + 0.5) / source
    angles = np.pi * torch.arange(source, dtype=torch.float64)[:, None] * middle
    weight = torch.full((source, 1), 2.0 / source, dtype=torch.float64)
    weight[0] = 1.0 / source
    area = area_weights(source, target)
    return _Waves(weight * angles.cos(), area @ angles.cos().T, area @ angles.sin().T)
