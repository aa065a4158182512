"""How many pixels a network for a task works at."""

from __future__ import annotations

import dataclasses

import pytest

from lrfer_bench.contract.method import Task
from lrfer_bench.contract.preset import preset_of
from lrfer_bench.methods.askd import ASKD
from lrfer_bench.methods.gmenet import GMENet
from lrfer_bench.methods.references import Direct
from lrfer_bench.nets.attention import AttentionTrunk
from lrfer_bench.nets.classifiers import LeanNet

BY_SCALE = dataclasses.replace(preset_of("cpu@2"), network_input="by-scale")


def task(scales: tuple[int, ...], size: tuple[int, int] = (48, 48), **changes: object) -> Task:
    return Task(7, 1, size, scales, dataclasses.replace(BY_SCALE, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("scales", "size", "expected"),
    [
        ((1,), (48, 48), (48, 48)),
        ((2,), (48, 48), (48, 48)),
        ((4,), (48, 48), (48, 48)),
        ((6,), (48, 48), (32, 32)),
        ((8,), (48, 48), (24, 24)),
        ((24,), (48, 48), (24, 24)),
        ((8,), (100, 60), (52, 32)),
        ((8,), (16, 16), (16, 16)),
        ((6, 8), (48, 48), (32, 32)),
        ((1, 2, 4, 8), (48, 48), (48, 48)),
    ],
)
def test_four_pixels_for_each_lr_pixel_and_24_at_least(
    scales: tuple[int, ...], size: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert task(scales, size).input_size == expected
    assert task(scales, size, network_input="hr").input_size == size


@pytest.mark.parametrize("cls", [Direct, ASKD, GMENet])
def test_every_network_built_here_works_at_the_same_size(cls: type) -> None:
    for scales in ((1,), (4,), (8,)):
        asked = task(scales)
        parts = cls(asked).modules()
        (net,) = (part for part in parts if isinstance(part, (LeanNet, AttentionTrunk)))
        assert net.size == asked.input_size
