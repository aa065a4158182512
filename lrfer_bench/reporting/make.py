"""Writes a report: tables, pictures and the page."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from lrfer_bench.contract.cards import DatasetCard, MethodCard
from lrfer_bench.errors import UserError, csv_cell
from lrfer_bench.files import sweep, write_atomically
from lrfer_bench.reporting import citations, grid, page, writers
from lrfer_bench.reporting.collect import Options, Report, collect, how_made
from lrfer_bench.reporting.drawn import shows
from lrfer_bench.reporting.table import leaderboard_frame

if TYPE_CHECKING:
    from lrfer_bench.reporting.pictures import Job

PAGE = "index.html"
TABLES = tuple(f"leaderboard.{ending}" for ending in ("csv", "md", "html", "tex"))
CITATIONS = "citations.bib"
PICTURES = tuple(
    f"{name}.{ending}"
    for name in (
        "curves",
        "curves-clean",
        "pareto-macs*",
        "pareto-latency*",
        "critical-*",
        "pictures/*/*",
    )
    for ending in ("png", "svg")
)
HEAD = "dataset,protocol,test_protocol,preset,method,"
"""How leaderboard.csv begins."""
Tell = Callable[[str], None]


def make_report(
    roots: Sequence[str | Path],
    out: Path,
    options: Options | None = None,
    tell: Tell = lambda text: None,
) -> Report:
    """collect() and write()."""
    report = collect(roots, options, tell)
    write(report, out, tell)
    return report


def write(report: Report, out: Path, tell: Tell = lambda text: None) -> list[Path]:
    """Write tables, pictures and page into out; returns the files in the order written.

    Tables, curves and page come first. Then come the other pictures, which take longer, and the
    page once more, with links to them.
    """
    options = report.options
    title = options.title or "Leaderboard"
    grids = _grids(report)
    sweep(out)
    tell("writing tables")
    _put(report, out / "leaderboard.csv", frame(report).map(csv_cell).to_csv(index=False))
    _put(report, out / "leaderboard.md", _markdown(report, grids, title))
    _put(report, out / "leaderboard.html", writers.html_page(grids, title))
    _put(report, out / "leaderboard.tex", "\n".join(writers.latex(g) for g in grids))
    if options.citations:
        _put(report, out / CITATIONS, citations.bibtex(_cards(report)))
    early, late = _jobs(report)
    redraw = options.pictures == "all"
    for jobs in filter(None, (early, late)):
        from lrfer_bench.reporting.pictures import write_pictures

        if jobs is late and options.page:
            _page(report, out)
        report.files += write_pictures(jobs, out, redraw, tell)
    if options.page:
        report.files.append(_page(report, out))
    return report.files


def check_own(out: Path) -> None:
    """UserError where files of somebody's lie in the folder: a report replaces its own only.

    A page tells a report's folder; the table, which is written first, one without or not done.
    """
    if shows([out / PAGE], page.MARK):
        return
    if not os.path.lexists(out / PAGE) and shows([out / TABLES[0]], HEAD):
        return
    own = [out / name for name in (PAGE, *TABLES, CITATIONS) if os.path.lexists(out / name)]
    own += [path for pattern in PICTURES for path in sorted(out.glob(pattern))]
    if own:
        raise UserError(
            f"{own[0]} was not made by a report, and nothing of yours is overwritten: "
            "choose another --out"
        )


def _jobs(report: Report) -> tuple[list[Job], list[Job]]:
    """The curves, and the other pictures."""
    wanted = report.options.pictures
    if wanted == "none":
        return [], []
    from lrfer_bench.reporting.pictures import picture_jobs

    jobs = picture_jobs(report.boards, report.looks, wanted != "curves", report.options.title)
    early = [job for job in jobs if job.name.startswith("curves")]
    return early, jobs[len(early) :]


def _page(report: Report, out: Path) -> Path:
    """Write index.html, with links to the files that are there."""
    path = out / PAGE
    links = page.links(out, report.files)
    write_atomically(path, utf8(page.render(report, links)), "choose another --out")
    return path


def frame(report: Report) -> pd.DataFrame:
    """leaderboard.csv as a DataFrame."""
    choice = report.options.choice
    rows = report.rows
    if choice.protocols or choice.test_protocols:
        # An answer to HR images is one of every protocol, and stands on a board of one of them.
        lines = [line for board in report.boards for line in (*board.lines, *board.folded)]
        shown = {id(row) for line in lines for row in line.rows.values()}
        rows = [row for row in rows if id(row) in shown]
    return leaderboard_frame(rows, report.boards, report.columns)


def utf8(text: str) -> bytes:
    r"""Text for a file; what is not Unicode, as in a path of the command, is shown as \udcfc."""
    return text.encode("utf-8", "backslashreplace")


def _put(report: Report, path: Path, text: str) -> None:
    write_atomically(path, utf8(text), "choose another --out")
    report.files.append(path)


def _grids(report: Report) -> list[grid.Grid]:
    """Each board's table, and below it that without leaked rows where there are any."""
    found = []
    for board in report.boards:
        for track in filter(None, (board, board.leak_free)):
            found.append(grid.main_grid(track, report.options.sort_by, report.columns))
    return found


def _cards(report: Report) -> Mapping[str, MethodCard | DatasetCard]:
    methods = citations.method_cards(report.results)
    data = citations.dataset_cards(r.record.dataset.name for r in report.results)
    return {**methods, **{f"dataset {name}": card for name, card in data.items()}}


def _markdown(report: Report, grids: list[grid.Grid], title: str) -> str:
    say = writers.markdown_text
    parts = [f"# {say(title)}\n", *(writers.markdown(g) for g in grids)]
    failures = [
        f"{result.record.stem}: {result.record.failure.sentence}"
        for result in report.failed
        if result.record.failure
    ]
    sections = {
        "Failed": failures,
        "Missing or unfinished": report.holes,
        "Not counted": report.warnings,
        "How this table was made": how_made(report),
    }
    for heading, lines in sections.items():
        if lines:
            items = [f"- {say(text)}" for text in lines]
            parts.append("\n".join([f"## {heading}", "", *items]) + "\n")
    return "\n".join(parts)
