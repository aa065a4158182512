"""The stages that tuned methods rest on: those of one folder share them, or their budgets differ.

Settings of a stage are held fixed by --set, and belong to no study of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lrfer_bench.contract.budget import with_budget
from lrfer_bench.contract.labels import label_of
from lrfer_bench.errors import UserError
from lrfer_bench.keys import same
from lrfer_bench.planning.plan import Plan
from lrfer_bench.planning.request import Request
from lrfer_bench.planning.settings import complete_settings, settings_of
from lrfer_bench.plugins.registry import METHODS, Entry
from lrfer_bench.tuning import sampling
from lrfer_bench.tuning.study import Below, Folder, Study


def given_of(entry: Entry, run: Request) -> dict[str, Any]:
    """What --set says of a method or stage, under its name of today and former ones."""
    return {k: v for called in entry.names for k, v in run.settings.get(called, {}).items()}


def settings_and_defaults(entry: Entry, run: Request) -> tuple[dict[str, Any], dict[str, Any]]:
    """All settings of a method or stage as --set has them, and its defaults."""
    cls = entry.load()
    complete = complete_settings(entry.name, cls, given_of(entry, run))
    return (
        with_budget(entry.name, complete, run.preset),
        with_budget(entry.name, settings_of(cls), run.preset),
    )


def changed(complete: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that the user changed."""
    return {
        setting: sampling.plain(value)
        for setting, value in complete.items()
        if not same(value, defaults[setting])
    }


def stages_of(name: str, run: Request, plan: Plan) -> dict[str, Below]:
    """The methods below a method of the plan, of any depth, without itself (its own teacher)."""
    cells = (cell for cell in plan.cells.values() if cell.method.name == name)
    below = {
        plan.trainings[key].method.name: plan.trainings[key].method
        for cell in cells
        for key in plan.needed_for(cell)
    }
    return {
        stage: Below(
            fixed=changed(*settings_and_defaults(METHODS.entry(stage), run)),
            code=ref.code,
            version=ref.version,
        )
        for stage, ref in sorted(below.items())
        if stage != name
    }


def check_stages(
    folder: Folder, known: Iterable[Study], stages: Mapping[str, Mapping[str, Below]]
) -> None:
    """UserError where a study of the folder rests on the same stage in another form.

    stages: those of the methods that are tuned now; a study of one of these is compared by the keys
    of its trials
    """
    for study in known:
        if study.method in stages:
            continue
        for method, below in stages.items():
            for stage, now in below.items():
                then = (study.stages or {}).get(stage, now)
                if then != now:
                    raise UserError(
                        f"{folder.path(study.method)} rests on {_said(stage, then, now)}, and "
                        f"{method} would rest on {_said(stage, now, then)}: choose another folder "
                        "with --results, so that all methods of one have the same stages"
                    )


def _said(stage: str, one: Below, other: Below) -> str:
    """A stage by what tells it from the other."""
    if not same(one.fixed, other.fixed):
        return label_of(stage, one.fixed) if one.fixed else f"{stage} with its defaults"
    if one.version != other.version:
        return f"version {one.version} of {stage}"
    return f"{stage} of the plugin edit {one.code[:8]}" if one.code else f"{stage} of no plugin"
