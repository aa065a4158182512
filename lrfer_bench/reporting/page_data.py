"""What the page knows, as plain data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from lrfer_bench.reporting import citations, grid, lookup, numbers
from lrfer_bench.reporting.boards import Board, Line
from lrfer_bench.reporting.collect import Report
from lrfer_bench.reporting.column import Column
from lrfer_bench.reporting.draw import look_of
from lrfer_bench.reporting.frame import Result
from lrfer_bench.reporting.matrices import confusion
from lrfer_bench.reporting.rows import Row
from lrfer_bench.scoring.bootstrap import Estimate
from lrfer_bench.store.schema import Record

FULL_RECORDS = 1_500_000
"""Most characters of whole records in a page; where there are more, only file names are shown."""

TRACEBACK = 4_000
MOST_FAILED = 200
MOST_LINES = 1_000
LARGE = 1e99
"""Stands for infinity, which JSON does not have."""


def page_data(report: Report) -> dict[str, Any]:
    """Boards (with columns and lines), rows, records, cards and what is missing.

    Boards and lines name rows by their index.
    """
    index = {id(row): k for k, row in enumerate(report.rows)}
    records: list[dict[str, str]] = []
    whole = sum(_weight(result.record) for result in report.results) <= FULL_RECORDS
    retained = _retained(report.boards)
    return {
        "boards": [_board(report, board, index) for board in report.boards],
        "rows": [_row(report, row, records, whole, retained.get(id(row))) for row in report.rows],
        "records": records,
        "cards": _cards(report),
        "missing": {
            "failed": _failures(report.failed),
            "holes": _first(report.holes),
            "warnings": _first(report.warnings),
        },
    }


def _board(report: Report, board: Board, index: dict[int, int]) -> dict[str, Any]:
    ceiling = board.ceiling
    columns = lookup.in_table(report.columns, board)
    return {
        "title": board.title,
        "dataset": board.dataset,
        "synthetic": board.synthetic,
        "protocol": board.protocol,
        "test": board.test_protocol,
        "preset": board.budget,
        "classes": board.classes,
        "leaks": board.leaks,
        "sizes": [[scale, px] for scale, px in board.sizes.items()],
        "notes": grid.notes(board),
        "ceiling": {"all": _estimate(ceiling.accuracy), "clean": _estimate(ceiling.clean)}
        if ceiling
        else None,
        "columns": [_column(column) for column in columns],
        "lines": [
            _line(report, board, line, columns, index) | {"order": k}
            for k, line in enumerate(board.lines)
        ],
    }


def _column(column: Column) -> dict[str, Any]:
    """What the script needs to draw a column and to sort by it; up: small values first."""
    return {
        "name": column.name,
        "head": column.head,
        "tip": column.tip,
        "up": column.better == "lower",
        "scale": column.scale,
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
        "oracle": line.oracle,
        "apart": line.apart,
        "colour": look.colour,
        "marker": look.marker,
        "dash": list(look.dash),
        "best": sorted(line.best),
        "bestClean": sorted(line.best_clean),
        "rows": {str(scale): index[id(row)] for scale, row in line.rows.items() if row.counted},
        "holes": {str(scale): why for scale, why in line.holes.items()},
        "cells": [_cell(board, line, column) for column in columns],
    }


def _cell(board: Board, line: Line, column: Column) -> list[Any] | None:
    """[value to sort by, text, whether it is among the best].

    None for a column of one scale: the script draws it from the row itself, whole or leak-free.
    """
    if column.scale is not None or column.value is None:
        return None
    value, text = column.value(board, line), column.cell(board, line)
    if value is not None and not isinstance(value, (str, int)):
        value = min(max(float(value), -LARGE), LARGE)
    return [value, text.whole, int(text.best)]


def _row(
    report: Report,
    row: Row,
    records: list[dict[str, str]],
    whole: bool,
    retained: Estimate | None,
) -> dict[str, Any]:
    places = list(range(len(records), len(records) + len(row.results)))
    records += [_record(result, whole) for result in row.results]
    if not row.counted:
        return {"records": places}
    return {
        "px": row.size_px,
        "n": int(row.means["n"]),
        "nClean": int(row.means.get("clean_n", 0)),
        "partial": not row.whole,
        "all": _estimate(row.accuracy),
        "clean": _estimate(row.clean),
        "retained": _estimate(retained),
        "std": row.accuracy.std if row.accuracy else None,
        "facts": [*_facts(row), *_asked_for(report, row)],
        "records": places,
        "confusion": confusion(row).ravel().tolist(),
    }


def _facts(row: Row) -> list[list[str]]:
    """Name and text of what stands behind a number."""
    means = row.means
    shares = [numbers.share(means[name]) for name in ("macro_f1", "balanced_accuracy")]
    own, shared = (
        numbers.duration(means[name]) for name in ("train_seconds", "train_seconds_with_stages")
    )
    return [
        ["NLL, ECE", f"{means['nll']:.3f}, {means['ece']:.3f}"],
        ["Macro-F1, balanced accuracy", ", ".join(shares)],
        ["Throughput", f"{means['throughput']:.0f} faces a second at batch 64"],
        ["Training", f"{own}, with its stages {shared}"],
    ]


def _asked_for(report: Report, row: Row) -> list[list[str]]:
    """The metrics of --metrics, with their intervals."""
    found = []
    for column in report.columns:
        if column.name in row.measured:
            estimate = row.measured[column.name]
            text = column.say(estimate.value)
            if not math.isnan(estimate.low):
                text += f" [{column.say(estimate.low)}, {column.say(estimate.high)}]"
            found.append([column.head, text])
    return found


def _estimate(estimate: Estimate | None) -> list[float | int | None] | None:
    """[value, low, high, decimals as percent]; bounds None when unknown."""
    if estimate is None:
        return None
    low, high = (None if math.isnan(v) else round(v, 5) for v in (estimate.low, estimate.high))
    places = numbers.digits(100 * estimate.low, 100 * estimate.high)
    return [round(estimate.value, 5), low, high, places]


def _record(result: Result, whole: bool) -> dict[str, str]:
    record = result.record
    score: str = record.status
    if record.metrics:
        score = f"accuracy {numbers.share(record.metrics.all.accuracy)}"
    summary = f"seed {record.seed}: {score}, key {record.key[:12]}"
    if whole:
        return {"summary": summary, "text": record.model_dump_json(indent=1)}
    chosen = "no epoch"
    if record.selection:
        chosen = f"epoch {record.selection.epoch} of {record.selection.epochs}"
    return {"summary": summary, "text": f"records/{record.stem}.json\n{chosen}"}


def _weight(record: Record) -> int:
    """A rough upper bound of a record's length as text."""
    epochs = len(record.history) * 160
    failure = len(record.failure.traceback) if record.failure else 0
    return 2500 + epochs + failure + 14 * len(record.dataset.classes) ** 2


def _retained(boards: Sequence[Board]) -> dict[int, Estimate]:
    return {
        id(line.rows[scale]): estimate
        for board in boards
        for line in board.lines
        if not line.oracle
        for scale, estimate in line.retained.items()
    }


def _cards(report: Report) -> list[dict[str, Any]]:
    cards = citations.method_cards(result.method_name for result in report.results)
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
