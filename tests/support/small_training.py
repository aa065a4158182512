"""A small method, faces for it, and a training that is killed half-way."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from lrfer_bench.contract.faceset import Split
from lrfer_bench.contract.method import Batch, Method, Task
from lrfer_bench.contract.preset import Preset, preset_of
from lrfer_bench.protocols.resample import Bicubic
from lrfer_bench.training.batches import BatchSource
from lrfer_bench.training.loop import Progress

EPOCHS = 4


def preset(**changes: object) -> Preset:
    return dataclasses.replace(preset_of("quick@1"), epochs=EPOCHS, batch=8, **changes)  # type: ignore[arg-type]


class Small(Method):
    """Convolution, norm, dropout: state of every kind."""

    def __init__(self, task: Task, factor: float = 1.0) -> None:
        super().__init__(task)
        self.factor = factor
        self.net = nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.Dropout(0.3),
            nn.Flatten(),
            nn.Linear(4 * 144, 3),
        )

    def forward(self, lr: torch.Tensor) -> torch.Tensor:
        return self.net(self.enlarge(lr))

    def losses(self, batch: Batch) -> dict[str, torch.Tensor]:
        return {"ce": self.factor * F.cross_entropy(self.net(self.enlarged(batch)), batch.label)}


def source(key: str = "k", scales: tuple[int, ...] = (2,)) -> BatchSource:
    rng = np.random.default_rng(0)
    split = Split(rng.integers(0, 256, (40, 1, 12, 12), dtype=np.uint8), np.arange(40) % 3)
    return BatchSource(split, Bicubic(), scales, 8, 2, key, torch.device("cpu"))


def fresh(**changes: object) -> Small:
    torch.manual_seed(5)
    return Small(Task(3, 1, (12, 12), (2,), preset(**changes)))


def constant(_: Method) -> float:
    return 0.5


class Killed(Exception):
    pass


def killer(after: int) -> Callable[[Progress], None]:
    def tell(progress: Progress) -> None:
        if progress.step >= after:
            raise Killed

    return tell
