"""leaderboard.csv: every row with everything that is known about it, as numbers."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any

import pandas as pd

from lrfer_bench.reporting.boards import Board, Entry
from lrfer_bench.reporting.rows import Row

COLUMNS = (
    "dataset", "protocol", "test_protocol", "preset", "method", "scale", "size_px", "seeds", "accuracy", "accuracy_low",
    "accuracy_high", "balanced_accuracy", "macro_f1", "nll", "ece", "params", "macs", "latency_ms", "train_seconds",
    "train_seconds_with_stages", "throughput", "peak_memory_mb", "trained_scales", "status", "seed_list", "accuracy_std",
    "n", "accuracy_clean", "accuracy_clean_low", "accuracy_clean_high", "n_clean", "balanced_accuracy_clean",
    "macro_f1_clean", "nll_clean", "ece_clean", "retained", "retained_low", "retained_high", "best", "rank", "area",
    "area_low", "area_high", "kind", "test_time_augmentation", "synthetic", "method_name", "method_version", "settings",
    "source", "selection", "fingerprint",
)  # fmt: skip

_RENAMED = {"params": "parameters"}


def leaderboard_frame(rows: Iterable[Row], boards: Iterable[Board]) -> pd.DataFrame:
    """One line a row, numbers NaN where there is a hole. best (1: best or tied at this scale), rank and area are those
    of the row's own board; accuracy_std is between seeds with ddof 1; train_seconds are of one cell, not summed."""
    homes = _homes(boards)
    lines = [_line(row, *homes.get(id(row), (None, None))) for row in rows]
    return pd.DataFrame(lines, columns=list(COLUMNS))


def _homes(boards: Iterable[Board]) -> dict[int, tuple[Board, Entry]]:
    found: dict[int, tuple[Board, Entry]] = {}
    for board in boards:
        for entry in board.entries:
            for row in entry.rows.values():
                own = row.record.train.protocol == board.protocol and not (
                    row.first.trained == "each"
                    and len(entry.rows) > 1
                    and "(trained at x" in entry.label
                )
                if own or id(row) not in found:
                    found[id(row)] = (board, entry)
    return found


def _line(row: Row, board: Board | None, entry: Entry | None) -> dict[str, Any]:
    record, method = row.record, row.record.method
    line: dict[str, Any] = {
        "dataset": row.first.dataset, "protocol": record.train.protocol, "test_protocol": record.test.protocol,
        "preset": record.preset, "method": row.first.method, "scale": row.scale, "size_px": row.size_px,
        "seeds": len(row.seeds), "trained_scales": _scales(row), "status": row.status,
        "seed_list": ";".join(map(str, row.seeds)), "kind": method.kind,
        "test_time_augmentation": method.test_time_augmentation or "", "synthetic": record.dataset.synthetic,
        "method_name": method.name, "method_version": method.version,
        "settings": json.dumps(method.settings, sort_keys=True), "source": method.source,
        "selection": ";".join(sorted({c.record.selection.rule for c in row.finished if c.record.selection})),
        "fingerprint": record.dataset.fingerprint,
    }  # fmt: skip
    for name in ("balanced_accuracy", "macro_f1", "nll", "ece", "n", "macs", "latency_ms", "train_seconds",
                 "train_seconds_with_stages", "throughput", "peak_memory_mb", "params"):  # fmt: skip
        line[name] = row.means.get(_RENAMED.get(name, name), math.nan)
    for name in ("n", "balanced_accuracy", "macro_f1", "nll", "ece"):
        line[f"{name}_clean"] = row.means.get(f"clean_{name}", math.nan)
    return line | _estimates(row, entry)


def _estimates(row: Row, entry: Entry | None) -> dict[str, Any]:
    line: dict[str, Any] = {}
    retained = entry.retained.get(row.scale) if entry else None
    for name, estimate in (
        ("accuracy", row.accuracy), ("accuracy_clean", row.clean), ("retained", retained),
        ("area", entry.area if entry else None),
    ):  # fmt: skip
        if estimate is not None:
            line |= {
                name: estimate.value,
                f"{name}_low": estimate.low,
                f"{name}_high": estimate.high,
            }
    line["accuracy_std"] = (
        row.accuracy.std if row.accuracy and row.accuracy.std is not None else math.nan
    )
    if entry is not None:
        line |= {
            "best": int(row.scale in entry.best),
            "rank": entry.rank if entry.rank is not None else math.nan,
        }
    return line


def _scales(row: Row) -> str:
    return ";".join(map(str, row.record.train.scales)) or "nothing"
