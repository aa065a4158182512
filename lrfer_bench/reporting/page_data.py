"""What the page knows, as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from lrfer_bench.reporting import chance, citations, grid, lookup, numbers, timing, values, words
from lrfer_bench.reporting.boards import Board
from lrfer_bench.reporting.collect import Report
from lrfer_bench.reporting.column import Column
from lrfer_bench.reporting.copies import copied_at
from lrfer_bench.reporting.frame import Result
from lrfer_bench.reporting.lines import Line
from lrfer_bench.reporting.page_rows import Records, estimate, row_data
from lrfer_bench.reporting.palette import look_of
from lrfer_bench.reporting.rows import with_leak_free

TRACEBACK = 4_000
MOST_FAILED = 200
MOST_LINES = 1_000
LARGE = 1e99
"""Stands for infinity, which JSON does not have."""


def page_data(report: Report, links: Mapping[str, Sequence[str]] | None = None) -> dict[str, Any]:
    """Boards (with columns and lines), rows, records, cards and what is missing.

    Boards and lines name rows by their index. links: kind -> addresses of files beside the page.
    """
    rows = with_leak_free(report.rows)
    index = {id(row): k for k, row in enumerate(rows)}
    records = Records(report)
    return {
        "boards": [_board(report, board, index) for board in report.boards],
        "rows": [row_data(report, row, records) for row in rows],
        "records": records.found,
        "cards": _cards(report),
        "links": {kind: list(found) for kind, found in (links or {}).items()},
        "missing": {
            "failed": _failures(report.failed[:MOST_FAILED]),
            "more": _more(len(report.failed) - MOST_FAILED),
            "holes": [
                *_first(report.holes),
                *_first(_short_of_seeds(report), "leaderboard.csv"),
            ],
            "warnings": _first(report.warnings),
        },
    }


def _board(report: Report, board: Board, index: dict[int, int]) -> dict[str, Any]:
    ceiling = board.ceiling
    columns = lookup.in_table(report.columns, board)
    word = report.options.sort_by
    sort = lookup.sorted_by(board, word, report.columns)
    first = {id(e): k for k, e in enumerate(lookup.ordered(board, word, report.columns))}
    clean = _board(report, board.leak_free, index) if board.leak_free else None
    copies = copied_at(board.lines, board.sizes)
    return {
        "title": board.title,
        "slug": board.slug,
        "dataset": board.dataset,
        "synthetic": board.synthetic,
        "protocol": board.protocol,
        "test": board.test_protocol,
        "preset": board.budget,
        "classes": board.classes,
        "sizes": [[scale, board.sizes[scale]] for scale in board.table_scales],
        "over": board.lr_scales,
        "headline": words.headline(board),
        "answers": [asdict(answer) for answer in words.answers(board)],
        "notes": grid.notes(board),
        "ceiling": estimate(ceiling.accuracy) if ceiling else None,
        "chance": _chance(board),
        "timed": timing.comparable(board),
        "tested": board.tested,
        "against": {str(scale): label for scale, label in board.against.items()},
        "sort": sort.name if sort else "rank",
        "descending": sort is not None and sort.better == "higher",
        "columns": [_column(column) for column in columns],
        "lines": [
            _line(report, board, line, columns, index)
            | {"order": k, "first": first[id(line)], "copies": copies.get(line.label, {})}
            for k, line in enumerate(board.lines)
        ],
        "clean": clean,
    }


def _chance(board: Board) -> list[list[Any]]:
    """[accuracy, what is said of it] of each guesser, to draw as a line."""
    found = chance.level(board)
    if found is None:
        return []
    always = f"always {found.name} {numbers.share(found.majority)}"
    return [[found.majority, always], [found.guess, f"guessing {numbers.share(found.guess)}"]]


def _column(column: Column) -> dict[str, Any]:
    """What the script needs to draw a column and to sort by it; up: small values first.

    over: it is about all LR scales together, also where only some are shown.
    """
    return {
        "name": column.name,
        "head": column.head,
        "tip": column.tip,
        "up": column.better == "lower",
        "scale": column.scale,
        "over": column.over_scales,
    }


def _line(
    report: Report,
    board: Board,
    line: Line,
    columns: Sequence[Column],
    index: dict[int, int],
) -> dict[str, Any]:
    look = look_of(line, report.looks)
    return {
        "label": line.label,
        "method": line.method,
        "oracle": line.oracle,
        "apart": line.apart,
        "off_scale": line.off_scale,
        "colour": look.colour,
        "dark": look.dark,
        "marker": look.marker,
        "dash": list(look.dash),
        "best": sorted(line.best),
        "beaten": {str(scale): label for scale, label in line.beaten.items()},
        "retained": {
            str(scale): estimate(found) for scale, found in line.retained.items() if not line.oracle
        },
        "p": {str(scale): numbers.p_text(p) for scale, p in line.p.items()},
        "rows": {str(scale): index[id(row)] for scale, row in line.rows.items() if row.counted},
        "holes": {str(scale): why for scale, why in line.holes.items()},
        "cells": [_cell(board, line, column) for column in columns],
    }


def _cell(board: Board, line: Line, column: Column) -> list[Any] | None:
    """[value to sort by, text, whether it is among the best].

    None for a column of one scale: the script draws it from the row itself.
    """
    if column.scale is not None or column.value is None:
        return None
    value, text = column.value(board, line), column.cell(board, line)
    if value is not None and not isinstance(value, (str, int)):
        value = min(max(float(value), -LARGE), LARGE)
    return [value, text.whole, int(text.best)]


def _cards(report: Report) -> list[dict[str, Any]]:
    cards = citations.method_cards(report.results)
    return [
        {
            "name": name,
            "summary": card.summary,
            "title": card.title,
            "authors": card.authors,
            "year": card.year,
            "url": card.url,
            "bibtex": card.bibtex,
            "stated": list(card.stated),
            "ours": list(card.ours),
        }
        for name, card in cards.items()
    ]


def _failures(failed: Sequence[Result]) -> list[dict[str, str]]:
    return [
        {
            "name": result.record.stem,
            "sentence": result.record.failure.sentence,
            "traceback": _end(result.record.failure.traceback),
        }
        for result in failed
        if result.record.failure
    ]


def _end(traceback: str) -> str:
    """The end of a traceback, where it says what happened."""
    if len(traceback) <= TRACEBACK:
        return traceback
    return f"(its end: all of it stands in the record)\n{traceback[-TRACEBACK:]}"


def _short_of_seeds(report: Report) -> list[str]:
    """Sentences for rows that lack seeds, or have some that do not count, and that are no holes."""
    found = []
    for board in report.boards:
        for line in (*board.lines, *board.folded):
            for scale, row in line.rows.items():
                where = f"{board.title}: {line.label} at {values.scale_name(scale)}"
                if not row.whole and scale not in _holes_told(board, line):
                    found.append(f"{where}: {row.status}")
                if row.left:
                    seeds = grid.said_list(sorted(row.left), "and")
                    found.append(f"{where}: seed {seeds} left out, since other sizes lack it")
    return found


def _holes_told(board: Board, line: Line) -> Mapping[int, str]:
    """The holes that the report lists: not those of lines folded away."""
    return {} if any(line is folded for folded in board.folded) else line.holes


def _first(texts: Sequence[str], file: str = "leaderboard.md") -> list[str]:
    return [*texts[:MOST_LINES], *filter(None, [_more(len(texts) - MOST_LINES, file)])]


def _more(count: int, file: str = "leaderboard.md") -> str:
    return f"and {count} more: see {file}" if count > 0 else ""
