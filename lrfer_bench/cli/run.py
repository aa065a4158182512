"""lrfer-bench run"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lrfer_bench.cli.help import Command
from lrfer_bench.cli.options import PLAN_GROUPS, method_settings, names, numbers, plan_options

if TYPE_CHECKING:
    from lrfer_bench.planning.request import Session, Wish
    from lrfer_bench.running.engines.base import Engine

EXAMPLES = (
    "lrfer-bench run --methods bicubic,direct,multires --scales 2,4",
    "lrfer-bench run --dataset fer2013 --data-root ~/fer2013 --preset cpu",
)


@click.command(cls=Command, groups=PLAN_GROUPS, examples=EXAMPLES)
@plan_options
@click.option("--engine", default="local", show_default=True, metavar="NAME", help="Where jobs run.")
@click.option("--plan", "plan_only", is_flag=True, help="Show the plan, run nothing.")
@click.option("--no-report", is_flag=True, help="Leave the tables and curves for later.")
def run(engine: str, workers: int | None, overwrite: str, plan_only: bool, no_report: bool, **options: Any) -> None:
    """Train and test methods on low-resolution faces; what has a record already is not run again."""
    from lrfer_bench.planning.request import check_writable, open_session
    from lrfer_bench.running.engines import engine_of

    where = engine_of(engine, workers, options["plugins"], options["results"] / "logs")  # a wrong word ends here
    session = open_session(wish_of(options))
    if plan_only:
        from lrfer_bench.cli.plan import show_plan

        show_plan(session, workers, overwrite, calibrate=True)
        return
    check_writable(session.store)
    _tell_about(session)
    failed = _run(session, where, overwrite)
    if not no_report:
        _report(session)
    if failed:
        click.echo(
            f"{failed} cell{'s' if failed > 1 else ''} failed; the reasons stand above and in {session.store.records}. "
            "Try them again with --overwrite failed.",
            err=True,
        )
        sys.exit(1)


def wish_of(options: dict[str, Any]) -> Wish:
    """The options of `run` and `plan` as a Wish."""
    from lrfer_bench.data.options import parse_options
    from lrfer_bench.planning.request import Wish

    root: Path | None = options["data_root"]
    return Wish(
        methods=names("--methods", options["methods"]), dataset=options["dataset"],
        data_root=root.expanduser() if root else None, data_options=parse_options(options["data_option"]),
        scales=numbers("--scales", options["scales"]), protocols=names("--protocols", options["protocols"]),
        test_protocols=names("--test-protocols", options["test_protocols"]) if options["test_protocols"] else None,
        test_scales=numbers("--test-scales", options["test_scales"]) if options["test_scales"] else None,
        seeds=numbers("--seeds", options["seeds"]), preset=options["preset"], settings=method_settings(options["settings"]),
        plugins=options["plugins"], results=options["results"],
    )  # fmt: skip


def _tell_about(session: Session) -> None:
    from lrfer_bench.plugins.registry import PLUGIN_ERRORS
    from lrfer_bench.store.store import Damaged

    faces = session.prepared.faces
    word = " (synthetic: rendered faces, no evidence about real ones)" if faces.synthetic else ""
    counts = ", ".join(f"{len(split)} {name}" for name, split in faces.splits.items())
    click.echo(f"{session.wish.dataset}{word}: {counts}, {faces.size[1]}x{faces.size[0]} pixels")
    for note in faces.notes:
        click.echo(f"  {note}")
    for plugin, reason in PLUGIN_ERRORS.items():
        click.echo(f"lrfer-bench: plugin {plugin} was left out: {reason}", err=True)
    for damaged in session.store.scan():
        if isinstance(damaged, Damaged):
            click.echo(
                f"lrfer-bench: {damaged.path} is not counted: {damaged.reason}; where its cell is run again it is set aside",
                err=True,
            )


def _run(session: Session, engine: Engine, overwrite: str) -> int:
    from lrfer_bench.cli.progress import show
    from lrfer_bench.running.runner import Overwrite, Runner

    runner = Runner(session.plan, session.store, Overwrite(overwrite))
    if not runner.plan.cells:
        click.echo(f"all {len(runner.kept)} cells have a record already: nothing to run")
    else:
        try:
            with show(runner.status) as listener:
                runner.run(engine, listener)
        except KeyboardInterrupt:
            done = runner.status.finished
            again = "the same command" + (" without --overwrite always" if overwrite == "always" else "")
            click.echo(
                f"\nstopped. {done} finished cell{'s are' if done != 1 else ' is'} kept in {session.store.records}, running "
                f"trainings up to their last whole epoch: {again} goes on from there.",
                err=True,
            )
            sys.exit(130)
    kept_failures = sum(_failed(session, cell.key) for cell in runner.kept)
    return runner.status.failed + kept_failures


def _failed(session: Session, key: str) -> bool:
    record = session.store.find(key)
    return record is not None and record.status == "failed"


def _report(session: Session) -> None:
    """The same report as `lrfer-bench report` makes of this folder."""
    from lrfer_bench.cli.report import report

    report.main(args=["--results", str(session.store.root)], prog_name="lrfer-bench report", standalone_mode=False)
