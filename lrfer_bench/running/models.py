"""A trained model: its weights as bytes, its cost, its files, and how it is built again.

On disk it is <key>.safetensors and, written last, <key>.json with the cost of its training.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch.nn.parameter import is_lazy

from lrfer_bench.contract.method import Method, Task
from lrfer_bench.errors import UserError
from lrfer_bench.files import is_no_fault, not_now, read_limited, set_aside, write_atomically
from lrfer_bench.nets.later import fill_others, filled_later
from lrfer_bench.planning.plan import Cell, MethodRef, Plan, Training
from lrfer_bench.plugins.contents import place_of
from lrfer_bench.plugins.registry import METHODS
from lrfer_bench.running.facts import read_facts, write_facts
from lrfer_bench.store.store import Store
from lrfer_bench.training.drawing import drawing

MOST_BYTES = 1 << 33
"""No network of this field has weights of 8 gigabytes."""

Stages = Callable[[str], Method]
"""From a training's key to its model, frozen and in eval mode."""


@dataclass(frozen=True)
class TrainingCost:
    """What a training took, and how the kept weights were chosen.

    seconds: all epochs, validation included; rule, epoch: the selection rule and the epoch it kept
    history: a row an epoch with "epoch", "seconds", "losses" and "val_score"
    arithmetic: what trained it, as arithmetic_of() tells it; "" where an older file does not say
    """

    seconds: float
    rule: str
    epoch: int
    epochs: int
    history: list[dict[str, Any]]
    peak_memory_mb: float
    arithmetic: str = ""


@dataclass(frozen=True)
class Model:
    """A trained model on its way to a worker or to disk. weights: safetensors."""

    training: Training
    weights: bytes
    cost: TrainingCost

    def __repr__(self) -> str:
        return f"<Model {self.training.label}, {len(self.weights) / 1e6:.1f} MB>"


