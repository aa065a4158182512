"""lrfer-bench check-method"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from lrfer_bench.cli.help import Command
from lrfer_bench.cli.options import PLUGIN
from lrfer_bench.planning import defaults

EXAMPLES = ("lrfer-bench check-method my_idea.py", "lrfer-bench check-method direct")
MARKS = {"ok": "ok     ", "failed": "FAILED ", "skipped": "skipped", "note": "note   "}


@click.command(cls=Command, examples=EXAMPLES)
@click.argument("method", metavar="NAME|FILE")
@click.option(
    "--dataset",
    default=defaults.DATASET,
    show_default=True,
    metavar="NAME",
    help="Where the few faces come from; one that needs no files.",
)
@PLUGIN
def check_method(method: str, dataset: str, plugins: tuple[Path, ...]) -> None:
    """Test whether a method keeps the rules, on a few small faces; a FILE's methods are all tested.

    Exit status 0: all is well; 1: something failed, and it is said where in the author's code; 2: there is no such method,
    file or data set.
    """
    from lrfer_bench.checking.process import check_in_process, methods_of
    from lrfer_bench.plugins.registry import DATASETS

    names, files = methods_of(method, plugins)
    DATASETS.entry(dataset)
    failed = 0
    for name in names:
        click.echo(f"{name}:")
        for found in check_in_process(name, dataset, files):
            failed += found.state == "failed"
            click.echo(f"  {MARKS[found.state]}  {found.name}" + (f": {found.detail}" if found.detail else ""))
    click.echo("all is well" if not failed else f"{failed} check{'s' if failed > 1 else ''} failed")
    sys.exit(1 if failed else 0)
