"""What travels to a worker: a training or a cell, with the finished models that it rests on.

Plain data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from lrfer_bench.planning.plan import Cell, Training
from lrfer_bench.running.models import Model


@dataclass(frozen=True)
class TrainJob:
    """Train one model.

    models:     every finished model it rests on, by key
    checkpoint: the file where the worker's machine keeps one
    least:      epoch -> the validation score below which it is stopped after it (see train())
    """

    training: Training
    models: Mapping[str, Model] = field(default_factory=dict)
    checkpoint: str | None = None
    device: str = "cpu"
    least: Mapping[int, float] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.training.key

    @property
    def label(self) -> str:
        return f"train {self.training.label}"


@dataclass(frozen=True)
class TestJob:
    """Test one cell."""

    __test__: ClassVar[bool] = False  # pytest takes a class called Test... for its own

    cell: Cell
    models: Mapping[str, Model] = field(default_factory=dict)
    device: str = "cpu"

    @property
    def key(self) -> str:
        return self.cell.key

    @property
    def label(self) -> str:
        return f"test {self.cell.label}"


Job = TrainJob | TestJob
