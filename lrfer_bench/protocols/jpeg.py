"""What JPEG does to small pictures: encoded and decoded at once, without the bytes between.

Huffman coding loses nothing, so the pixels follow from the colour conversion, two integer
transforms and the rounding of coefficients, here as libjpeg has them by default (jccolor.c,
jfdctint.c, jcdctmgr.c, jidctint.c, jdcolor.c; chroma at full size). Every value is a whole number
far below 2**53 in float64: exact in any order, so all machines make the same bytes, and Pillow
makes them too where it has libjpeg-turbo.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

SIDE = 8

TRANSFORM = (
    (8192, 8192, 8192, 8192, 8192, 8192, 8192, 8192),
    (11363, 9633, 6437, 2260, -2260, -6437, -9633, -11363),
    (10703, 4433, -4433, -10703, -10703, -4433, 4433, 10703),
    (9633, -2259, -11362, -6436, 6436, 11362, 2259, -9633),
    (8192, -8192, -8192, 8192, 8192, -8192, -8192, 8192),
    (6437, -11362, 2261, 9633, -9633, -2261, 11362, -6437),
    (4433, -10704, 10704, -4433, -4433, 10704, -10704, 4433),
    (2260, -6436, 9633, -11363, 11363, -9633, 6436, -2260),
)
"""The discrete cosine transform of 8 values times sqrt(8) * 2**13.

The values are what libjpeg's 13-bit constants sum up to.
"""

FORWARD_BITS, INVERSE_BITS = (11, 15), (11, 18)
"""Bits that are rounded off after each of the two passes.

Of what 2**13 brings in, the first pass leaves two.
"""

LUMINANCE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
CHROMINANCE = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *(((99,) * 8,) * 4),
)
"""Steps of quality 50 (ITU T.81, annex K)."""


def through_jpeg(images: Tensor, qualities: Tensor) -> Tensor:
    """Pixels after JPEG: uint8 [B, C, h, w] -> the same shape.

    C is 1 (grey) or 3 (RGB, chroma not halved). qualities: int64 [B], 1..100 as libjpeg counts
    them, one for each image.
    """
    import torch

    channels, height, width = images.shape[1:]
    steps = _steps()[: min(channels, 2)][:, qualities - 1]  # [1 or 2 tables, B, 8, 8]
    steps = steps[[0, 1, 1][:channels]].transpose(0, 1)
    planes = images.to(torch.float64)
    if channels == 3:
        planes = _to_ycc(planes)
    blocks = _to_blocks(planes)
    back = _decoded(_coefficients(blocks - 128.0), steps[:, :, None, None])
    planes = _from_blocks(back, height, width)
    if channels == 3:
        planes = _to_rgb(planes)
    return planes.to(torch.uint8)


def _coefficients(blocks: Tensor) -> Tensor:
    """Eight times the transform's values, float64 [..., 8, 8]."""
    matrix = _matrix()
    rows = _rounded(blocks @ matrix.T, FORWARD_BITS[0])
    return _rounded(matrix @ rows, FORWARD_BITS[1])


def _decoded(coefficients: Tensor, steps: Tensor) -> Tensor:
    """Coefficients, eight times too large, rounded to whole steps, then transformed to 0..255."""
    sizes = (coefficients.abs() + 4.0 * steps).div_(8.0 * steps).floor_()
    kept = sizes.mul_(steps).copysign_(coefficients)
    matrix = _matrix()
    columns = _rounded(matrix.T @ kept, INVERSE_BITS[0])
    pixels = _rounded(columns @ matrix, INVERSE_BITS[1])
    return pixels.add_(128.0).clamp_(0.0, 255.0)


def _rounded(values: Tensor, bits: int) -> Tensor:
    """values / 2**bits to the nearest whole number, halves up."""
    return values.mul_(2.0**-bits).add_(0.5).floor_()


def _to_blocks(planes: Tensor) -> Tensor:
    """[B, C, h, w] -> [B, C, rows, columns, 8, 8].

    The last row and column are repeated to fill the blocks.
    """
    import torch.nn.functional as F

    height, width = planes.shape[-2:]
    more = (0, -width % SIDE, 0, -height % SIDE)
    filled = F.pad(planes, more, mode="replicate") if any(more) else planes
    return filled.unflatten(3, (-1, SIDE)).unflatten(2, (-1, SIDE)).transpose(3, 4)


def _from_blocks(blocks: Tensor, height: int, width: int) -> Tensor:
    return blocks.transpose(3, 4).flatten(4, 5).flatten(2, 3)[:, :, :height, :width]


def _to_ycc(rgb: Tensor) -> Tensor:
    """RGB -> luminance and chrominance, in libjpeg's fixed point of 16 bits."""
    import torch

    red, green, blue = rgb.unbind(1)
    middle = 128.0 * 65536.0 - 1.0
    return torch.stack(
        [
            _rounded(19595.0 * red + 38470.0 * green + 7471.0 * blue, 16),
            _rounded(-11058.0 * red - 21710.0 * green + 32768.0 * blue + middle, 16),
            _rounded(32768.0 * red - 27439.0 * green - 5329.0 * blue + middle, 16),
        ],
        1,
    )


def _to_rgb(ycc: Tensor) -> Tensor:
    import torch

    light, blueness, redness = ycc[:, 0], ycc[:, 1] - 128.0, ycc[:, 2] - 128.0
    return torch.stack(
        [
            light + _rounded(91881.0 * redness, 16),
            light + _rounded(-22554.0 * blueness - 46802.0 * redness, 16),
            light + _rounded(116130.0 * blueness, 16),
        ],
        1,
    ).clamp_(0.0, 255.0)


@lru_cache(maxsize=1)
def _matrix() -> Tensor:
    import torch

    return torch.tensor(TRANSFORM, dtype=torch.float64)


@lru_cache(maxsize=1)
def _steps() -> Tensor:
    """Quantisation steps by table and quality: float64 [2, 100, 8, 8]."""
    import torch

    tables = torch.tensor([LUMINANCE, CHROMINANCE], dtype=torch.int64)
    quality = torch.arange(1, 101)
    percent = torch.where(quality < 50, 5000 // quality, 200 - 2 * quality)
    scaled = (tables[:, None] * percent[None, :, None, None] + 50) // 100
    return scaled.clamp_(1, 255).to(torch.float64)
