"""Rows that a run could have for nothing: their models are trained anyway."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from lrfer_bench.contract.labels import parse_label
from lrfer_bench.errors import UserError
from lrfer_bench.planning import defaults
from lrfer_bench.planning.build import build_plan
from lrfer_bench.planning.plan import DataRef, Plan
from lrfer_bench.planning.request import Request
from lrfer_bench.plugins.registry import METHODS


def free_rows(request: Request, data: DataRef, plan: Plan) -> dict[str, Collection[str]]:
    """Name -> keys of cells, of the default methods that this plan lacks and that cost no training.

    They train nothing themselves, and all stages that they need are trained for others.
    """
    asked = {METHODS.current(parse_label(label)[0]) for label in request.methods}
    found: dict[str, Collection[str]] = {}
    for name in defaults.METHODS:
        if name in asked or not plan.trainings:
            continue
        try:
            if METHODS.load(name).trains != "nothing":
                continue
            alone = build_plan(replace(request, methods=[name]), data, stray=True)
        except UserError:  # such as a setting that only fits what was asked for
            continue
        if alone.trainings.keys() <= plan.trainings.keys():
            found[name] = list(alone.cells)
    return found


def sentence(names: Collection[str]) -> str:
    """One line that says so."""
    rest, them = ("rest", "them") if len(names) > 1 else ("rests", "it")
    return (
        f"{' and '.join(names)} {rest} on models that are trained here anyway: name {them} among "
        "the methods too, at no cost but the tests"
    )
