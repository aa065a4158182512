"""A toy data set that reads its seed from a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from lrfer_bench.contract.cards import DatasetCard
from lrfer_bench.contract.dataset import Dataset
from lrfer_bench.contract.faceset import FaceSet, Split
from lrfer_bench.errors import DataError


def toy_faces(
    seed: int = 0, count: int = 12, channels: int = 1, side: int = 8, soft: bool = False
) -> FaceSet:
    rng = np.random.default_rng(seed)
    splits = {}
    for name, size in (("train", count), ("val", count // 2), ("test", count // 3)):
        images = rng.integers(0, 256, (size, channels, side, side), dtype=np.uint8)
        labels = np.arange(size) % 2
        votes = np.eye(2, dtype=np.float32)[labels] if soft else None
        splits[name] = Split(
            images, labels.astype(np.int64), votes, np.arange(size, dtype=np.int64) + 100
        )
    return FaceSet("toy", ("off", "on"), splits, notes=("a toy",))


class Toy(Dataset):
    """Faces from a seed in a file; counts how often it was loaded."""

    card: ClassVar[DatasetCard] = DatasetCard(summary="toy")

    def __init__(self, soft: bool = False, side: int = 8) -> None:
        self.soft = soft
        self.side = side
        self.loaded = 0

    def sources(self, root: Path | None) -> Sequence[Path]:
        if root is None or not (root / "seed.txt").is_file():
            raise DataError("no seed.txt")
        return [root / "seed.txt"]

    def load(self, root: Path | None) -> FaceSet:
        self.loaded += 1
        return toy_faces(int(self.sources(root)[0].read_text()), soft=self.soft, side=self.side)
