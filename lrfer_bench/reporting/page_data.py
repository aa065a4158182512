"""What the page knows, as plain data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lrfer_bench.reporting import citations, grid, numbers
from lrfer_bench.reporting.boards import Board, Entry
from lrfer_bench.reporting.draw import look_of
from lrfer_bench.reporting.frame import Cell
from lrfer_bench.reporting.matrices import confusion
from lrfer_bench.reporting.rows import Row
from lrfer_bench.scoring.bootstrap import Estimate
from lrfer_bench.store.store import Record

if TYPE_CHECKING:
    from lrfer_bench.reporting.make import Report

FULL_RECORDS = 1_500_000
"""Characters of whole records that a page holds; beyond that, each is told in one line with its file's name."""

TRACEBACK = 4_000
MOST_FAILED = 200
MOST_LINES = 1_000


def page_data(report: Report) -> dict[str, Any]:
    """Boards (with entries), rows, records, cards and what is missing; boards and entries point at rows by index."""
    index = {id(row): k for k, row in enumerate(report.rows)}
    records: list[dict[str, str]] = []
    whole = sum(_weight(cell.record) for cell in report.cells) <= FULL_RECORDS
    retained = _retained(report.boards)
    return {
        "boards": [_board(report, board, index) for board in report.boards],
        "rows": [_row(row, records, whole, retained.get(id(row))) for row in report.rows],
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
    return {
        "title": board.title, "dataset": board.dataset, "synthetic": board.synthetic, "protocol": board.protocol,
        "test": board.test_protocol, "preset": board.preset, "classes": board.classes, "leaks": board.leaks,
        "sizes": [[scale, px] for scale, px in board.sizes.items()], "lr": board.lr_scales,
        "notes": grid.main_grid(board).notes,
        "ceiling": {"all": _estimate(ceiling.accuracy), "clean": _estimate(ceiling.clean)} if ceiling else None,
        "entries": [_entry(report, board, entry, k, index) for k, entry in enumerate(board.entries)],
    }  # fmt: skip


def _entry(
    report: Report, board: Board, entry: Entry, order: int, index: dict[int, int]
) -> dict[str, Any]:
    look = look_of(entry, report.looks)
    sizes = [board.sizes[scale] for scale in entry.rows if scale in board.sizes]
    smallest = entry.smallest
    keeps = smallest.value if smallest and math.isfinite(smallest.value) else None
    texts = dict(zip(
        ("keeps", "f1", "balanced", "params", "macs", "latency", "training", "seeds"), grid.rest(board, entry), strict=True
    ))  # fmt: skip
    extra = (
        "sees HR"
        if entry.oracle
        else f"test-time augmentation: {entry.augmentation}"
        if entry.augmentation
        else ""
    )
    numbers_of = {
        "keeps": 1e9 if smallest and keeps is None else keeps,
        "f1": grid.mean_of(board, entry, "macro_f1"),
        "balanced": grid.mean_of(board, entry, "balanced_accuracy"),
        "params": _most(entry, "parameters"), "macs": _most(entry, "macs"), "latency": _most(entry, "latency_ms"),
        "training": grid.training_seconds(entry), "seeds": max((len(row.seeds) for row in entry.shown), default=None),
    }  # fmt: skip
    area = entry.area
    return {
        "label": entry.label, "order": order, "extra": extra, "oracle": entry.oracle, "apart": entry.apart,
        "colour": look.colour, "marker": look.marker, "dash": list(look.dash), "rank": entry.rank,
        "first": entry.best_overall, "best": sorted(entry.best), "bestClean": sorted(entry.best_clean),
        "rows": {str(s): index[id(row)] for s, row in entry.rows.items() if row.counted},
        "holes": {str(s): why for s, why in entry.holes.items()},
        "area": [area.value, grid.area_text(entry)] if area and sizes else None,
        **{name: [value, texts[name]] if value is not None else None for name, value in numbers_of.items()},
    }  # fmt: skip


def _row(
    row: Row, records: list[dict[str, str]], whole: bool, retained: Estimate | None
) -> dict[str, Any]:
    places = list(range(len(records), len(records) + len(row.cells)))
    records += [_record(cell, whole) for cell in row.cells]
    if not row.counted:
        return {"records": places}
    means = row.means
    facts = [
        ["NLL, ECE", f"{means['nll']:.3f}, {means['ece']:.3f}"],
        ["Macro-F1, balanced accuracy", f"{numbers.share(means['macro_f1'])}, {numbers.share(means['balanced_accuracy'])}"],
        ["Throughput", f"{means['throughput']:.0f} faces a second at batch 64"],
        ["Training", f"{numbers.duration(means['train_seconds'])}, with its stages "
                     f"{numbers.duration(means['train_seconds_with_stages'])}"],
    ]  # fmt: skip
    return {
        "px": row.size_px, "n": int(means["n"]), "nClean": int(means.get("clean_n", 0)), "partial": not row.whole,
        "all": _estimate(row.accuracy), "clean": _estimate(row.clean), "retained": _estimate(retained),
        "std": row.accuracy.std if row.accuracy else None, "facts": facts, "records": places,
        "confusion": confusion(row).ravel().tolist(),
    }  # fmt: skip


def _estimate(estimate: Estimate | None) -> list[float | int | None] | None:
    """[value, low, high, decimals as percent]; bounds None when unknown."""
    if estimate is None:
        return None
    low, high = (None if math.isnan(v) else round(v, 5) for v in (estimate.low, estimate.high))
    return [
        round(estimate.value, 5),
        low,
        high,
        numbers.digits(100 * estimate.low, 100 * estimate.high),
    ]


def _record(cell: Cell, whole: bool) -> dict[str, str]:
    record = cell.record
    score = (
        f"accuracy {numbers.share(record.metrics.all.accuracy)}"
        if record.metrics
        else record.status
    )
    summary = f"seed {record.seed}: {score}, key {record.key[:12]}"
    if whole:
        return {"summary": summary, "text": record.model_dump_json(indent=1)}
    chosen = (
        f"epoch {record.selection.epoch} of {record.selection.epochs}"
        if record.selection
        else "no epoch"
    )
    return {"summary": summary, "text": f"records/{record.stem}.json\n{chosen}"}


def _weight(record: Record) -> int:
    """A cheap upper guess of a record's length as text."""
    epochs = len(record.history) * 160 + (len(record.failure.traceback) if record.failure else 0)
    return 2500 + epochs + 14 * len(record.dataset.classes) ** 2


def _retained(boards: Sequence[Board]) -> dict[int, Estimate]:
    return {
        id(entry.rows[scale]): estimate
        for board in boards
        for entry in board.entries
        if not entry.oracle
        for scale, estimate in entry.retained.items()
    }


def _most(entry: Entry, name: str) -> float | None:
    return max((row.means[name] for row in entry.shown), default=None)


def _cards(report: Report) -> list[dict[str, Any]]:
    cards = citations.method_cards(cell.record.method.name for cell in report.cells)
    return [
        {
            "name": name, "summary": card.summary, "title": card.title, "authors": card.authors, "year": card.year,
            "url": card.url, "bibtex": card.bibtex, "stated": list(card.stated), "ours": list(card.ours),
        }
        for name, card in cards.items()
    ]  # fmt: skip


def _failures(cells: Sequence[Cell]) -> list[dict[str, str]]:
    return [
        {
            "name": c.record.stem,
            "sentence": c.record.failure.sentence,
            "traceback": c.record.failure.traceback[-TRACEBACK:],
        }
        for c in cells[:MOST_FAILED]
        if c.record.failure
    ]


def _first(lines: Sequence[str]) -> list[str]:
    more = len(lines) - MOST_LINES
    return [*lines[:MOST_LINES], *([f"and {more} more: see leaderboard.md"] if more > 0 else [])]
