"""The protocol camera a second time: face by face, blur by Fourier transforms, Pillow's JPEG."""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import fft


def photograph(
    face: NDArray[np.uint8], seed: int, scale: int, size: tuple[int, int]
) -> NDArray[np.uint8]:
    """One face uint8 [C, H, W] -> uint8 [C, *size]."""
    rng = np.random.Generator(np.random.PCG64(seed))
    sigma = rng.uniform(0.1, 0.6) * scale
    sigmas = (sigma, sigma * rng.uniform(1.0, 2.0))
    angle = rng.uniform(0.0, np.pi)
    read, shot = rng.uniform(1.0, 6.0), rng.uniform(0.0, 0.6)
    quality = int(rng.integers(50, 96))
    rows, columns = area(face.shape[1], size[0]), area(face.shape[2], size[1])
    small = rows @ blurred(face.astype(np.float64), sigmas, angle) @ columns.T
    noise = rng.standard_normal(small.shape) * np.sqrt(read**2 + shot * np.clip(small, 0, 255))
    return jpeg(np.clip(np.rint(small + noise), 0, 255).astype(np.uint8), quality)


@lru_cache
def area(source: int, target: int) -> NDArray[np.float64]:
    """[target, source]: the mean over each target pixel.

    It goes by way of source * target slices of a pixel.
    """
    slices = np.repeat(np.eye(source), target, axis=0).reshape(target, source, source)
    return slices.mean(1)


def blurred(
    face: NDArray[np.float64], sigmas: tuple[float, float], angle: float
) -> NDArray[np.float64]:
    """Anisotropic Gaussian blur of [C, H, W], borders mirrored so that no edge wraps round."""
    height, width = face.shape[-2:]
    mirrored = np.concatenate([face, face[..., ::-1]], axis=-1)
    mirrored = np.concatenate([mirrored, mirrored[:, ::-1]], axis=-2)
    fy = fft.fftfreq(2 * height)[:, None]
    fx = fft.rfftfreq(2 * width)[None, :]
    along = fx * np.cos(angle) + fy * np.sin(angle)
    across = fy * np.cos(angle) - fx * np.sin(angle)
    gain = np.exp(-2.0 * np.pi**2 * ((sigmas[0] * along) ** 2 + (sigmas[1] * across) ** 2))
    spectrum = fft.rfft2(mirrored) * gain
    return fft.irfft2(spectrum, s=mirrored.shape[-2:])[:, :height, :width]


def jpeg(face: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Pillow's encoder and decoder; chroma at full size."""
    picture = Image.fromarray(face[0] if len(face) == 1 else np.moveaxis(face, 0, -1))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality, subsampling=0)
    decoded = np.asarray(Image.open(buffer))
    return decoded[None] if len(face) == 1 else np.moveaxis(decoded, -1, 0)
