"""Super-resolvers: the EDSR baseline for any whole scale, and networks that spandrel loads."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lrfer_bench.errors import UserError
from lrfer_bench.pixels import centred, enlarge, fit, to_unit


class EDSR(nn.Module):
    """The EDSR baseline (Lim et al., 2017): residual blocks at LR size, then pixel shuffle.

    It has no batch norm, and one skip around all. What it makes is added to the bicubically
    enlarged face, so that it starts from there. Where the HR size is not a multiple of the scale it
    makes ceil(side / scale) * scale pixels, which are then resized to the HR size.
    """

    def __init__(self, channels: int, scale: int, width: int, blocks: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, width, 3, 1, 1)
        self.blocks = nn.ModuleList(_Block(width) for _ in range(blocks))
        self.last = nn.Conv2d(width, width, 3, 1, 1)
        steps: list[nn.Module] = []
        for factor in prime_factors(scale):
            steps += [nn.Conv2d(width, width * factor**2, 3, 1, 1), nn.PixelShuffle(factor)]
        self.upscale = nn.Sequential(*steps)
        self.pixels = nn.Conv2d(width, channels, 3, 1, 1)
        with torch.no_grad():  # the first faces are near the enlarged ones, not noise
            self.pixels.weight.mul_(0.1)
            torch.nn.init.zeros_(self.pixels.bias)  # type: ignore[arg-type]

    def forward(self, lr: Tensor, size: tuple[int, int]) -> Tensor:
        """uint8 [B, C, h, w] -> float [B, C, *size], about 0..1.

        It is not clipped, so that gradients reach every pixel.
        """
        start = self.first(centred(to_unit(lr)))
        x = start
        for block in self.blocks:
            x = block(x)
        detail = self.pixels(self.upscale(start + self.last(x)))
        return enlarge(lr, size) + fit(detail, size)


class _Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, 1, 1)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(F.relu(self.conv1(x), inplace=True))


def prime_factors(number: int) -> list[int]:
    """Prime factors, smallest first: EDSR enlarges in steps of 2 or 3.

    >>> prime_factors(12), prime_factors(1)
    ([2, 2, 3], [])
    """
    factors, candidate = [], 2
    while number > 1:
        while number % candidate == 0:
            factors.append(candidate)
            number //= candidate
        candidate += 1
    return factors


def psnr(images: Tensor, reference: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in dB, float [B], at most 100, of float images in 0..1.

    Both are [B, C, H, W].
    """
    error = (images.clamp(0.0, 1.0) - reference).square().mean((1, 2, 3))
    return -10.0 * torch.log10(error.clamp_min(1e-10))


FACE_SIDE = 512
"""Side in pixels that face restorers such as GFPGAN know, where the network asks for no more."""


class Published(nn.Module):
    """Any super-resolver that spandrel can load; what it makes is fitted to the HR size.

    A network for colour is shown grey faces as RGB, and the mean of what it makes is taken; one for
    grey restores each colour by itself. A face restorer (purpose FaceSR) enlarges nothing and knows
    large square faces alone: it is shown the face enlarged to these, by bicubic interpolation.
    """

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._descriptor = _load_published(file)
        self.net = self._descriptor.model.requires_grad_(False)
        self.face_side = 0
        if getattr(self._descriptor, "purpose", "SR") == "FaceSR":
            self.face_side = max(self._descriptor.size_requirements.minimum, FACE_SIDE)

    def forward(self, lr: Tensor, size: tuple[int, int]) -> Tensor:
        """uint8 [B, C, h, w] -> float [B, C, *size] in 0..1."""
        if not self.face_side:
            return self._restored(to_unit(lr), size)
        side, made = (self.face_side, self.face_side), []
        devices = [lr.device] if lr.is_cuda else []
        for face in lr.split(1):  # one at a time, since they are large
            with torch.random.fork_rng(devices=devices):
                torch.manual_seed(0)  # some face restorers draw noise: each face gets the same
                made.append(self._restored(enlarge(face, side), size))
        return torch.cat(made)

    def _restored(self, images: Tensor, size: tuple[int, int]) -> Tensor:
        """float [B, C, h, w] in 0..1 -> float [B, C, *size] in 0..1."""
        batch, wanted = images.shape[:2], self._descriptor.input_channels
        apart = wanted == 1 or images.shape[1] == 1  # planes that are restored one by one
        if apart:
            images = images.flatten(0, 1)[:, None].expand(-1, wanted, -1, -1)
        made = self._descriptor(images)
        if apart:
            made = made.mean(1).unflatten(0, batch)
        return fit(made, size).clamp(0.0, 1.0)


def _load_published(file: Path):  # type: ignore[no-untyped-def]
    try:
        import spandrel
    except ImportError as error:
        raise UserError(
            'a published super-resolver needs the package spandrel: pip install "lrfer-bench[sr]", '
            "or leave out sr_checkpoint"
        ) from error
    try:
        model = spandrel.ModelLoader(device="cpu").load_from_file(file)
    except Exception as error:  # spandrel tries many formats, and each fails in its own way
        raise UserError(
            f"{file} is not a super-resolver that spandrel knows ({type(error).__name__}): give "
            "the .pth or .safetensors file of a published one"
        ) from error
    if not isinstance(model, spandrel.ImageModelDescriptor):
        raise UserError(
            f"{file} holds a {type(model).__name__}, which makes no image from one image: give a "
            "super-resolver"
        )
    return model
