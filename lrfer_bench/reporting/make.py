"""From results folders to a report: reads, counts, writes, and says what it could not use."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lrfer_bench.files import write_atomically
from lrfer_bench.reporting import choose, citations, grid, numbers, page, writers
from lrfer_bench.reporting.answers import read_answers
from lrfer_bench.reporting.boards import Board, build_boards
from lrfer_bench.reporting.frame import Cell, Loaded, load
from lrfer_bench.reporting.palette import Look, looks
from lrfer_bench.reporting.ranking import rate
from lrfer_bench.reporting.rows import Row, add_intervals, build_rows
from lrfer_bench.reporting.table import leaderboard_frame

PICTURES = ("all", "curves", "none")


@dataclass(frozen=True)
class Options:
    """resamples 0: no intervals, no tests, the logits are not read. partial: show means over unfinished rows, marked.
    command: how the report was asked for, for its own footer."""

    choice: choose.Choice = field(default_factory=choose.Choice)
    sort_by: str = "rank"
    resamples: int = 1000
    title: str = ""
    citations: bool = False
    partial: bool = False
    pictures: str = "all"
    page: bool = True
    command: str = ""


@dataclass
class Report:
    """Everything a report says, before it is written."""

    loaded: Loaded
    cells: list[Cell]
    rows: list[Row]
    boards: list[Board]
    looks: Mapping[str, Look]
    options: Options
    warnings: list[str]
    files: list[Path] = field(default_factory=list)

    @property
    def failed(self) -> list[Cell]:
        return [cell for cell in self.cells if not cell.finished]

    @property
    def holes(self) -> list[str]:
        """Sentences for cells that are missing or unfinished while their neighbours are there."""
        return [
            f"{board.title}: {entry.label} at x{scale}: {why}"
            for board in self.boards
            for entry in board.entries
            for scale, why in entry.holes.items()
        ]


def collect(roots: Sequence[str | Path], options: Options | None = None) -> Report:
    """Read the records and compute every number; UserError when there is nothing to show."""
    options = options or Options()
    loaded = load(roots)
    cells = choose.choose(loaded.cells, options.choice)
    answers, problems = read_answers(cells) if options.resamples else ({}, [])
    rows = build_rows(cells, answers, options.partial)
    add_intervals(rows, options.resamples)
    boards = build_boards(rows)
    for board in boards:
        rate(board, options.resamples)
        grid.ordered(board, options.sort_by)
    # Looks come from all methods on disk, so that a filter never changes a method's colour.
    colours = looks(cell.method for cell in loaded.cells if cell.record.method.kind != "oracle")
    damaged = [f"{entry.path.name} is not counted: {entry.reason}" for entry in loaded.damaged]
    return Report(
        loaded, cells, rows, boards, colours, options, [*damaged, *loaded.notes, *problems]
    )


def write(report: Report, out: Path, tell: Callable[[str], None] = lambda text: None) -> list[Path]:
    """Write tables, pictures and page into out; returns the files in the order written."""
    options = report.options
    grids = [g for board in report.boards for g in _grids(board, options.sort_by)]
    title = options.title or "Leaderboard"
    _put(
        report,
        out / "leaderboard.csv",
        leaderboard_frame(report.rows, report.boards).to_csv(index=False),
    )
    _put(report, out / "leaderboard.md", _markdown(report, grids, title))
    _put(report, out / "leaderboard.html", writers.html_page(grids, title))
    _put(report, out / "leaderboard.tex", "\n".join(writers.latex(g) for g in grids))
    if options.citations:
        _put(report, out / "citations.bib", citations.bibtex(_cards(report)))
    if options.pictures != "none":
        from lrfer_bench.reporting.pictures import write_pictures

        report.files += write_pictures(
            report.boards, report.looks, out, options.pictures == "all", options.title, tell
        )
    if options.page:
        _put(report, out / "index.html", page.render(report))
    return report.files


def make_report(
    roots: Sequence[str | Path],
    out: Path,
    options: Options | None = None,
    tell: Callable[[str], None] = lambda text: None,
) -> Report:
    """collect() and write()."""
    report = collect(roots, options)
    write(report, out, tell)
    return report


def _put(report: Report, path: Path, text: str) -> None:
    write_atomically(path, text.encode("utf-8"), "choose another --out")
    report.files.append(path)


def _grids(board: Board, sort_by: str) -> list[grid.Grid]:
    clean = grid.clean_grid(board, sort_by)
    return [grid.main_grid(board, sort_by), *([clean] if clean else [])]


def _cards(report: Report) -> dict[str, citations.MethodCard | citations.DatasetCard]:
    methods = citations.method_cards(cell.record.method.name for cell in report.cells)
    data = citations.dataset_cards(cell.record.dataset.name for cell in report.cells)
    return {**methods, **{f"dataset {name}": card for name, card in data.items()}}


def _markdown(report: Report, grids: list[grid.Grid], title: str) -> str:
    say = writers.markdown_text
    parts = [f"# {say(title)}\n", *(writers.markdown(g) for g in grids)]
    failures = [
        f"{cell.record.stem}: {cell.record.failure.sentence}"
        for cell in report.failed
        if cell.record.failure
    ]
    for heading, lines in (
        ("Failed", failures), ("Missing or unfinished", report.holes), ("Not counted", report.warnings),
        ("How this table was made", how_made(report)),
    ):  # fmt: skip
        if lines:
            parts.append(
                "\n".join([f"## {heading}", "", *(f"- {say(entry)}" for entry in lines)]) + "\n"
            )
    return "\n".join(parts)


def how_made(report: Report) -> list[str]:
    """What a reader needs to make the table again and to read it right."""
    records = [cell.record for cell in report.cells]
    rules = sorted({r.selection.rule for r in records if r.selection})
    versions = sorted(
        {
            f"{k} {v}"
            for r in records
            for k, v in r.environment.items()
            if k in ("lrfer-bench", "torch")
        }
    )
    images = sorted({int(row.means["n"]) for row in report.rows if row.means})
    resamples = report.options.resamples
    lines = [f"{len(records) - len(report.failed)} finished and {len(report.failed)} failed cells."]
    lines += [f"Made by: {report.options.command}"] if report.options.command else []
    lines += [f"Cells were made with {', '.join(versions)}."] if versions else []
    lines += [f"The epoch kept was chosen by: {grid.said_list(rules)}."] if rules else []
    if any("best-on-test" in rule for rule in rules):
        lines.append("best-on-test looks at the test split: such numbers are too good.")
    lines.append(f"Test images: {grid.said_list([f'{n:,}' for n in images])}.")
    lines.append(
        f"Intervals are 95 %, from {resamples:,} resamples over seeds and test images. Bold, and an equal rank: the "
        "difference to the best is not significant at 5 % after Holm's correction (McNemar's exact test for one seed at "
        "one scale, else a paired hierarchical bootstrap)."
        if resamples
        else "No intervals and no tests: made with --resamples 0; ranks are then not told apart."
    )
    lines.append(
        "Area: under the accuracy over log2 of the size, 1 is the most. Keeps 90 % at: the smallest size in pixels at "
        f"which 90 % of the oracle's accuracy is kept. {numbers.DASH}: not applicable. Training: all models of the line, "
        "each shared stage once. MACs are multiply-adds for one face."
    )
    return lines
