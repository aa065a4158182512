"""The camera's batches against single faces made in another way, and JPEG against Pillow."""

from __future__ import annotations

import camera_by_fft
import numpy as np
import pytest
import torch
from PIL import features

from lrfer_bench.contract.protocol import lr_size
from lrfer_bench.protocols.camera import Camera
from lrfer_bench.protocols.jpeg import through_jpeg

libjpeg_turbo = pytest.mark.skipif(
    not features.check_feature("libjpeg_turbo"),
    reason="this Pillow has another JPEG than libjpeg-turbo",
)


def faces(count: int, channels: int, height: int, width: int) -> np.ndarray:
    """uint8 [count, C, H, W]: half of them noise, half smooth with a little noise."""
    rng = np.random.default_rng(count + height)
    noise = rng.integers(0, 256, (count, channels, height, width))
    tilt = np.linspace(0, 1, height)[:, None] * rng.uniform(-150, 150, (count, channels, 1, 1))
    smooth = rng.uniform(60, 200, (count, channels, 1, 1)) + tilt + noise / 16
    return (
        np.where((np.arange(count) % 2)[:, None, None, None], noise, smooth)
        .clip(0, 255)
        .astype(np.uint8)
    )


@libjpeg_turbo
@pytest.mark.parametrize(
    ("count", "channels", "size", "scale"),
    [
        (300, 1, (48, 48), 2),
        (600, 1, (48, 48), 4),
        (600, 1, (48, 48), 8),
        (100, 3, (48, 48), 4),
        (60, 3, (50, 47), 3),
        (40, 1, (100, 60), 8),
        (20, 1, (48, 48), 48),
    ],
)
def test_batches_are_the_bytes_of_single_faces(
    count: int, channels: int, size: tuple[int, int], scale: int
) -> None:
    hr = faces(count, channels, *size)
    seeds = np.random.default_rng(scale).integers(0, 2**62, count)
    ours = Camera().apply(torch.from_numpy(hr), scale, torch.from_numpy(seeds)).numpy()
    small = lr_size(size, scale)
    for face, seed, made in zip(hr, seeds, ours, strict=True):
        np.testing.assert_array_equal(made, camera_by_fft.photograph(face, int(seed), scale, small))


def test_no_faces_make_no_faces() -> None:
    none = Camera().apply(
        torch.zeros(0, 1, 48, 48, dtype=torch.uint8), 4, torch.zeros(0, dtype=torch.long)
    )
    assert tuple(none.shape) == (0, 1, 12, 12)


@libjpeg_turbo
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(1, 1), (6, 6), (12, 12), (13, 7), (16, 24), (50, 31)])
def test_jpeg_is_pillow_s_at_every_quality(channels: int, size: tuple[int, int]) -> None:
    images, qualities = faces(200, channels, *size), 1 + np.arange(200) % 100
    ours = through_jpeg(torch.from_numpy(images), torch.from_numpy(qualities)).numpy()
    theirs = [camera_by_fft.jpeg(x, int(q)) for x, q in zip(images, qualities, strict=True)]
    np.testing.assert_array_equal(ours, np.stack(theirs))


def test_jpeg_of_one_grey_is_that_grey_and_low_quality_loses_detail() -> None:
    flat = torch.full((1, 1, 8, 8), 136, dtype=torch.uint8)
    assert torch.equal(through_jpeg(flat, torch.tensor([50])), flat)
    stripes = torch.tensor([100, 104] * 4, dtype=torch.uint8).expand(1, 1, 8, 8)
    assert torch.equal(through_jpeg(stripes, torch.tensor([100])), stripes)
    assert len(through_jpeg(stripes, torch.tensor([10])).unique()) == 1
