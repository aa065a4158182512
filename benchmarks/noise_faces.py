"""A plugin for benchmarks: a data set of noise, as large as asked for, in the shape of FER2013."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lrfer_bench.api import Dataset, DatasetCard, FaceSet, Split, register_dataset


@register_dataset("noisefaces")
class NoiseFaces(Dataset):
    """train: how many training images of 48x48 grey noise; 140 each for validation and test."""

    card = DatasetCard(summary="48-pixel noise for benchmarks", synthetic=True)
    needs_root = False

    def __init__(self, train: int = 2560) -> None:
        self.train = train

    def sources(self, root: Path | None) -> Sequence[Path]:
        return []

    def load(self, root: Path | None) -> FaceSet:
        splits = {
            name: _noise(count, seed)
            for seed, (name, count) in enumerate(
                (("train", self.train), ("val", 140), ("test", 140))
            )
        }
        return FaceSet("noisefaces", tuple("abcdefg"), splits, synthetic=True)


def _noise(count: int, seed: int) -> Split:
    images = np.random.default_rng(seed).integers(0, 256, (count, 1, 48, 48), dtype=np.uint8)
    return Split(images, np.arange(count) % 7)
