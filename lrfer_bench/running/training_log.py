"""What trainings tell, written for a viewer: TensorBoard's files, a folder for each training.

    results/tensorboard/DATASET_PROTOCOL_PRESET/METHOD-AS-IN-TABLES/SCALES_sSEED_KEY

The process of the run writes them, from what the training loop tells anyway (training/loop.py,
Progress): a training computes the same bits with and without a log, and no key knows of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from lrfer_bench.errors import UserError, did_you_mean
from lrfer_bench.planning.plan import Training
from lrfer_bench.training.loop import Progress

_UNSAFE = re.compile(r'[/\\:*?"<>|\s]+')
LONGEST = 120


class TrainingLog(Protocol):
    """Hears of the trainings of a run."""

    def told(self, training: Training, progress: Progress) -> None:
        """A running training tells how far it is."""

    def ended(self, training: Training) -> None:
        """A training is done or lost; nothing more comes of it, if it is not tried once more."""

    def close(self) -> None:
        """The run is over."""


class TensorBoardLog:
    """Losses, validation, learning rates and faces a second, over steps."""

    def __init__(self, root: Path, writer_of: Callable[[str], Any] | None = None) -> None:
        self.root = root
        self._writer_of = writer_of or _summary_writer()
        self._writers: dict[str, Any] = {}

    def told(self, training: Training, progress: Progress) -> None:
        writer = self._writers.get(training.key)
        if writer is None:
            writer = self._writer_of(str(folder_of(self.root, training)))
            self._writers[training.key] = writer
        values = {f"loss/{name}": value for name, value in progress.losses.items()}
        values |= {f"rate/{name}": value for name, value in progress.rates.items()}
        values["speed/faces_per_second"] = progress.faces_per_second
        if progress.val_score is not None:
            values["validation/score"] = progress.val_score
        for name, value in values.items():
            writer.add_scalar(name, value, progress.step)

    def ended(self, training: Training) -> None:
        writer = self._writers.pop(training.key, None)
        if writer is not None:
            writer.close()

    def close(self) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()


LOGS: dict[str, Callable[[Path], TrainingLog]] = {"tensorboard": TensorBoardLog}
"""By the word of --log."""


def open_log(name: str, results: Path) -> TrainingLog:
    """The log of a name, in a folder of that name; UserError for another name or what it lacks."""
    if name not in LOGS:
        raise UserError(f'there is no log "{name}": {did_you_mean(name, LOGS)}')
    return LOGS[name](results / name)


def folder_of(root: Path, training: Training) -> Path:
    """Where a training's files are: named as its board, its row and its column in the tables.

    The head of its key keeps apart what tables tell apart by more words.
    """
    condition = training.condition
    where = f"{training.data.name}_{condition.protocol}_{training.preset.id}"
    scales = "HR" if condition.scales == (1,) else f"x{','.join(map(str, condition.scales))}"
    leaf = f"{scales}_s{training.seed}_{training.key[:8]}"
    return root / _plain(where) / _plain(training.method.label) / leaf


def _plain(name: str) -> str:
    return _UNSAFE.sub("-", name)[:LONGEST]


def _summary_writer() -> Callable[[str], Any]:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise UserError(
            f"the log tensorboard needs TensorBoard ({error}): "
            'pip install "lrfer-bench[tensorboard]"'
        ) from error
    return SummaryWriter
