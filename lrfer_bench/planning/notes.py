"""What methods say of a plan before anything is trained (see Method.notes_for)."""

from __future__ import annotations

import torch

from lrfer_bench.contract.method import Method
from lrfer_bench.keys import canonical_json
from lrfer_bench.planning.declared import asking
from lrfer_bench.planning.plan import Cell, Plan, Training
from lrfer_bench.plugins.registry import METHODS


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
        mark = canonical_json([ref.identity(), scales])
        if mark in asked or cls.notes_for.__func__ is Method.notes_for.__func__:  # type: ignore[attr-defined]
            continue
        asked.add(mark)
        task = node.data.task(scales, node.preset, {})
        with asking(ref.name, cls, "notes_for"), torch.random.fork_rng(devices=[]):
            notes |= {f"{ref.name}: {line}": None for line in cls.notes_for(ref.settings, task)}
    return tuple(notes)
