"""A distant camera: blur, down-sampling, sensor noise, JPEG.

Drawn anew for each image from its own seed.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lrfer_bench.contract.protocol import Protocol
from lrfer_bench.protocols.resample import area_weights

if TYPE_CHECKING:
    from torch import Tensor

# Ranges are ours, after GFPGAN's y = JPEG(down(x * k) + n) with its widths scaled from 512 pixels
# to small faces: the
# blur is in units of the scale (so of LR pixels), since a lens blurs the sensor's pixels, not the
# original's.
BLUR_SIGMA = (0.1, 0.6)
ANISOTROPY = (1.0, 2.0)
READ_NOISE = (1.0, 6.0)
SHOT_NOISE = (0.0, 0.6)
JPEG_QUALITY = (50, 95)


class Camera(Protocol):
    """Lens and motion blur (an anisotropic Gaussian), area down-sampling, shot and read noise, then
    JPEG at LR size.
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

        images = hr.numpy()
        rows = area_weights(images.shape[-2], size[0]).numpy()
        columns = area_weights(images.shape[-1], size[1]).numpy()
        faces = zip(images, seeds.tolist(), strict=True)
        return torch.from_numpy(
            np.stack([_photograph(face, seed, scale, rows, columns) for face, seed in faces])
        )


def _photograph(
    face: NDArray[np.uint8],
    seed: int,
    scale: int,
    rows: NDArray[np.float64],
    columns: NDArray[np.float64],
) -> NDArray[np.uint8]:
    """One face uint8 [C, H, W] -> uint8 [C, h, w]."""
    rng = np.random.Generator(np.random.PCG64(seed))
    sigma = rng.uniform(*BLUR_SIGMA) * scale
    kernel_sigmas = (sigma, sigma * rng.uniform(*ANISOTROPY))
    angle = rng.uniform(0.0, np.pi)
    read, shot = rng.uniform(*READ_NOISE), rng.uniform(*SHOT_NOISE)
    quality = int(rng.integers(JPEG_QUALITY[0], JPEG_QUALITY[1] + 1))
    small = rows @ _blur(face.astype(np.float64), kernel_sigmas, angle) @ columns.T
    noise = rng.standard_normal(small.shape)
    noisy = small + noise * np.sqrt(read**2 + shot * np.clip(small, 0.0, 255.0))
    return _jpeg(np.clip(np.rint(noisy), 0, 255).astype(np.uint8), quality)


def _blur(
    face: NDArray[np.float64], sigmas: tuple[float, float], angle: float
) -> NDArray[np.float64]:
    """Anisotropic Gaussian blur of [C, H, W] in the frequency domain, borders mirrored so that no
    edge wraps round.
    """
    from scipy import fft

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


def _jpeg(face: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    from PIL import Image

    picture = Image.fromarray(face[0] if face.shape[0] == 1 else np.moveaxis(face, 0, -1))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality, subsampling=0)
    decoded = np.asarray(Image.open(buffer))
    return (
        decoded[None].copy()
        if face.shape[0] == 1
        else np.ascontiguousarray(np.moveaxis(decoded, -1, 0))
    )
