"""lrfer-bench check-method"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lrfer_bench.cli.data import JSON, echo_json
from lrfer_bench.cli.echo import echo
from lrfer_bench.cli.help import Command
from lrfer_bench.cli.options import names as parts
from lrfer_bench.cli.options import shared_options
from lrfer_bench.errors import UserError
from lrfer_bench.planning import defaults

if TYPE_CHECKING:
    from lrfer_bench.checking.findings import Finding

EXAMPLES = (
    "lrfer-bench check-method my_idea.py",
    "lrfer-bench check-method direct --only repeatable,any_batch",
)
MARKS = {"ok": "ok     ", "failed": "FAILED ", "skipped": "skipped", "note": "note   "}
WIDTH = 16


def list_checks(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    """--list: the ids of all checks, each with its title."""
    if not wanted or context.resilient_parsing:
        return
    from lrfer_bench.checking.titles import TITLES

    for check, title in TITLES.items():
        echo(f"{check:<{WIDTH}} {title}")
    context.exit()


@click.command(cls=Command, examples=EXAMPLES)
@click.argument("method", metavar="NAME|FILE")
@click.option("--only", metavar="A,B", help="Report these checks only, by their ids.")
@click.option(
    "--list",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=list_checks,
    help="Show the checks.",
)
@click.option(
    "--dataset",
    default=defaults.DATASET,
    show_default=True,
    metavar="NAME",
    help="Where the few faces come from; one that needs no files.",
)
@shared_options("settings", "plugins")
@JSON
def check_method(
    method: str,
    only: str | None,
    dataset: str,
    settings: tuple[str, ...],
    plugins: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Test whether a method keeps the rules, on a few small faces; a FILE's methods are all tested.

    Exit status 0: all is well; 1: something failed, and it is said where in the author's code;
    2: there is no such method, check, file or data set.
    """
    from lrfer_bench.checking.process import check_in_process, methods_of
    from lrfer_bench.checking.suite import check_settings, ids_of
    from lrfer_bench.planning.settings import parse_settings
    from lrfer_bench.plugins.registry import DATASETS

    ids = ids_of(parts("--only", only)) if only is not None else []
    given = parse_settings(settings)
    methods, files = methods_of(method, plugins)
    if DATASETS.load(dataset).needs_root:
        raise UserError(
            f"the checks take a data set that needs no files, and {dataset} needs files of yours: "
            "leave --dataset out, or name another"
        )
    if given:
        check_settings(methods, given)
    failed = 0
    rows = []
    for name in methods:
        echo(f"{name}:", err=as_json)
        for finding in check_in_process(name, dataset, files, ids, given):
            failed += finding.state == "failed"
            rows.append({"method": name, **vars(finding)})
            echo(_line(finding), err=as_json)
    if as_json:
        echo_json(rows)
        sys.exit(1 if failed else 0)
    echo("all is well" if not failed else f"{failed} check{'s' if failed > 1 else ''} failed")
    sys.exit(1 if failed else 0)


def _line(finding: Finding) -> str:
    detail = f": {finding.detail}" if finding.detail else ""
    return f"  {MARKS[finding.state]}  {finding.check:<{WIDTH}} {finding.title}{detail}"
