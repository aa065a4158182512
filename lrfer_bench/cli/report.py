"""lrfer-bench report: tables, curves and a page from records."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lrfer_bench.cli.data import JSON, echo_json, rows_of
from lrfer_bench.cli.echo import echo, silence, telling
from lrfer_bench.cli.help import Command
from lrfer_bench.cli.options import NAMES, NUMBERS, PLUGIN, echo_left_out
from lrfer_bench.planning import defaults
from lrfer_bench.plugins.registry import METRICS
from lrfer_bench.reporting.choose import FEWEST_RESAMPLES, PICTURES, Choice
from lrfer_bench.reporting.lookup import sort_words

if TYPE_CHECKING:
    from lrfer_bench.reporting.collect import Report

EXAMPLES = (
    "lrfer-bench report --results results --sort-by accuracy:4",
    "lrfer-bench report --methods direct,multires --citations --out for-paper",
)
GROUPS = {
    "Which records": (
        "results",
        "datasets",
        "methods",
        "protocols",
        "test_protocols",
        "scales",
        "seeds",
    ),
    "How to count": ("resamples", "metrics", "plugins", "sort_by", "partial", "unfolded"),
    "What to write": ("out", "pictures", "citations", "title", "quiet", "as_json"),
}


@click.command(cls=Command, groups=GROUPS, examples=EXAMPLES)
@click.option(
    "--results",
    "results",
    multiple=True,
    default=(defaults.RESULTS,),
    show_default=True,
    metavar="DIR",
    help="Results folder; repeat it to report several together.",
)
@click.option(
    "--out",
    default=None,
    metavar="DIR",
    help="Where to write.  [default: report/ in the first results folder]",
)
@click.option(
    "--sort-by",
    default="rank",
    show_default=True,
    metavar="COLUMN",
    help=f"{', '.join(sort_words())}, or one of --metrics.",
)
@click.option("--datasets", **NAMES, help="Show these data sets only.")
@click.option("--methods", **NAMES, help="Show these methods only (and the oracle).")
@click.option("--protocols", **NAMES, help="Show what was trained under these only.")
@click.option("--test-protocols", **NAMES, help="Show what was tested under these only.")
@click.option("--scales", **NUMBERS, metavar="2,4", help="Show these scales only.")
@click.option("--seeds", **NUMBERS, metavar="0,1", help="Count these seeds only.")
@click.option(
    "--resamples",
    default=1000,
    show_default=True,
    type=click.IntRange(min=0),
    metavar="N",
    help=f"Bootstrap resamples, {FEWEST_RESAMPLES} or more; 0 makes no intervals.",
)
@click.option(
    "--metrics", **NAMES, help=f"More columns, from the logits: {', '.join(METRICS.names())}."
)
@PLUGIN
@click.option(
    "--pictures",
    default="changed",
    show_default=True,
    type=click.Choice(PICTURES),
    metavar="WHICH",
    help="changed (draw what would differ from the last report), all, curves or none.",
)
@click.option(
    "--unfolded", is_flag=True, help="Show unfinished rows that a run with more scales replaced."
)
@click.option(
    "--partial", is_flag=True, help="Show means over unfinished rows too, marked with a *."
)
@click.option(
    "--citations", is_flag=True, help="Write citations.bib: the BibTeX of all in the table."
)
@click.option("--title", default="", metavar="TEXT", help="Title of tables, curves and page.")
@click.option("--quiet", is_flag=True, help="Print warnings only.")
@JSON
def report(results: tuple[str, ...], out: str | None, datasets: tuple[str, ...],
           methods: tuple[str, ...], protocols: tuple[str, ...],
           test_protocols: tuple[str, ...], scales: tuple[int, ...], seeds: tuple[int, ...],
           resamples: int, metrics: tuple[str, ...], plugins: tuple[Path, ...], sort_by: str,
           pictures: str, unfolded: bool, partial: bool, citations: bool,
           title: str, quiet: bool, as_json: bool) -> None:  # fmt: skip
    """Turn records into leaderboards (md, csv, html, LaTeX), pictures and a web page.

    Reads records only.
    """
    from lrfer_bench.reporting.collect import Options, collect
    from lrfer_bench.reporting.make import check_own, frame, write

    target = Path(out) if out else Path(results[0]) / "report"
    if out:
        check_own(target)
    _load(plugins, metrics)
    options = Options(
        Choice(datasets, methods, scales, seeds, protocols, test_protocols),
        sort_by, resamples, title, citations, partial, pictures,
        command=_command(), metrics=metrics, unfolded=unfolded,
    )  # fmt: skip
    with silence() if quiet else telling() as tell:
        found = collect(results, options, tell)
    for warning in found.told:
        echo(f"warning: {warning}", err=True)
    with silence() if quiet else telling() as tell:
        write(found, target, tell)
    if as_json:
        echo_json(rows_of(frame(found)))
    elif not quiet:
        _show(found, target)


def _show(found: Report, target: Path) -> None:
    """Print the boards, how many cells there are, and where the page is."""
    from lrfer_bench.cli.boards import show_board

    for board in found.boards:
        for track in filter(None, (board, board.leak_free)):
            show_board(track, found.options.sort_by, found.columns)
    echo(ending(found))
    echo(f"Open {target / 'index.html'}")


def _load(plugins: tuple[Path, ...], metrics: tuple[str, ...]) -> None:
    """Import plugin files; those of LRFER_PLUGINS only for metrics, for they may import torch."""
    from lrfer_bench.plugins.loading import load_plugins
    from lrfer_bench.plugins.registry import PLUGIN_ERRORS

    if plugins or metrics:
        load_plugins(plugins)
        echo_left_out(PLUGIN_ERRORS)


def _command() -> str:
    """The command line as typed, with the program's plain name and no path of this machine."""
    return shlex.join(["lrfer-bench", *(_without_folder(word) for word in sys.argv[1:])])


def _without_folder(word: str) -> str:
    """A path, or --option=PATH, by its name: here it is known where a path with blanks ends."""
    option, given, value = word.partition("=") if word.startswith("-") else ("", "", word)
    return option + given + (Path(value).name if Path(value).is_absolute() else value)


def ending(found: Report) -> str:
    """How many cells were finished, and how many were not."""
    failed = len(found.failed)
    return (
        f"{len(found.results) - failed} finished cells, {failed} failed, "
        f"{len(found.loaded.damaged)} damaged, {len(found.holes)} holes"
    )
