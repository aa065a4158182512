"""Made faces, a tiny budget, and methods built and trained on them without any files."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch

from lrfer_bench.contract.faceset import Split
from lrfer_bench.contract.method import Batch, Method, Task
from lrfer_bench.contract.preset import Preset, preset_of
from lrfer_bench.contract.protocol import HR
from lrfer_bench.planning.build import build_plan
from lrfer_bench.planning.plan import Cell, DataRef, Plan
from lrfer_bench.planning.request import Request
from lrfer_bench.plugins.degradation import protocol_of
from lrfer_bench.running.models import Model, TrainingCost, build_method, cell_method, load_model, untrained
from lrfer_bench.training.batches import BatchSource, make_batch
from lrfer_bench.training.loop import Trained, train

CPU = torch.device("cpu")
FREE = TrainingCost(0.0, "last", 1, 1, [], 0.0)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def data_ref(channels: int = 1, classes: int = 7, side: int = 48) -> DataRef:
    return DataRef("made", "f" * 64, "/nowhere", tuple("abcdefgh"[:classes]), channels, (side, side), False)


def made_faces(count: int = 28, channels: int = 1, classes: int = 7, side: int = 48, seed: int = 0) -> Split:
    """Each class is a smooth pattern of its own, each face that pattern under a little noise: easy, yet not trivial at x8."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(40, 215, (classes, channels, 4, 4))
    labels = np.arange(count) % classes
    faces = np.kron(coarse[labels], np.ones((-(-side // 4), -(-side // 4))))[..., :side, :side]
    noisy = faces + rng.normal(0, 8, faces.shape)
    return Split(noisy.clip(0, 255).astype(np.uint8), labels.astype(np.int64))


def fine_faces(count: int = 28, classes: int = 7, side: int = 24, seed: int = 0) -> Split:
    """Each class is a pattern of squares of four pixels, which one LR pixel at x4 can hardly hold, under shades of each face's
    own: the HR classifier is helpless before the enlarged ones.
    """
    rng = np.random.default_rng(seed)
    pattern = 128 + rng.choice([-60, 60], (classes, 1, 6, 6))
    labels = np.arange(count) % classes
    squares = np.kron(pattern[labels], np.ones((side // 6, side // 6)))
    shades = np.kron(rng.uniform(-60, 60, (count, 1, 3, 3)), np.ones((side // 3, side // 3)))
    noisy = squares + shades + rng.normal(0, 4, squares.shape)
    return Split(noisy.clip(0, 255).astype(np.uint8), labels.astype(np.int64))


def tiny_preset(epochs: int = 2, batch: int = 14, **changes: Any) -> Preset:
    return dataclasses.replace(preset_of("quick"), epochs=epochs, batch=batch, shift=0, **changes)


def batch_of(split: Split, scales: tuple[int, ...], count: int | None = None) -> Batch:
    """The first faces of a split, at the scales in turn."""
    count = count or len(split)
    scale = torch.tensor(scales)[torch.arange(count) % len(scales)]
    hr, labels = torch.from_numpy(split.images[:count]), torch.from_numpy(split.labels[:count])
    protocol = protocol_of(HR if scales == (1,) else "bicubic")
    return make_batch(hr, labels, scale, torch.zeros(count, dtype=torch.long), protocol, None, CPU)


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
    name: str, scale: int = 4, preset: Preset | None = None, ref: DataRef | None = None, seed: int = 0, **settings: Any
) -> Method:
    """A method of one scale on untrained, frozen stages, by way of its plan."""
    torch.manual_seed(seed)
    plan = plan_of([name], (scale,), preset, ref, **{name: settings})
    cell = next(iter(plan.cells.values()))
    method = untrained(cell, plan)
    return method if cell.training else method.eval()


def fit(method: Method, split: Split, key: str = "k") -> Trained:
    """Train on the made faces under the harness' own loop; the method is left with the kept weights."""
    task = method.task
    protocol = protocol_of(HR if task.is_hr else "bicubic")
    source = BatchSource(split, protocol, task.scales, task.preset.batch, task.preset.shift, key, CPU)
    return train(method, source, lambda trained: 0.0)


@dataclasses.dataclass
class Outcome:
    """A method trained with its stages: the cell, every model as it would be stored, and what its training told."""

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


def fitted(name: str, split: Split, scale: int = 4, preset: Preset | None = None, **settings: Any) -> Outcome:
    """Train a method and its stages, each once, on made faces."""
    side, channels = split.images.shape[2], split.images.shape[1]
    ref = data_ref(channels, int(split.labels.max()) + 1, side)
    plan = plan_of([name], (scale,), preset, ref, **{name: settings})
    cell = next(iter(plan.cells.values()))
    models: dict[str, Model] = {}
    trained: dict[str, Trained] = {}
    in_memory: dict[str, Method] = {}
    for key in plan.needed_for(cell):
        training = plan.trainings[key]
        stages = {stage: load_model(of, models, CPU) for stage, of in training.stages.items()}
        torch.manual_seed(1)
        task = Task(len(ref.classes), channels, ref.size, training.scales, training.preset, stages)
        in_memory[key] = build_method(training.method, task, CPU)
        trained[key] = fit(in_memory[key], split, key)
        weights = {part: value.contiguous() for part, value in trained[key].weights.items()}
        models[key] = Model(training, safetensors.torch.save(weights), FREE)
    return Outcome(cell, models, trained, in_memory)


@pytest.fixture
def tools() -> Callable[[str], Callable[..., Any]]:
    """The functions above by name: tools("fit")(...)."""
    names: dict[str, Callable[..., Any]] = {
        "batch_of": batch_of, "data_ref": data_ref, "fine_faces": fine_faces, "fit": fit,
        "fitted": fitted, "fresh": fresh, "made_faces": made_faces,
        "plan_of": plan_of, "tiny_preset": tiny_preset,
    }  # fmt: skip
    return names.__getitem__
