"""lrfer-bench report: tables, curves and a page from records."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lrfer_bench.cli.echo import echo
from lrfer_bench.cli.help import Command
from lrfer_bench.cli.options import PLUGIN, echo_left_out, label_list, number_list
from lrfer_bench.planning import defaults
from lrfer_bench.plugins.registry import METRICS
from lrfer_bench.reporting.choose import PICTURES
from lrfer_bench.reporting.lookup import sort_words

if TYPE_CHECKING:
    from lrfer_bench.reporting.collect import Report
    from lrfer_bench.reporting.rows import Row

EXAMPLES = (
    "lrfer-bench report --results results --sort-by accuracy:4",
    "lrfer-bench report --methods direct,multires --citations --out for-paper",
)
GROUPS = {
    "Which records": ("results", "datasets", "methods", "scales", "seeds"),
    "How to count": ("resamples", "metrics", "plugins", "sort_by", "partial"),
    "What to write": ("out", "pictures", "citations", "title"),
}
NAMES: dict[str, Any] = {"multiple": True, "callback": label_list, "metavar": "A,B"}
NUMBERS: dict[str, Any] = {"multiple": True, "callback": number_list}


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
@click.option("--scales", **NUMBERS, metavar="2,4", help="Show these scales only.")
@click.option("--seeds", **NUMBERS, metavar="0,1", help="Count these seeds only.")
@click.option(
    "--resamples",
    default=1000,
    show_default=True,
    type=click.IntRange(min=0),
    metavar="N",
    help="Bootstrap resamples; 0 makes no intervals.",
)
@click.option(
    "--metrics", **NAMES, help=f"More columns, from the logits: {', '.join(METRICS.names())}."
)
@PLUGIN
@click.option(
    "--pictures",
    default="all",
    show_default=True,
    type=click.Choice(PICTURES),
    metavar="WHICH",
    help="all, curves or none.",
)
@click.option(
    "--partial", is_flag=True, help="Show means over unfinished rows too, marked with a *."
)
@click.option(
    "--citations", is_flag=True, help="Write citations.bib: the BibTeX of all in the table."
)
@click.option("--title", default="", metavar="TEXT", help="Title of tables, curves and page.")
def report(results: tuple[str, ...], out: str | None, datasets: tuple[str, ...],
           methods: tuple[str, ...], scales: tuple[int, ...], seeds: tuple[int, ...],
           resamples: int, metrics: tuple[str, ...], plugins: tuple[Path, ...], sort_by: str,
           pictures: str, partial: bool, citations: bool, title: str) -> None:  # fmt: skip
    """Turn records into leaderboards (md, csv, html, LaTeX), pictures and a web page.

    Reads records only.
    """
    from lrfer_bench.reporting.choose import Choice
    from lrfer_bench.reporting.collect import Options, collect
    from lrfer_bench.reporting.make import write

    _load(plugins, metrics)
    target = Path(out) if out else Path(results[0]) / "report"
    options = Options(
        Choice(datasets, methods, scales, seeds), sort_by, resamples, title, citations, partial,
        pictures, command=_command(), metrics=metrics,
    )  # fmt: skip
    found = collect(results, options)
    for warning in [*found.warnings, *found.cautions]:
        echo(f"warning: {warning}", err=True)
    write(found, target)
    for line in summary(found):
        echo(line)
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
    words = [Path(word).name if Path(word).is_absolute() else word for word in sys.argv[1:]]
    return shlex.join(["lrfer-bench", *words])


def summary(found: Report) -> list[str]:
    """What the terminal shows: each board's methods in order, and what is missing."""
    texts = []
    for board in found.boards:
        texts.append(board.title)
        width = max((len(line.label) for line in board.lines), default=0)
        for line in board.lines:
            cells = [_cell(line.rows.get(scale), line.holes.get(scale)) for scale in board.sizes]
            texts.append(
                f"  {line.rank or '–'!s:>3} {line.label:<{width}} {' '.join(cells)}".rstrip()
            )
    failed = len(found.failed)
    texts.append(
        f"{len(found.results) - failed} finished cells, {failed} failed, "
        f"{len(found.loaded.damaged)} damaged, {len(found.holes)} holes"
    )
    return texts


def _cell(row: Row | None, hole: str | None) -> str:
    from lrfer_bench.reporting.numbers import bounds, percent

    if hole or row is None or row.accuracy is None:
        return f"{hole or '':>19}"
    return f"{percent(row.accuracy):>6} {bounds(row.accuracy):<12}"
