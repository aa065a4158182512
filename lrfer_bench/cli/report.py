"""lrfer-bench report: tables, curves and a page from records."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import click

from lrfer_bench.cli.help import Command
from lrfer_bench.cli.options import label_list, number_list
from lrfer_bench.planning import defaults

PICTURES = ("all", "curves", "none")


EXAMPLES = (
    "lrfer-bench report --results results --sort-by accuracy:4",
    "lrfer-bench report --methods direct,multires --citations --out for-paper",
)
GROUPS = {
    "Which records": ("results", "datasets", "methods", "scales", "seeds"),
    "How to count": ("resamples", "sort_by", "partial"),
    "What to write": ("out", "pictures", "citations", "title"),
}


@click.command(cls=Command, groups=GROUPS, examples=EXAMPLES)
@click.option("--results", "results", multiple=True, default=(defaults.RESULTS,), show_default=True, metavar="DIR",
              help="Results folder; repeat it to report several together.")  # fmt: skip
@click.option(
    "--out",
    default=None,
    metavar="DIR",
    help="Where to write.  [default: report/ in the first results folder]",
)
@click.option("--sort-by", default="rank", show_default=True, metavar="COLUMN",
              help="rank, method, accuracy, accuracy:SCALE, area, macro_f1, balanced_accuracy, params, macs, latency_ms or "
                   "train.")  # fmt: skip
@click.option(
    "--datasets",
    multiple=True,
    callback=label_list,
    metavar="A,B",
    help="Show these data sets only.",
)
@click.option(
    "--methods",
    multiple=True,
    callback=label_list,
    metavar="A,B",
    help="Show these methods only (and the oracle).",
)
@click.option(
    "--scales", multiple=True, callback=number_list, metavar="2,4", help="Show these scales only."
)
@click.option(
    "--seeds", multiple=True, callback=number_list, metavar="0,1", help="Count these seeds only."
)
@click.option("--resamples", default=1000, show_default=True, type=click.IntRange(min=0), metavar="N",
              help="Bootstrap resamples; 0 makes no intervals and reads no logits.")  # fmt: skip
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
def report(results: tuple[str, ...], out: str | None, datasets: tuple[str, ...], methods: tuple[str, ...],
           scales: tuple[int, ...], seeds: tuple[int, ...], resamples: int, sort_by: str, pictures: str,
           partial: bool, citations: bool, title: str) -> None:  # fmt: skip
    """Turn records into leaderboards (md, csv, html, LaTeX), pictures and a web page. Reads records only."""
    from lrfer_bench.reporting.choose import Choice
    from lrfer_bench.reporting.make import Options, collect, write

    target = Path(out) if out else Path(results[0]) / "report"
    options = Options(
        Choice(datasets, methods, scales, seeds), sort_by, resamples, title, citations, partial, pictures,
        command=_command(),
    )  # fmt: skip
    found = collect(results, options)
    for warning in found.warnings:
        click.echo(f"warning: {warning}", err=True)
    write(found, target)
    for line in summary(found):
        click.echo(line)
    click.echo(f"Open {target / 'index.html'}")


def _command() -> str:
    """The command line as typed, with the program's plain name: no path of this machine goes into a report."""
    return shlex.join(
        [
            "lrfer-bench",
            *(Path(word).name if Path(word).is_absolute() else word for word in sys.argv[1:]),
        ]
    )


def summary(found: object) -> list[str]:
    """What the terminal shows: each board's methods in order, and what is missing."""
    from lrfer_bench.reporting.make import Report

    assert isinstance(found, Report)
    lines = []
    for board in found.boards:
        lines.append(board.title)
        width = max((len(entry.label) for entry in board.entries), default=0)
        for entry in board.entries:
            cells = [_cell(entry.rows.get(scale), entry.holes.get(scale)) for scale in board.sizes]
            lines.append(
                f"  {entry.rank or '–'!s:>3} {entry.label:<{width}} {' '.join(cells)}".rstrip()
            )
    lines.append(f"{len(found.cells) - len(found.failed)} finished cells, {len(found.failed)} failed, "
                 f"{len(found.loaded.damaged)} damaged, {len(found.holes)} holes")  # fmt: skip
    return lines


def _cell(row: object, hole: str | None) -> str:
    from lrfer_bench.reporting.numbers import bounds, percent
    from lrfer_bench.reporting.rows import Row

    if hole or not isinstance(row, Row) or row.accuracy is None:
        return f"{hole or '':>19}"
    return f"{percent(row.accuracy):>6} {bounds(row.accuracy):<12}"
