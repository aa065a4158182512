"""lrfer-bench plan"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from lrfer_bench.cli.echo import echo, telling
from lrfer_bench.cli.help import Command
from lrfer_bench.cli.options import PLAN_GROUPS, plan_options, request_of

if TYPE_CHECKING:
    from lrfer_bench.planning.plan import Plan
    from lrfer_bench.running.forecast import Step
    from lrfer_bench.running.session import Session

EXAMPLES = (
    "lrfer-bench plan --methods direct,multires --scales 2,4,8",
    "lrfer-bench plan --dataset fer2013 --data-root ~/fer2013 --preset cpu --json",
)


@click.command(cls=Command, groups=PLAN_GROUPS, examples=EXAMPLES)
@plan_options
@click.option("--json", "as_json", is_flag=True, help="Print trainings and cells as JSON.")
@click.option(
    "--no-estimate", is_flag=True, help="No calibration (it takes a few seconds a model)."
)
def plan(as_json: bool, no_estimate: bool, **options: Any) -> None:
    """Show the stages and cells of a run, which exist already, and how long the rest would take.

    Runs nothing.
    """
    from lrfer_bench.cli.preparing import watched
    from lrfer_bench.running.session import open_session

    session = open_session(request_of(options), watched)
    if as_json:
        echo(json.dumps(_as_data(session.plan), indent=1))
        return
    show_plan(session, calibrate=not no_estimate)


def show_plan(session: Session, calibrate: bool) -> None:
    """Print trainings, cells and what is left to do."""
    from lrfer_bench.running.forecast import forecast
    from lrfer_bench.running.status import duration

    with telling() as tell:
        found = forecast(session, calibrate, tell)
    for note in session.plan.notes:
        echo(note)
    echo(f"{_count(found.trainings, 'model')}, each once, {_to_do(found.trainings)} to train:")
    for step in found.trainings:
        state = "there already" if step.state == "there" else step.state
        if step.seconds is not None:
            state = f"about {duration(step.seconds)}"
        stages = step.node.stages
        needs = f" (after {', '.join(stages)})" if stages else ""
        echo(f"  {step.node.key[:12]}  {step.node.label}{needs}: {state}")
    echo(f"{_count(found.cells, 'cell')}, {_to_do(found.cells)} to test:")
    for step in found.cells:
        there = "failed, try it again with --overwrite failed" if step.failed else "has a record"
        state = "to do" if step.todo else there
        echo(f"  {step.node.key[:12]}  {step.node.label}: {state}")
    alone, shared = session.plan.alone(), len(session.plan.trainings)
    echo(f"Sharing stages saves {alone - shared} of {alone} trainings.")
    if found.seconds is not None:
        at_once = f"with {found.workers} worker{'' if found.workers == 1 else 's'}"
        if found.workers is None:
            at_once = "of one core, divided by the models that the cluster has room for"
        echo(
            f"About {duration(found.seconds)} {at_once}, going by a few steps of each model on the "
            f"{_spelt(found.device)} of this machine as it is now."
        )


def _count(steps: Sequence[Step], word: str) -> str:
    return f"{len(steps)} {word}{'' if len(steps) == 1 else 's'}"


def _to_do(steps: Sequence[Step]) -> int:
    return sum(step.todo for step in steps)


def _spelt(device: str) -> str:
    return "processor" if device == "cpu" else f"GPU ({device})"


def _as_data(plan: Plan) -> dict[str, Any]:
    from lrfer_bench.planning.plan import describe

    return {
        "trainings": [describe(training) for training in plan.trainings.values()],
        "cells": [describe(cell) for cell in plan.cells.values()],
        "trainings_if_nothing_were_shared": plan.alone(),
    }
