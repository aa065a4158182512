"""What methods say of a plan before anything is trained (see Method.notes_for)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

from lrfer_bench.contract.method import Method
from lrfer_bench.contract.protocol import lr_size
from lrfer_bench.errors import UserError
from lrfer_bench.files import at_home
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
    untrained = Untrained(plan)
    nodes: list[Training | Cell] = list(plan.trainings.values())
    nodes += [cell for cell in plan.cells.values() if cell.existing]
    for node in nodes:
        ref, scales = node.method, node.scales
        cls: type[Method] = METHODS.load(ref.name)
        mark = canonical_json(_apart_from_seed(node, plan))
        if mark in asked or cls.notes_for.__func__ is Method.notes_for.__func__:  # type: ignore[attr-defined]
            continue
        asked.add(mark)
        with torch.random.fork_rng(devices=[]):
            stages = untrained.stages(node)
            if stages is None:
                continue
            task = node.data.task(scales, node.preset, stages)
            with asking(ref.name, cls, "notes_for"):
                lines = cls.notes_for(_with_files(ref), task)
            notes |= {f"{ref.name}: {line}": None for line in lines}
    return tuple(notes)


def _apart_from_seed(node: Training | Cell, plan: Plan) -> list[Any]:
    """What is asked about, down to the last stage: once for all seeds and protocols."""
    stages = {n: _apart_from_seed(plan.trainings[key], plan) for n, key in node.stages.items()}
    return [node.method.identity(), node.scales, stages]


class Untrained:
    """Stages of a plan as they are before they are trained, each made once."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.made: dict[str, Method | None] = {}

    def stages(self, node: Training | Cell) -> dict[str, Method] | None:
        """By name, on stages that are untrained, too; None where one cannot be made here.

        Its training will say why: it may want what a worker has. UserError where one refuses.
        """
        found = {}
        for name, key in node.stages.items():
            if key not in self.made:
                self.made[key] = self._make(self.plan.trainings[key])
            stage = self.made[key]
            if stage is None:
                return None
            found[name] = stage
        return found

    def _make(self, stage: Training) -> Method | None:
        ref, below = stage.method, self.stages(stage)
        if below is None:
            return None
        cls: type[Method] = METHODS.load(ref.name)
        task = stage.data.task(stage.scales, stage.preset, below)
        try:
            return cls(task, **_with_files(ref)).eval().requires_grad_(False)
        except UserError:
            raise
        except Exception:
            return None


def _with_files(ref: MethodRef) -> dict[str, Any]:
    """Its settings; a file that is gone is said by its content, which the cache has."""
    gone = {
        name: content
        for name, content in ref.contents.items()
        if (path := str(ref.settings.get(name) or "")) and not at_home(path).exists()
    }
    return {**ref.settings, **gone}