class ModelMissing(UserError):
    """A model is not on disk, or its two files do not belong together."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(
            f"the model {path} is missing, damaged or does not belong to its .json: delete both "
            "files and "
            "run again, then it is trained anew"
        )


# Building


def build_method(ref: MethodRef, task: Task, device: torch.device) -> Method:
    """Construct a method under its settings, on its device, laid out as it says."""
    cls: type[Method] = METHODS.load(ref.name)
    places = {name: place_of(content) for name, content in ref.contents.items()}
    found = {name: str(place) for name, place in places.items() if place}
    # A file that has another content by now is refused; one that is gone may not be needed.
    gone = {name: content for name, content in ref.contents.items()
            if not Path(str(ref.settings[name])).exists()}  # fmt: skip
    known = {name: ref.contents[name] for name in found}
    plain = {**ref.settings, **gone, **known}
    if dict(cls.canonical_settings(plain, task.preset)) != dict(ref.effective):
        raise UserError(
            f"a file that the settings of {ref.name} name has changed since the plan was made: run "
            "again"
        )
    method = cls(task, **{**plain, **found})
    return _laid_out(method.to(device))


def _laid_out(method: Method) -> Method:
    """Weights of four axes in channels-last memory format; those of five, which torch refuses, not.

    They stay the same tensors, under whatever names.
    """
    if method.channels_last:
        for tensor in (*method.parameters(), *method.buffers()):
            if not is_lazy(tensor) and tensor.ndim == 4:
                tensor.data = tensor.data.contiguous(memory_format=torch.channels_last)
    return method


def build_on_stages(node: Training | Cell, stages: Stages, device: torch.device) -> Method:
    """A fresh method on its stages, of a training or of a cell that trains nothing."""
    below = {name: stages(key) for name, key in node.stages.items()}
    task = node.data.task(node.scales, node.preset, below)
    return build_method(node.method, task, device)


def build_for_cell(cell: Cell, stages: Stages, device: torch.device) -> Method:
    """The method that answers for a cell.

    It is the cell's model or, where the cell trains nothing, what is built on its stages: what it
    draws for itself is the same wherever it is built.
    """
    if cell.training:
        return stages(cell.training)
    with drawing(device, cell.key, "init"):
        return build_on_stages(cell, stages, device).eval()


def load_model(key: str, models: Mapping[str, Model], device: torch.device) -> Method:
    """Build a trained method with its stages and give it its weights; frozen and in eval mode."""
    model = models[key]
    with torch.random.fork_rng(devices=[]), filled_later() as waiting:
        method = build_on_stages(
            model.training, lambda stage: load_model(stage, models, device), device
        )
    try:
        method.load_state_dict(safetensors.torch.load(model.weights))
    except Exception as error:  # safetensors and torch refuse in many ways
        raise UserError(
            f"the weights of {model.training.label} do not fit its method as it is here "
            f"({type(error).__name__}): its code has changed without its version; use the code "
            f"that it came from, or delete models/{key}.* in the results folder, and run with "
            "--overwrite failed"
        ) from error
    fill_others(method, waiting)
    return frozen(method)


def cell_method(cell: Cell, models: Mapping[str, Model], device: torch.device) -> Method:
    """The trained method of a cell, ready to be asked."""
    return build_for_cell(cell, lambda key: load_model(key, models, device), device)


def untrained(node: Training | Cell, plan: Plan, device: torch.device | None = None) -> Method:
    """The method of a training or cell as it is before training, on stages that are untrained, too.

    For what needs its shape or speed only. Its stages are frozen, the method itself is not.
    """
    where = device or torch.device("cpu")
    if isinstance(node, Cell) and node.training:
        node = plan.trainings[node.training]
    return build_on_stages(
        node, lambda key: frozen(untrained(plan.trainings[key], plan, where)), where
    )


def frozen(method: Method) -> Method:
    """The method itself, in eval mode, with no parameter that learns."""
    return method.eval().requires_grad_(False)


# Files


def weights_path(store: Store, key: str) -> Path:
    """Where the weights of a training stand."""
    return store.models / f"{key}.safetensors"


def _cost_path(store: Store, key: str) -> Path:
    return store.models / f"{key}.json"


def save_model(store: Store, model: Model) -> None:
    """Write the weights first, the cost last: a model on disk is always complete."""
    key, training = model.training.key, model.training
    for path in (weights_path(store, key), _cost_path(store, key)):
        if path.is_dir():  # it would be in the way
            set_aside(path, "damaged")
    write_atomically(weights_path(store, key), model.weights)
    cost = {field.name: getattr(model.cost, field.name) for field in fields(TrainingCost)}
    # What a predictor needs to build it again, and no record says.
    rebuild = {
        "image": [training.data.channels, *training.data.size],
        "settings": dict(training.method.given), "stages": dict(training.stages),
    }  # fmt: skip
    digest = hashlib.sha256(model.weights).hexdigest()
    content = {"key": key, "method": training.method.name, **cost, **rebuild, "sha256": digest}
    write_facts(_cost_path(store, key), content)


def has_model(store: Store, key: str) -> bool:
    """Whether both files of a model are there; read_model() says whether they are sound."""
    return os.path.lexists(weights_path(store, key)) and os.path.lexists(_cost_path(store, key))


def read_model(store: Store, training: Training) -> Model:
    """The finished model of a training; ModelMissing where its files are missing or wrong."""
    path = weights_path(store, training.key)
    content = model_facts(store, training.key)
    try:
        data = read_limited(path, MOST_BYTES)
    except OSError as error:
        if is_no_fault(error):
            raise not_now(path, error) from error
        raise ModelMissing(path) from error
    except ValueError as error:
        raise ModelMissing(path) from error
    same = content.get("sha256") == hashlib.sha256(data).hexdigest()
    if content.get("key") != training.key or not same:
        raise ModelMissing(path)
    names = {field.name for field in fields(TrainingCost)} & content.keys()
    cost = TrainingCost(**{name: content[name] for name in names})
    return Model(training, data, cost)


def set_model_aside(store: Store, key: str) -> str:
    """Rename what is left of a model that cannot be used; a sentence about it."""
    names = []
    for path in (weights_path(store, key), _cost_path(store, key)):
        with suppress(FileNotFoundError):  # gone, or a run that shares the folder was faster
            names.append(set_aside(path, "damaged").name)
    if not names:
        return f"the model {weights_path(store, key).name} is gone: it is trained anew"
    return (
        f"the model {weights_path(store, key).name} is damaged and was set aside as "
        f"{' and '.join(names)}: it is trained anew"
    )


def read_models(store: Store, plan: Plan, keys: Iterable[str]) -> dict[str, Model]:
    """The finished models of these trainings, by key; ModelMissing for the first not found."""
    return {key: read_model(store, plan.trainings[key]) for key in keys}


def model_facts(store: Store, key: str) -> dict[str, Any]:
    """What stands beside the weights of a training; {} when unreadable.

    Keys: those of its cost, "image", "settings" and "stages".
    """
    return read_facts(_cost_path(store, key))
