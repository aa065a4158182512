"""What methods say of a plan before anything is trained (see Method.notes_for)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch

from lrfer_bench.contract.method import Method
from lrfer_bench.contract.protocol import lr_size
from lrfer_bench.keys import canonical_json
from lrfer_bench.planning.declared import asking
from lrfer_bench.planning.plan import Cell, MethodRef, Plan, Training
from lrfer_bench.plugins.registry import METHODS

LARGEST = 8
"""Larger scales than this are rare, and are often sizes in pixels that were taken for scales."""


def scale_notes(scales: Iterable[int], size: tuple[int, int]) -> tuple[str, ...]:
    """A line for each scale that looks like the size of a face.

    >>> scale_notes([4, 12], (48, 48))
    ('scale 12 makes 4 pixels of 48: for faces of 12 pixels ask for scale 4',)
    """
    return tuple(
        f"scale {scale} makes {lr_size(size, scale)[0]} pixels of {size[0]}: for faces of {scale} "
        f"pixels ask for scale {size[0] // scale}"
        for scale in dict.fromkeys(scales)
        if scale > LARGEST and size[0] % scale == 0 and scale < size[0]
    )


def notes_of(plan: Plan) -> tuple[str, ...]:
    """The lines of all trainings of a plan, and of cells that need none; each asked once.

    UserError where a method refuses its settings on these faces.
    """
    asked: set[str] = set()
    notes: dict[str, None] = {}
    nodes: list[Training | Cell] = list(plan.trainings.values())
    nodes += [cell for cell in plan.cells.values() if cell.existing]
    for node in nodes:
        ref, scales = node.method, node.scales
        cls: type[Method] = METHODS.load(ref.name)
        names = dict(node.stages) if ref.contents else {}  # a file has to fit what they are
        mark = canonical_json([ref.identity(), scales, names])
        if mark in asked or cls.notes_for.__func__ is Method.notes_for.__func__:  # type: ignore[attr-defined]
            continue
        asked.add(mark)
        with asking(ref.name, cls, "notes_for"), torch.random.fork_rng(devices=[]):
            stages = {name: _untrained(plan.trainings[key], plan) for name, key in names.items()}
            task = node.data.task(scales, node.preset, stages)
            lines = cls.notes_for(_with_files(ref), task)
            notes |= {f"{ref.name}: {line}": None for line in lines}
    return tuple(notes)


def _untrained(training: Training, plan: Plan) -> Method:
    """A stage as it is before it is trained, on stages that are untrained, too."""
    cls: type[Method] = METHODS.load(training.method.name)
    below = {name: _untrained(plan.trainings[key], plan) for name, key in training.stages.items()}
    task = training.data.task(training.scales, training.preset, below)
    return cls(task, **_with_files(training.method)).eval().requires_grad_(False)


def _with_files(ref: MethodRef) -> dict[str, Any]:
    """Its settings; a file that is gone is said by its content, which the cache has."""
    gone = {
        name: content
        for name, content in ref.contents.items()
        if (path := str(ref.settings.get(name) or "")) and not Path(path).expanduser().exists()
    }
    return {**ref.settings, **gone}
