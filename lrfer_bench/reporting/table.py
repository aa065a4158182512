"""leaderboard.csv: every row with everything that is known about it, as numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from lrfer_bench.reporting import columns
from lrfer_bench.reporting.boards import Board
from lrfer_bench.reporting.column import Column
from lrfer_bench.reporting.lines import Line
from lrfer_bench.reporting.rows import Row


def leaderboard_frame(
    rows: Iterable[Row], boards: Iterable[Board], found: Sequence[Column] | None = None
) -> pd.DataFrame:
    """One line a row, NaN where there is a hole; found: the columns, default COLUMNS.

    best (1: best or tied at this scale), rank and area are those of the row's own board.
    accuracy_std is between seeds, with ddof 1; train_seconds are of one cell, not summed.
    """
    known = columns.COLUMNS if found is None else found
    homes = _homes(boards)
    lines: list[dict[str, Any]] = []
    for row in (row for row in rows if not row.repeated):
        home = homes.get(id(row))
        lines.append({k: v for column in known for k, v in column.csv_values(row, home).items()})
    return pd.DataFrame(lines, columns=[name for column in known for name in column.csv_names])


def _homes(boards: Iterable[Board]) -> dict[int, tuple[Board, Line]]:
    """Row (by its id) -> the board and line it belongs to.

    A row can stand in several: in boards of other protocols or tracks, and as a part of a line
    "trained at". The first board that it was made for counts.
    """
    found: dict[int, tuple[Board, Line]] = {}
    at_home: dict[int, tuple[Board, Line]] = {}
    for board in boards:
        for line in board.lines:
            for row in line.rows.values():
                borrowed = (
                    row.first.trained == "each"
                    and len(line.rows) > 1
                    and "(trained at x" in line.label
                )
                found.setdefault(id(row), (board, line))
                if row.record.train.protocol == board.protocol and not borrowed:
                    at_home.setdefault(id(row), (board, line))
    return found | at_home
