"""What a method is tried on: a few small faces, a small budget, test images out of reach, a training stopped half-way."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lrfer_bench.contract.dataset import Dataset
from lrfer_bench.contract.faceset import FaceSet, Split
from lrfer_bench.contract.method import Batch, Task
from lrfer_bench.contract.preset import Preset, preset_of
from lrfer_bench.pixels import resize
from lrfer_bench.planning.request import prepared_dataset
from lrfer_bench.plugins.degradation import protocol_of
from lrfer_bench.plugins.registry import place_now
from lrfer_bench.running.jobs import TrainJob
from lrfer_bench.running.models import Model
from lrfer_bench.running.work import run_training
from lrfer_bench.training.batches import make_batch

CPU = torch.device("cpu")
PER_CLASS = 16
EPOCHS = 12


class Sample(Dataset):
    """A FaceSet that is there already."""

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
        rows = np.sort(np.concatenate([np.flatnonzero(split.labels == k)[:count] for k in range(len(faces.classes))]))
        splits[name] = Split(np.ascontiguousarray(split.images[rows]), np.ascontiguousarray(split.labels[rows]))
    return FaceSet("sample", faces.classes, splits, synthetic=True)


def small_preset() -> Preset:
    return dataclasses.replace(
        preset_of("quick"), name="check", epochs=EPOCHS, batch=16, ema=0.0, shift=0, label_smoothing=0.0, dropout=0.0
    )


class Hidden:
    """While inside, the prepared data set is not where it was: a method that looks for HR test images finds none."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.aside = directory.with_name(f".aside-{directory.name}")

    def __enter__(self) -> None:
        self.directory.rename(self.aside)

    def __exit__(self, *exception: object) -> None:
        self.aside.rename(self.directory)


class Overheard:
    """Stands for sys.stdout: passes on what is printed and remembers who printed first."""

    def __init__(self, passed_to: Any) -> None:
        self.passed_to = passed_to
        self.first, self.place = "", ""

    def write(self, text: str) -> int:
        if text.strip() and not self.first:
            self.first, self.place = text.strip().splitlines()[0][:80], place_now()
        return int(self.passed_to.write(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.passed_to, name)


class _Stop(Exception):
    pass


def stopped_and_resumed(job: TrainJob) -> Model:
    def stop(progress: Any) -> None:
        if progress.epoch == EPOCHS // 2 + 1:
            raise _Stop

    with contextlib.suppress(_Stop):
        run_training(job, stop)
    return run_training(job)


def made_batch(task: Task, scale: int) -> Batch:
    """Six faces of noise at the task's shape; every scale of the task is there, and HR for a ceiling."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.randint(0, 256, (6, task.channels, 12, 12), generator=generator, dtype=torch.uint8)
    scales = torch.tensor(task.scales or (scale,))[torch.arange(6) % max(len(task.scales), 1)]
    labels, seeds = torch.arange(6) % task.classes, torch.zeros(6, dtype=torch.int64)
    return make_batch(resize(coarse, task.size), labels, scales, seeds, protocol_of("bicubic"), None, CPU)
