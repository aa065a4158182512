"""Leaderboards in a terminal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from lrfer_bench.cli.echo import bold, echo, echo_bold
from lrfer_bench.errors import escaped
from lrfer_bench.reporting import lookup, numbers, values, words
from lrfer_bench.reporting.boards import Board
from lrfer_bench.reporting.column import Column
from lrfer_bench.reporting.grid import unranked
from lrfer_bench.reporting.lines import Line
from lrfer_bench.reporting.values import Text


def show_board(board: Board, sort_by: str, columns: Sequence[Column]) -> None:
    """Title, the result in words, and a table with heads; the best and its ties in bold.

    sort_by, columns: those of the report; see lookup.ordered()
    """
    echo(board.title)
    echo(f"  {words.headline(board)}")
    for line in board_lines(board, lookup.ordered(board, sort_by, columns)):
        echo_bold(line)
    extras: dict[str, list[str]] = defaultdict(list)
    for row in board.lines:
        if row.extra and not row.oracle:
            extras[row.extra].append(row.label)
    for extra, labels in extras.items():
        echo(f"  {', '.join(labels)}: {extra}")
    if board.untested:
        echo(f"  {unranked(board)}")
    echo()


def board_lines(board: Board, lines: Sequence[Line] | None = None) -> list[str]:
    """The table as lines, with the codes of bold; texts of records are escaped.

    lines: its lines in the order wanted; None: by rank
    """
    heads = [f"{values.scale_name(s)} {board.sizes[s]} px" for s in board.table_scales]
    rows = [
        [Text("#"), Text("Method"), *map(Text, heads)],
        *(_row(board, e) for e in lines or board.lines),
    ]
    rows = [[_plain(cell) for cell in row] for row in rows]
    widths = [max(len(row[k].whole) for row in rows) for k in range(len(rows[0]))]
    return [_line(row, widths) for row in rows]


def _row(board: Board, line: Line) -> list[Text]:
    cells = [values.accuracy_text(line, scale) for scale in board.table_scales]
    empty = [Text("") if cell.text == numbers.DASH else cell for cell in cells]
    return [values.rank(board, line), Text(line.label, best=line.best_overall), *empty]


def _plain(cell: Text) -> Text:
    return Text(escaped(cell.text), cell.interval, cell.best, cell.hole)


def _line(row: Sequence[Text], widths: Sequence[int]) -> str:
    parts = []
    for k, (cell, width) in enumerate(zip(row, widths, strict=True)):
        gap = " " * (width - len(cell.whole))
        text = bold(cell.text) if cell.best else cell.text
        text = f"{text} {cell.interval}".rstrip()
        parts.append(f"{gap}{text}" if k == 0 else f"{text}{gap}")
    return f"  {'  '.join(parts)}".rstrip()
