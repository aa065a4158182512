"""Trial: one method, trained on a few small faces; the checks share it."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lrfer_bench.checking.findings import DoesNotApply, RuleBroken
from lrfer_bench.checking.sample import CPU, EPOCHS, Sample, few_faces, small_preset
from lrfer_bench.contract.faceset import FaceSet, Split
from lrfer_bench.contract.method import Method
from lrfer_bench.data.cache import Prepared, prepare
from lrfer_bench.data.lowres import lr_images
from lrfer_bench.errors import CellError, UserError
from lrfer_bench.planning.build import build_plan
from lrfer_bench.planning.plan import Cell, DataRef, Plan, Training, data_ref
from lrfer_bench.planning.request import Request
from lrfer_bench.plugins.blame import own_place, place_of
from lrfer_bench.plugins.registry import METHODS
from lrfer_bench.running.engines.processes import left_behind
from lrfer_bench.running.evaluate import predict
from lrfer_bench.running.jobs import TrainJob
from lrfer_bench.running.models import Model, cell_method, untrained
from lrfer_bench.running.work import run_training, train_here


@dataclasses.dataclass(frozen=True)
class DataShape:
    """One kind of data that a method has to be built for. size: height and width in pixels."""

    channels: int
    classes: int
    size: tuple[int, int]
    scale: int

    def __str__(self) -> str:
        height, width = self.size
        colour = f"{self.channels} channel{'s' if self.channels > 1 else ''}"
        return f"{colour}, {self.classes} classes, {width}x{height} pixels, x{self.scale}"


class Trial:
    """What the checks of one method share. Each part is made when it is first asked for, then kept.

    name, dataset: the method on trial, and the data set that its few faces come from
    settings:      method -> settings, for it and its stages
    folder:        where the faces are prepared, as they are ("true") and with noise for test images
                   ("poisoned")
    """

    def __init__(
        self,
        name: str,
        dataset: str,
        folder: Path,
        settings: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self.name, self.dataset, self.folder = name, dataset, folder
        self.settings = settings or {}
        self.running_before = frozenset(left_behind())

    @cached_property
    def cls(self) -> type[Method]:
        """The method's class; UserError where it cannot be imported."""
        cls: type[Method] = METHODS.load(self.name)
        return cls

    def place(self, function: str) -> str:
        """file:line of one of the method's functions."""
        return place_of(self.cls, function)

    def broken(self, what: str, function: str) -> RuleBroken:
        """The exception for a broken rule that this function of the author's is to blame for."""
        return RuleBroken(f"{what} ({self.place(function)})")

    def sentence(self, error: BaseException, function: str, where: str = "") -> str:
        """Any error of a check as one sentence with a line of the author's file.

        It is the line that raised the error, else that of the function.
        """
        if isinstance(error, (RuleBroken, UserError)):
            return str(error)
        words = " ".join(str(error).split())
        what = words if isinstance(error, CellError) else f"{type(error).__name__}: {words}"
        function = (isinstance(error, CellError) and error.function) or function
        return f"{what}{where} ({own_place(error) or self.place(function)})"

    @contextlib.contextmanager
    def blaming(self, function: str, shape: DataShape) -> Iterator[None]:
        """Errors raised inside become RuleBroken, with the shape and the function's line."""
        try:
            yield
        except (RuleBroken, UserError):
            raise
        except (Exception, SystemExit) as error:
            raise RuleBroken(self.sentence(error, function, f" ({shape})")) from error

    def needs_logits(self) -> None:
        """DoesNotApply for a stage whose forward() gives something else."""
        if not self.answers_logits:
            raise DoesNotApply("its answers are not logits")

    @property
    def answers_logits(self) -> bool:
        return self.cls.answers == "logits"

    @cached_property
    def sample(self) -> FaceSet:
        """A few faces of the data set."""
        return few_faces(self.dataset)

    @cached_property
    def prepared(self) -> Prepared:
        return prepare(Sample.of(self.sample), "sample", None, cache=self.folder / "true")

    @cached_property
    def poisoned(self) -> Path:
        """The sample's folder as prepared with noise for test images."""
        test = self.sample.test
        noise = np.random.default_rng(0).integers(0, 256, test.images.shape, dtype=np.uint8)
        splits = {**self.sample.splits, "test": Split(noise, np.zeros_like(test.labels))}
        faces = dataclasses.replace(self.sample, splits=splits)
        return prepare(Sample.of(faces), "sample", None, cache=self.folder / "poisoned").directory

    @contextlib.contextmanager
    def hidden(self) -> Iterator[None]:
        """While inside, the prepared faces are moved away, so that no HR test image is found."""
        directory = self.prepared.directory
        aside = directory.with_name(f".aside-{directory.name}")
        directory.rename(aside)
        try:
            yield
        finally:
            aside.rename(directory)

    @cached_property
    def plan(self) -> Plan:
        scales = (2, 4) if self.cls.trains == "all scales" else (2,)
        return small_plan([self.name], self.settings, data_ref("sample", self.prepared), scales)

    @cached_property
    def cell(self) -> Cell:
        return next(iter(self.plan.cells.values()))

    @property
    def own_training(self) -> Training | None:
        """The training of the method itself; None where only its stages are trained."""
        return self.plan.trainings[self.cell.training] if self.cell.training else None

    @cached_property
    def _trained(self) -> tuple[dict[str, Model], Method]:
        models: dict[str, Model] = {}
        for key, training in self.plan.trainings.items():
            models[key], in_memory = train_here(TrainJob(training, dict(models)))
        return (
            models,
            in_memory,
        )  # stages come first in a plan, so the last one is the method itself

    @property
    def models(self) -> dict[str, Model]:
        """Every model of the plan by its key, stages first. Trains them at the first call."""
        return self._trained[0]

    @property
    def in_memory(self) -> Method:
        """The method as its training left it, before it is saved and loaded."""
        return self._trained[1]

    @property
    def history(self) -> list[Any]:
        """One entry an epoch of the method's own training; empty where it has none."""
        return list(self.models[self.cell.training].cost.history) if self.cell.training else []

    def train_again(self, poisoned: bool = False) -> bytes:
        """The weights of another training under the same key, optionally with other test images."""
        return run_training(self._job(poisoned)).weights

    def train_interrupted(self) -> bytes:
        """The weights of a training stopped half-way and resumed, with other test images."""

        def stop(progress: Any) -> None:
            if progress.epoch == EPOCHS // 2 + 1:
                raise _Stop

        job = dataclasses.replace(self._job(True), checkpoint=str(self.folder / "half.ckpt"))
        with contextlib.suppress(_Stop):
            run_training(job, stop)
        return run_training(job).weights

    def _job(self, poisoned: bool) -> TrainJob:
        training = self.own_training
        assert training is not None
        if poisoned:
            data = dataclasses.replace(training.data, directory=str(self.poisoned))
            training = dataclasses.replace(training, data=data)
        return TrainJob(training, self.models)

    def loaded(self) -> Method:
        """The cell's method, built anew from the bytes of its models."""
        return cell_method(self.cell, self.models, CPU)

    def shared_weights(self) -> str:
        """The name of a parameter or buffer that is the same tensor in two of its models, or ""."""
        one, other = (
            method.state_dict(keep_vars=True) for method in (self.in_memory, self.loaded())
        )
        return next((name for name, tensor in one.items() if other.get(name) is tensor), "")

    def images(self, split: str = "test") -> NDArray[np.uint8]:
        """LR faces uint8 [N, C, h, w] of a split under the cell's condition."""
        return np.array(lr_images(self.prepared, split, self.cell.tested))

    def answers(
        self, method: Method, images: NDArray[np.uint8] | None = None
    ) -> NDArray[np.float32]:
        """Logits float32 [N, classes] for LR faces uint8 [N, C, h, w]; default: the test faces."""
        faces = self.images() if images is None else images
        return predict(method, faces, len(self.cell.data.classes))

    def untrained(self, shape: DataShape) -> Method:
        """The method on untrained stages for data of another shape, by way of a plan of its own."""
        names = tuple(f"class {number}" for number in range(shape.classes))
        ref = DataRef("made", "0" * 64, "", names, shape.channels, shape.size, True)
        plan = small_plan([self.name], self.settings, ref, (shape.scale,))
        return untrained(next(iter(plan.cells.values())), plan)


def small_plan(
    methods: Sequence[str],
    settings: Mapping[str, Mapping[str, Any]],
    ref: DataRef,
    scales: Sequence[int] = (2,),
    stray: bool = True,
) -> Plan:
    """A plan of the small preset; stray: let settings pass that another method of a file has."""
    request = Request(methods=methods, scales=scales, preset=small_preset(), settings=settings)
    return build_plan(request, ref, stray)


class _Stop(Exception):
    """Interrupts a training."""
