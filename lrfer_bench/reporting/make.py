"""Writes a report: tables, pictures and the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from lrfer_bench.contract.cards import DatasetCard, MethodCard
from lrfer_bench.errors import csv_cell
from lrfer_bench.files import sweep, write_atomically
from lrfer_bench.reporting import citations, grid, page, writers
from lrfer_bench.reporting.collect import Options, Report, collect, how_made
from lrfer_bench.reporting.table import leaderboard_frame

Tell = Callable[[str], None]


def make_report(
    roots: Sequence[str | Path],
    out: Path,
    options: Options | None = None,
    tell: Tell = lambda text: None,
) -> Report:
    """collect() and write()."""
    report = collect(roots, options)
    write(report, out, tell)
    return report


def write(report: Report, out: Path, tell: Tell = lambda text: None) -> list[Path]:
    """Write tables, pictures and page into out; returns the files in the order written."""
    options = report.options
    title = options.title or "Leaderboard"
    grids = _grids(report)
    sweep(out)
    _put(report, out / "leaderboard.csv", frame(report).map(csv_cell).to_csv(index=False))
    _put(report, out / "leaderboard.md", _markdown(report, grids, title))
    _put(report, out / "leaderboard.html", writers.html_page(grids, title))
    _put(report, out / "leaderboard.tex", "\n".join(writers.latex(g) for g in grids))
    if options.citations:
        _put(report, out / "citations.bib", citations.bibtex(_cards(report)))
    if options.pictures != "none":
        from lrfer_bench.reporting.pictures import write_pictures

        everything = options.pictures == "all"
        report.files += write_pictures(
            report.boards, report.looks, out, everything, options.title, tell
        )
    if options.page:
        _put(report, out / "index.html", page.render(report))
    return report.files


def frame(report: Report) -> pd.DataFrame:
    """leaderboard.csv as a DataFrame."""
    return leaderboard_frame(report.rows, report.boards, report.columns)


def _put(report: Report, path: Path, text: str) -> None:
    write_atomically(path, text.encode("utf-8"), "choose another --out")
    report.files.append(path)


def _grids(report: Report) -> list[grid.Grid]:
    """Each board's table, and below it that without leaked rows where there are any."""
    found = []
    for board in report.boards:
        found.append(grid.main_grid(board, report.options.sort_by, report.columns))
        clean = grid.clean_grid(board, report.options.sort_by, report.columns)
        found += [clean] if clean else []
    return found


def _cards(report: Report) -> Mapping[str, MethodCard | DatasetCard]:
    methods = citations.method_cards(r.method_name for r in report.results)
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
