"""What F-SKD, KD and FitNets share: a student that is built like the HR classifier."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from lrfer_bench.api import Batch, Task
from lrfer_bench.methods.stages import Classifier, classifier_of, map_shapes, try_maps


class Student(Classifier):
    """Built like the stage "classifier"; as the preset says without one.

    It starts from scratch, or from a file of weights.
    """

    compares_maps: ClassVar[bool] = False
    """Whether it learns from its teacher's maps, which not every classifier hands out."""

    @classmethod
    def notes_for(cls, settings: Mapping[str, Any], task: Task) -> list[str]:
        """What was taken of its weights; UserError where they do not fit.

        It is built like its teacher, which is asked for itself.
        """
        if not cls.needs_for(settings, task.is_hr):
            return super().notes_for(settings, task)
        if cls.compares_maps:
            try_maps(task)
        return [cls(task, **settings).net.started] if settings.get("weights") else []

    def __init__(self, task: Task, weights: str = "") -> None:
        if task.stages:
            teacher = classifier_of(task.stages)
            super().__init__(
                task, arch=teacher.arch, input_size=teacher.input_size, weights=weights
            )
        else:
            super().__init__(task, weights=weights)

    def plain_losses(self, batch: Batch) -> dict[str, Tensor]:
        """Of a student without a teacher."""
        return super().losses(batch)

    def seen(self, batch: Batch) -> tuple[list[Tensor], list[Tensor]]:
        """The maps of every stage: the student's of enlarged LR faces, the teacher's of HR ones."""
        low = self.net.maps(self.enlarged(batch))
        with torch.no_grad():
            high = classifier_of(self.stages).net.maps(self.unit(batch.hr))
        return low, high


class HintLayers(nn.Module):
    """conv1x1 and batch norm for each map of a student, before it is compared with its teacher's.

    They belong to the training alone: no answer goes through them.
    """

    def __init__(self, student: Student) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Conv2d(width, width, 1, bias=False), nn.BatchNorm2d(width))
            for width, *_ in map_shapes(student)
        )

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        return [layer(m) for layer, m in zip(self.layers, maps, strict=True)]
