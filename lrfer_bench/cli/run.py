"""lrfer-bench run"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from lrfer_bench.cli.echo import echo
from lrfer_bench.cli.help import Command
from lrfer_bench.cli.options import (
    PLAN_GROUPS,
    RUNNING,
    VERBOSE,
    plan_options,
    request_of,
    shared_options,
)

if TYPE_CHECKING:
    from lrfer_bench.running.runner import Runner
    from lrfer_bench.running.session import Session
    from lrfer_bench.running.status import Listener, Status

EXAMPLES = (
    "lrfer-bench run --methods enlarge,direct,multires --scales 2,4",
    "lrfer-bench run --dataset fer2013 --data-root ~/fer2013 --preset cpu",
)


@click.command(cls=Command, groups=PLAN_GROUPS, examples=EXAMPLES)
@plan_options
@shared_options(*RUNNING)
@click.option("--join", is_flag=True, help="Share --results with equal commands.")
@click.option("--log", metavar="NAME", help="tensorboard: curves of all trainings.")
@click.option("--plan", "plan_only", is_flag=True, help="Show the plan, run nothing.")
@click.option("--no-report", is_flag=True, help="Leave the tables and curves for later.")
@VERBOSE
@click.pass_context
def run(
    context: click.Context,
    plan_only: bool,
    no_report: bool,
    verbose: bool | None,
    **options: Any,
) -> None:
    """Train and test methods on low-resolution faces; go on where it stopped.
    Exit status: 0 done, 1 a cell failed, 2 it could not run, 130 stopped.
    """
    if plan_only:
        from lrfer_bench.cli.plan import plan

        options.pop("time_limit")
        context.invoke(plan, **options)
        return
    from lrfer_bench.cli.preparing import watched
    from lrfer_bench.data.reading import unwatched
    from lrfer_bench.running.engines.lifelines import stop_like_ctrl_c
    from lrfer_bench.running.session import run_session

    stop_like_ctrl_c()
    quiet = verbose is False
    outcome = run_session(
        request_of(options),
        partial(_display, verbose=verbose),
        _tell_of_faults if quiet else _tell_about,
        unwatched if quiet else watched,
    )
    records = outcome.session.store.records
    if not no_report:
        from lrfer_bench.cli.report import report

        # The same report as `lrfer-bench report` makes of this folder.
        words = ["--results", str(records.parent), *(["--quiet"] if quiet else [])]
        report.main(args=words, prog_name="lrfer-bench report", standalone_mode=False)
    if outcome.failed:
        some = f"{outcome.failed} cell{'s' if outcome.failed > 1 else ''}"
        above = "above and " if outcome.status.failed else ""  # others failed in an earlier run
        echo(
            f"{some} failed; the reasons stand {above}in {records}. "
            "Try them again with --overwrite failed.",
            err=True,
        )
        sys.exit(1)


def _tell_about(session: Session, runner: Runner) -> None:
    """Tell what a user should know before the first training."""
    from lrfer_bench.running.remarks import remarks

    for line in remarks(session, runner):
        echo(line)
    _tell_of_faults(session, runner)


def _tell_of_faults(_: Session, runner: Runner) -> None:
    """Tell what was left out and what is damaged."""
    from lrfer_bench.running.remarks import faults

    for line in faults(runner):
        echo(line, err=True)


@contextmanager
def _display(status: Status, verbose: bool | None) -> Iterator[Listener]:
    """The display of a run; Ctrl-C ends it with a sentence that says what is kept."""
    from lrfer_bench.cli.progress import show

    try:
        with show(status, verbose) as listener:
            yield listener
    except KeyboardInterrupt:
        done = status.finished
        how = "the same command goes on from there"
        if status.afresh:
            how = (
                "the same command takes those trainings up and makes all else again, and without "
                "--overwrite always the records that stood before stay as they are"
            )
        echo(
            f"\nstopped. {done} finished cell{'s are' if done != 1 else ' is'} kept, running "
            f"trainings up to {status.kept_until}: {how}.",
            err=True,
        )
        sys.exit(130)
