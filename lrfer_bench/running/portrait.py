"""What a method takes and costs, read from its code: settings, stages, models, size."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from lrfer_bench.contract.method import Method, Need
from lrfer_bench.contract.preset import preset_of
from lrfer_bench.planning.build import build_plan
from lrfer_bench.planning.plan import Cell, DataRef, Plan
from lrfer_bench.planning.request import Request
from lrfer_bench.planning.settings import settings_of, types_of
from lrfer_bench.plugins.registry import METHODS
from lrfer_bench.running.cost import macs_used, parameters_used
from lrfer_bench.running.models import frozen, untrained

SCALES, PRESET, CLASSES, SIZE = (2, 4, 8), "cpu", 7, (48, 48)
"""The run that a portrait is made of: that of the published tables, on grey faces."""


@dataclass(frozen=True)
class Setting:
    """A setting of a method: its default and its type, in words of Python."""

    name: str
    default: Any
    type: str


@dataclass(frozen=True)
class Portrait:
    """A method under its default settings.

    trains: "each scale", "all scales" or "nothing"
    stages: name -> the method that it is, and what that is trained on
    models: every model that a run at SCALES trains for it, stages first
    parameters, macs: scale -> what answers for one face, stages included
    """

    trains: str
    settings: tuple[Setting, ...]
    stages: Mapping[str, str]
    models: tuple[str, ...]
    parameters: Mapping[int, int]
    macs: Mapping[int, int]


def portrait(name: str) -> Portrait:
    """Import a method and look at it; UserError where that is not possible."""
    cls: type[Method] = METHODS.load(name)
    data = DataRef("faces", "0" * 64, "", tuple(map(str, range(CLASSES))), 1, SIZE, False)
    request = Request(methods=[name], scales=SCALES, preset=preset_of(PRESET))
    plan = build_plan(request, data)
    first = next(iter(plan.cells.values()))
    costs = {cell.tested.scale: _cost(cell, plan) for cell in plan.cells.values()}
    return Portrait(
        cls.trains,
        tuple(_settings(cls)),
        {
            stage: f"{need.method}, {_origin(need)}"
            for stage, need in cls.needs_for(first.method.effective, hr=False).items()
        },
        tuple(
            f"{t.method.label} {t.condition.label} ({t.preset.epochs} epochs)"
            for t in plan.trainings.values()
        ),
        {scale: parameters for scale, (parameters, _) in costs.items()},
        {scale: macs for scale, (_, macs) in costs.items()},
    )


def _settings(cls: type[Method]) -> list[Setting]:
    types = types_of(cls)
    return [
        Setting(name, default, _type(types.get(name, type(default))))
        for name, default in settings_of(cls).items()
    ]


def _type(annotation: Any) -> str:
    return inspect.formatannotation(annotation).replace("typing.", "")


def _origin(need: Need) -> str:
    if need.scales:
        return f"trained at {', '.join('HR' if s == 1 else f'x{s}' for s in need.scales)}"
    return "trained on HR faces" if need.at == "hr" else "trained on LR faces"


def _cost(cell: Cell, plan: Plan) -> tuple[int, int]:
    """(parameters, MACs) for one face. The weights are those of before training: size counts."""
    with torch.random.fork_rng(devices=[]):
        method = frozen(untrained(cell, plan))
        lr = torch.zeros((1, cell.data.channels, *cell.lr_size), dtype=torch.uint8)
        return parameters_used(method, lr), macs_used(method, lr)
