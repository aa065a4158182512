"""What a method is tried on: a few small faces, a small preset, a batch of noise."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from lrfer_bench.contract.dataset import Dataset
from lrfer_bench.contract.faceset import FaceSet, Split
from lrfer_bench.contract.method import Batch, Task
from lrfer_bench.contract.preset import Preset, preset_of
from lrfer_bench.data.options import prepared_dataset
from lrfer_bench.pixels import resize
from lrfer_bench.plugins.degradation import protocol_of
from lrfer_bench.training.batches import make_batch

CPU = torch.device("cpu")
PER_CLASS = 16
EPOCHS = 12


class Sample(Dataset):
    """A data set whose faces are in memory already."""

    needs_root = False
    faces: FaceSet

    @classmethod
    def of(cls, faces: FaceSet) -> Sample:
        sample = cls()
        sample.faces = faces
        return sample

    def sources(self, root: Path | None) -> Sequence[Path]:
        return []

    def load(self, root: Path | None) -> FaceSet:
        return self.faces


def few_faces(dataset: str) -> FaceSet:
    """16 training, 4 validation and 8 test faces of each class of a data set, the first of each."""
    faces = prepared_dataset(dataset, None, {}).faces
    splits = {}
    for name, count in (("train", PER_CLASS), ("val", 4), ("test", 8)):
        split = faces.splits[name]
        first = [np.flatnonzero(split.labels == k)[:count] for k in range(len(faces.classes))]
        rows = np.sort(np.concatenate(first))
        images, labels = split.images[rows], split.labels[rows]
        splits[name] = Split(np.ascontiguousarray(images), np.ascontiguousarray(labels))
    return FaceSet("sample", faces.classes, splits, synthetic=True)


def small_preset() -> Preset:
    """The quick preset in a few epochs, without what keeps a network from memorising its faces.

    The mean of the weights covers two steps: it is made and kept as in a run, and hides no step.
    """
    return dataclasses.replace(
        preset_of("quick"), name="check", epochs=EPOCHS, batch=16, ema=0.5, ema_every=1, shift=0,
        label_smoothing=0.0, dropout=0.0,
    )  # fmt: skip


def made_batch(task: Task, scale: int) -> Batch:
    """Six faces of noise in the task's shape, at each of its scales, else at the given one."""
    generator = torch.Generator().manual_seed(0)
    shape = (6, task.channels, 12, 12)
    coarse = torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)
    scales = torch.tensor(task.scales or (scale,))[torch.arange(6) % max(len(task.scales), 1)]
    labels, seeds = torch.arange(6) % task.classes, torch.zeros(6, dtype=torch.int64)
    hr = resize(coarse, task.size)
    return make_batch(hr, labels, scales, seeds, protocol_of("bicubic"), None, CPU)
