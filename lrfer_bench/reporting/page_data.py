"""What the page knows, as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from lrfer_bench.reporting import chance, citations, grid, lookup, numbers, timing, words
from lrfer_bench.reporting.boards import Board
from lrfer_bench.reporting.collect import Report
from lrfer_bench.reporting.column import Column
from lrfer_bench.reporting.frame import Result
from lrfer_bench.reporting.lines import Line
from lrfer_bench.reporting.page_rows import Records, estimate, row_data
from lrfer_bench.reporting.palette import look_of
from lrfer_bench.reporting.rows import with_leak_free
from lrfer_bench.scoring.bootstrap import Estimate

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
    boards = [track for board in report.boards for track in (board, board.leak_free) if track]
    retained = _retained(boards)
    return {
        "boards": [_board(report, board, index) for board in report.boards],
        "rows": [row_data(report, row, records, retained) for row in rows],
        "records": records.found,
        "cards": _cards(report),
        "links": {kind: list(found) for kind, found in (links or {}).items()},
        "missing": {
            "failed": _failures(report.failed),
            "holes": _first(report.holes),
            "warnings": _first(report.warnings),
        },
    }


def _board(report: Report, board: Board, index: dict[int, int]) -> dict[str, Any]:
    ceiling = board.ceiling
    columns = lookup.in_table(report.columns, board)
    clean = _board(report, board.leak_free, index) if board.leak_free else None
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
        "columns": [_column(column) for column in columns],
        "lines": [
            _line(report, board, line, columns, index) | {"order": k}
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
        "colour": look.colour,
        "dark": look.dark,
        "marker": look.marker,
        "dash": list(look.dash),
        "best": sorted(line.best),
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


def _retained(boards: Sequence[Board]) -> dict[int, Estimate]:
    return {
        id(line.rows[scale]): estimate
        for board in boards
        for line in board.lines
        if not line.oracle
        for scale, estimate in line.retained.items()
    }


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
            "traceback": result.record.failure.traceback[-TRACEBACK:],
        }
        for result in failed[:MOST_FAILED]
        if result.record.failure
    ]


def _first(texts: Sequence[str]) -> list[str]:
    more = len(texts) - MOST_LINES
    rest = [f"and {more} more: see leaderboard.md"] if more > 0 else []
    return [*texts[:MOST_LINES], *rest]
