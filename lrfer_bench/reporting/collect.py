"""From results folders to a report: reads the records and computes every number; writes nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lrfer_bench.errors import UserError
from lrfer_bench.plugins.blame import without_paths
from lrfer_bench.reporting import citations, lookup, numbers, tuned
from lrfer_bench.reporting.answers import read_answers
from lrfer_bench.reporting.boards import Board, build_boards
from lrfer_bench.reporting.choose import FEWEST_RESAMPLES, Choice, selected
from lrfer_bench.reporting.column import Column
from lrfer_bench.reporting.frame import Loaded, Result, load
from lrfer_bench.reporting.grid import said_list
from lrfer_bench.reporting.measured import load_metrics, measure
from lrfer_bench.reporting.palette import Look, looks
from lrfer_bench.reporting.ranking import rate
from lrfer_bench.reporting.rows import Row, add_intervals, build_rows, with_leak_free
from lrfer_bench.store.mixture import mixture


@dataclass(frozen=True)
class Options:
    """What a report is asked for.

    resamples: 0 makes no intervals and no tests. partial: show means over unfinished rows, marked.
    metrics: names of metrics to show as columns. command: how the report was asked for, for its
    own footer. pictures: one of choose.PICTURES. unfolded: also show the lines that another one
    replaces (folding.py).
    """

    choice: Choice = field(default_factory=Choice)
    sort_by: str = "rank"
    resamples: int = 1000
    title: str = ""
    citations: bool = False
    partial: bool = False
    pictures: str = "changed"
    page: bool = True
    command: str = ""
    metrics: Sequence[str] = ()
    unfolded: bool = False


@dataclass
class Report:
    """Everything a report says, before it is written."""

    loaded: Loaded
    results: list[Result]
    rows: list[Row]
    boards: list[Board]
    columns: tuple[Column, ...]
    looks: Mapping[str, Look]
    options: Options
    warnings: list[str]
    files: list[Path] = field(default_factory=list)

    @property
    def failed(self) -> list[Result]:
        return [result for result in self.results if not result.finished]

    @property
    def told(self) -> list[str]:
        """What is told beside the tables: what was left out or is damaged, and the cautions."""
        return [*self.warnings, *self.cautions]

    @property
    def cautions(self) -> list[str]:
        """Sentences about tables that compare what is not equal."""
        mixed = mixture(result.record for result in self.results)
        where: dict[str, list[str]] = defaultdict(list)
        for board in self.boards:
            where[tuned.unequal(board.ranked)].append(board.title)
        unequal = [f"{_tables(titles)}: {said}" for said, titles in where.items() if said]
        return [*([mixed] if mixed else []), *unequal]

    @property
    def holes(self) -> list[str]:
        """Sentences for cells that are missing or unfinished while their neighbours are there."""
        return [
            f"{board.title}: {line.label} at x{scale}: {why}"
            for board in self.boards
            for line in board.lines
            for scale, why in line.holes.items()
        ]


def _tables(titles: Sequence[str]) -> str:
    """The first table that a sentence is about, and how many more it holds for."""
    more = len(titles) - 1
    return titles[0] + (f" (and {more} more table{'s' if more > 1 else ''})" if more else "")


def collect(
    roots: Sequence[str | Path],
    options: Options | None = None,
    tell: Callable[[str], None] = lambda text: None,
) -> Report:
    """Read the records and compute every number; tell is told what is being done.

    UserError when there is nothing to show, and for a wrong name of a column, metric, data set,
    method, scale or seed, before any logits are read.
    """
    options = options or Options()
    if 0 < options.resamples < FEWEST_RESAMPLES:
        raise UserError(
            f"resamples is {options.resamples}, too few for an interval: give {FEWEST_RESAMPLES} "
            "or more, or 0 for none"
        )
    # What may be a slip of the pen comes first: what follows can take minutes.
    metrics = load_metrics(options.metrics)
    columns = lookup.columns_with(metrics)
    lookup.check_sort_word(columns, options.sort_by)
    tell("reading records")
    loaded = load(roots)
    results = selected(loaded.results, options.choice, loaded.notes)
    lookup.check_sort_scale(columns, options.sort_by, (r.record.test.scale for r in results))

    tell(f"counting {len(results)} cells")
    answers, problems = read_answers(results) if options.resamples else ({}, [])
    rows = build_rows(results, answers, options.partial)
    add_intervals(rows, options.resamples)
    problems += measure(with_leak_free(rows), metrics, options.resamples)
    boards = build_boards(rows, options.unfolded)
    for board in boards:
        rate(board, options.resamples)

    colours = _looks(loaded.results)
    damaged = [f"{found.path.name} is not counted: {found.reason}" for found in loaded.damaged]
    warnings = [*damaged, *loaded.notes, *problems]
    return Report(loaded, results, rows, boards, columns, colours, options, warnings)


def _looks(results: Sequence[Result]) -> dict[str, Look]:
    """Looks of all methods on disk, so that a filter never changes a method's colour.

    A built-in method has the look of its card, the others follow by their mean accuracy.
    """
    scores: dict[str, list[float]] = defaultdict(list)
    fixed = {}
    cards = citations.method_cards(results)
    for result in results:
        if result.record.method.kind != "oracle":
            metrics = result.record.metrics
            scores[result.method].append(metrics.all.accuracy if metrics else 0.0)
            card = cards.get(result.method_name)
            if card and card.look is not None and result.method == result.method_name:
                fixed[result.method] = card.look
    order = sorted(scores, key=lambda name: (-sum(scores[name]) / len(scores[name]), name))
    return looks(order, fixed)


def _test_images(report: Report) -> list[str]:
    """How many there are, with the data set's name where there are several: "3,589 (fer2013)"."""
    found = {(row.first.dataset, int(row.means["n"])) for row in report.rows if row.means}
    if len({dataset for dataset, _ in found}) == 1:
        return [f"{count:,}" for _, count in sorted(found)]
    return [f"{count:,} ({dataset})" for dataset, count in sorted(found)]


