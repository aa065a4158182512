"""Pictures are shown whole and not squeezed: sizes and pixels worked out by hand, and by Pillow."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from lrfer_bench.predicting.shapes import far, inside, whole


@pytest.mark.parametrize(
    ("shape", "size", "inner"),
    [
        ((48, 48), (12, 12), (12, 12)),
        ((100, 50), (12, 12), (12, 6)),
        ((50, 100), (12, 12), (6, 12)),
        ((1, 1000), (12, 12), (1, 12)),
        ((25, 22), (50, 44), (50, 44)),
        ((22, 25), (50, 44), (39, 44)),
    ],
)
def test_the_largest_size_inside(
    shape: tuple[int, int], size: tuple[int, int], inner: tuple[int, int]
) -> None:
    assert inside(shape, size) == inner


def test_a_wide_picture_lies_in_the_middle_and_its_edges_go_on() -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (30, 60), dtype=np.uint8)
    (made,) = whole(torch.from_numpy(picture)[None, None], (12, 12))[0].numpy()
    by_pillow = np.asarray(Image.fromarray(picture).resize((12, 6), Image.Resampling.BICUBIC))
    assert np.array_equal(made[3:9], by_pillow)
    assert (made[:3] == by_pillow[0]).all() and (made[9:] == by_pillow[-1]).all()


def test_every_value_of_a_pixel_survives_the_border() -> None:
    picture = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16)
    made = whole(picture, (16, 20))
    assert made.dtype == torch.uint8 and torch.equal(made[..., 2:18], picture)


def test_a_square_picture_is_only_resized() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (3, 20, 20), dtype=np.uint8)
    made = whole(torch.from_numpy(picture)[None], (8, 8))[0].numpy()
    for channel, own in zip(picture, made, strict=True):
        by_pillow = Image.fromarray(channel).resize((8, 8), Image.Resampling.BICUBIC)
        assert np.array_equal(own, np.asarray(by_pillow))


def test_what_fills_a_size_is_at_no_distance_whatever_its_shape() -> None:
    assert far((12, 9), (12, 12)) == 0 == far((9, 12), (12, 12))
    assert far((48, 20), (12, 12)) == 2 == far((3, 2), (12, 12))
