"""Made faces, their data set as a plan knows it, a tiny preset, and batches of them: no files."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import torch

from lrfer_bench.contract.faceset import Split
from lrfer_bench.contract.method import Batch
from lrfer_bench.contract.preset import Preset, preset_of
from lrfer_bench.contract.protocol import HR
from lrfer_bench.planning.plan import DataRef
from lrfer_bench.plugins.degradation import protocol_of
from lrfer_bench.training.batches import make_batch

CPU = torch.device("cpu")


def data_ref(channels: int = 1, classes: int = 7, side: int = 48) -> DataRef:
    return DataRef(
        "made", "f" * 64, "/nowhere", tuple("abcdefgh"[:classes]), channels, (side, side), False
    )


def made_faces(
    count: int = 28, channels: int = 1, classes: int = 7, side: int = 48, seed: int = 0
) -> Split:
    """Each class is a smooth pattern of its own, each face that pattern under a little noise.

    So they are easy, yet not trivial at x8.
    """
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(40, 215, (classes, channels, 4, 4))
    labels = np.arange(count) % classes
    faces = np.kron(coarse[labels], np.ones((-(-side // 4), -(-side // 4))))[..., :side, :side]
    noisy = faces + rng.normal(0, 8, faces.shape)
    return Split(noisy.clip(0, 255).astype(np.uint8), labels.astype(np.int64))


def fine_faces(count: int = 28, classes: int = 7, side: int = 24, seed: int = 0) -> Split:
    """Each class is a pattern of squares of 2 pixels on another of 4, under shades of each face's.

    At x4 only the coarse pattern is left. It is enough to learn the class by, but the HR classifier
    has learned both together and is helpless before the enlarged faces.
    """
    rng = np.random.default_rng(seed)
    fine = rng.choice([-30, 30], (classes, 1, side // 2, side // 2))
    coarse = rng.choice([-40, 40], (classes, 1, side // 4, side // 4))
    labels = np.arange(count) % classes
    squares = 128 + _enlarged(fine[labels], 2) + _enlarged(coarse[labels], 4)
    faces = squares + _enlarged(rng.uniform(-30, 30, (count, 1, 3, 3)), side // 3)
    noisy = faces + rng.normal(0, 4, faces.shape)
    return Split(noisy.clip(0, 255).astype(np.uint8), labels.astype(np.int64))


def _enlarged(squares: np.ndarray, factor: int) -> np.ndarray:
    """Each pixel [..., h, w] as a square of factor x factor."""
    return np.kron(squares, np.ones((factor, factor)))


def tiny_preset(epochs: int = 2, batch: int = 14, **changes: Any) -> Preset:
    return dataclasses.replace(preset_of("quick"), epochs=epochs, batch=batch, shift=0, **changes)


def batch_of(split: Split, scales: tuple[int, ...], count: int | None = None) -> Batch:
    """The first faces of a split, at the scales in turn."""
    count = count or len(split)
    scale = torch.tensor(scales)[torch.arange(count) % len(scales)]
    hr, labels = torch.from_numpy(split.images[:count]), torch.from_numpy(split.labels[:count])
    protocol = protocol_of(HR if scales == (1,) else "bicubic")
    return make_batch(hr, labels, scale, torch.zeros(count, dtype=torch.long), protocol, None, CPU)
