"""The plain protocols: one resampling filter each, on uint8, nothing random."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lrfer_bench.contract.protocol import Protocol

if TYPE_CHECKING:
    from torch import Tensor


class Bicubic(Protocol):
    """Antialiased bicubic (a = -0.5, support widened by the scale), as in Pillow and MATLAB."""

    name = "bicubic"
    summary = "antialiased bicubic on uint8, byte for byte Pillow's"
    details = (
        "Every source pixel counts: at x4 the filter has 16 taps an axis. This is what FSR-FER "
        "uses (MATLAB imresize) and "
        "the default. Computed on uint8 with Pillow's fixed-point weights in exact arithmetic: the "
        "same bytes on every machine."
    )
    same_on_gpu = True

    def degrade(self, hr: Tensor, size: tuple[int, int], scale: int, seeds: Tensor) -> Tensor:
        from lrfer_bench.pixels import resize

        return resize(hr, size)


class BicubicNoAntialias(Protocol):
    """Bicubic with 4 taps an axis whatever the scale (a = -0.75).

    OpenCV's INTER_CUBIC and torch's default do the same.
    """

    name = "bicubic-noaa"
    summary = "bicubic without antialiasing (4 taps an axis), as OpenCV's INTER_CUBIC"
    details = (
        "At x8 half of the pixels of each axis are never looked at, so fine texture turns into "
        "noise. Scripts that call "
        "cv2.resize(INTER_CUBIC) or F.interpolate without antialias make these images. Rounded "
        "half to even, clamped to 0..255: the same bytes on every processor."
    )

    def degrade(self, hr: Tensor, size: tuple[int, int], scale: int, seeds: Tensor) -> Tensor:
        import torch
        import torch.nn.functional as F

        from lrfer_bench.protocols.four_taps import shrink

        if hr.shape[-2] % scale == 0 and hr.shape[-1] % scale == 0:
            # Weights of few bits: exact in float32, and quicker.
            lr = F.interpolate(hr.to(torch.float32), size=size, mode="bicubic")
        else:
            lr = shrink(hr, size)
        return lr.round_().clamp_(0, 255).to(torch.uint8)


class Area(Protocol):
    """The mean of the source pixels under each LR pixel, as a sensor with large pixels sees it."""

    name = "area"
    summary = "the mean of the source area under each LR pixel"
    details = (
        "With a side that the scale does not divide, pixels are weighted by the part of them that "
        "lies under the LR pixel "
        "(as OpenCV's INTER_AREA does). Rounded half to even from exact means: the same bytes on "
        "every processor."
    )

    def degrade(self, hr: Tensor, size: tuple[int, int], scale: int, seeds: Tensor) -> Tensor:
        import torch
        import torch.nn.functional as F

        if (
            hr.shape[-2] % scale == 0 and hr.shape[-1] % scale == 0
        ):  # whole pixels: exact in float32, and much quicker
            return F.avg_pool2d(hr.to(torch.float32), scale).round_().to(torch.uint8)
        rows = area_parts(int(hr.shape[-2]), size[0])
        columns = area_parts(int(hr.shape[-1]), size[1])
        # Sums of whole numbers, exact in any order, so that one rounding is left: the division's.
        # With weights that are rounded, a mean just between two grey levels went up or down by the
        # matrix product of the processor's maker.
        narrow = (hr.to(torch.float64) @ columns.T).transpose(-1, -2).contiguous()
        sums = (narrow @ rows.T).transpose(-1, -2).contiguous()
        return sums.div_(hr.shape[-2] * hr.shape[-1]).round_().to(torch.uint8)


def area_parts(source: int, target: int) -> Tensor:
    """float64 [target, source]: how many of its `target` parts a source pixel gives each target's.

    Whole numbers. Every row sums to `source`, every column to `target`.
    """
    import torch

    edges = torch.arange(target + 1, dtype=torch.float64) * source
    pixels = torch.arange(source, dtype=torch.float64) * target
    ends, starts = torch.minimum(edges[1:, None], pixels + target), edges[:-1, None]
    return (ends - torch.maximum(starts, pixels)).clamp_(min=0)


def area_weights(source: int, target: int) -> Tensor:
    """float64 [target, source]: the share of each source pixel in each target pixel.

    Every row sums to 1.
    """
    return area_parts(source, target) / source