def how_made(report: Report) -> list[str]:
    """What a reader needs to make the table again and to read it right."""
    records = [result.record for result in report.results]
    rules = sorted({r.selection.rule for r in records if r.selection})
    versions = {
        f"{name} {version}"
        for record in records
        for name, version in record.environment.items()
        if name in ("lrfer-bench", "torch")
    }
    images = _test_images(report)
    failed = len(report.failed)
    lines = [f"{len(records) - failed} finished and {failed} failed cells."]
    made_by = without_paths(report.options.command)
    lines += [f"Made by: {made_by}"] if made_by else []
    lines += [f"Cells were made with {', '.join(sorted(versions))}."] if versions else []
    mixed = mixture(records)
    lines += [mixed] if mixed else []
    lines += [f"The epoch kept was chosen by: {said_list(rules)}."] if rules else []
    if any("best-on-test" in rule for rule in rules):
        lines.append("best-on-test looks at the test split: such numbers are too good.")
    lines += [f"Test images: {said_list(images)}."] if images else []
    lines.append(_how_tested(report.options.resamples))
    lines.append(
        "Area: under the accuracy over log2 of the size, 1 is the most. Keeps 90 % at: the "
        f"smallest size in pixels at which 90 % of the oracle's accuracy is kept. {numbers.DASH}: "
        "not applicable. Training: all models of the line, each shared stage once. MACs are "
        "multiply-adds for one face."
    )
    tips = {column.name: column for column in report.columns}
    shown = [tips[name] for name in dict.fromkeys(report.options.metrics)]
    lines += [f"{column.head}: {column.tip}" for column in shown]
    return lines


def _how_tested(resamples: int) -> str:
    if not resamples:
        return "No intervals and no tests: made with --resamples 0. Ranks and bold: by score alone."
    return (
        f"Intervals are 95 %, from {resamples:,} resamples over seeds and test images. Bold, and "
        "an equal rank: the difference to the best is not significant at 5 % after Holm's "
        "correction (McNemar's exact test for one seed at one scale, else a paired hierarchical "
        "bootstrap)."
    )
