"""Methods built and trained on made faces, with their stages, by way of a plan: no files."""

from __future__ import annotations

import dataclasses
from typing import Any

import safetensors.torch
import torch
from made import CPU, batch_of, data_ref, made_faces, tiny_preset
from torch import Tensor

from lrfer_bench.contract.faceset import Split
from lrfer_bench.contract.method import Method, Task
from lrfer_bench.contract.preset import Preset
from lrfer_bench.contract.protocol import HR
from lrfer_bench.planning.build import build_plan
from lrfer_bench.planning.plan import Cell, DataRef, Plan
from lrfer_bench.planning.request import Request
from lrfer_bench.plugins.degradation import protocol_of
from lrfer_bench.running.models import (
    Model,
    TrainingCost,
    build_method,
    cell_method,
    load_model,
    untrained,
)
from lrfer_bench.training.batches import BatchSource
from lrfer_bench.training.loop import Trained, train

FREE = TrainingCost(0.0, "last", 1, 1, [], 0.0)


def plan_of(
    names: list[str],
    scales: tuple[int, ...] = (4,),
    preset: Preset | None = None,
    ref: DataRef | None = None,
    **settings: Any,
) -> Plan:
    request = Request(
        methods=names, scales=scales, preset=preset or tiny_preset(), settings=settings
    )
    return build_plan(request, ref or data_ref())


def fresh(
    name: str,
    scale: int = 4,
    preset: Preset | None = None,
    ref: DataRef | None = None,
    seed: int = 0,
    **settings: Any,
) -> Method:
    """A method of one scale on untrained, frozen stages, by way of its plan."""
    torch.manual_seed(seed)
    plan = plan_of([name], (scale,), preset, ref, **{name: settings})
    cell = next(iter(plan.cells.values()))
    method = untrained(cell, plan)
    return method if cell.training else method.eval()


def fit(method: Method, split: Split, key: str = "k") -> Trained:
    """Train on the made faces under the harness' own loop.

    The method is left with the kept weights.
    """
    task = method.task
    protocol = protocol_of(HR if task.is_hr else "bicubic")
    source = BatchSource(
        split, protocol, task.scales, task.preset.batch, task.preset.shift, key, CPU,
        task.preset.flips,
    )  # fmt: skip
    return train(method, source, lambda trained: 0.0)


@dataclasses.dataclass
class Outcome:
    """A method trained with its stages.

    The cell, every model as it would be stored, and what its training told.
    """

    cell: Cell
    models: dict[str, Model]
    trained: dict[str, Trained]
    in_memory: dict[str, Method]

    def method(self) -> Method:
        """Built anew and given its stored weights."""
        return cell_method(self.cell, self.models, CPU)

    @property
    def history(self) -> list[dict[str, Any]]:
        return self.trained[self.cell.training].history if self.cell.training else []


def fitted(
    name: str,
    split: Split,
    scale: int = 4,
    preset: Preset | None = None,
    known: dict[str, Model] | None = None,
    **settings: Any,
) -> Outcome:
    """Train a method and its stages, each once, on made faces.

    known: models of the same faces, by key; those are not trained again, and new ones are entered.
    """
    side, channels = split.images.shape[2], split.images.shape[1]
    ref = data_ref(channels, int(split.labels.max()) + 1, side)
    plan = plan_of([name], (scale,), preset, ref, **{name: settings})
    cell = next(iter(plan.cells.values()))
    models = {} if known is None else known
    trained: dict[str, Trained] = {}
    in_memory: dict[str, Method] = {}
    for key in plan.needed_for(cell):
        if key in models:
            continue
        training = plan.trainings[key]
        stages = {stage: load_model(of, models, CPU) for stage, of in training.stages.items()}
        torch.manual_seed(1)
        task = Task(len(ref.classes), channels, ref.size, training.scales, training.preset, stages)
        in_memory[key] = build_method(training.method, task, CPU)
        trained[key] = fit(in_memory[key], split, key)
        weights = {part: value.contiguous() for part, value in trained[key].weights.items()}
        models[key] = Model(training, safetensors.torch.save(weights), FREE)
    return Outcome(cell, models, trained, in_memory)


def met(name: str, **settings: Any) -> tuple[Any, Any, Tensor, Tensor]:
    """(method, batch, HR faces in 0..1, enlarged LR faces in 0..1)"""
    method = fresh(name, ref=data_ref(side=24), **settings).eval()
    batch = batch_of(made_faces(8, side=24), (4,))
    return method, batch, batch.hr.float() / 255, method.enlarge(batch.lr)


def told(method: Any, batch: Any) -> dict[str, float]:
    return {name: loss.item() for name, loss in method.losses(batch).items()}
