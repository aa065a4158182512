"""What a column of a leaderboard is. Quick to import: no numpy, no pandas.

A line of a board is a method over all scales; a row is a method at one scale. The tables show
lines, leaderboard.csv has rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from lrfer_bench.reporting import numbers
from lrfer_bench.reporting.values import Text
from lrfer_bench.scoring.shown import Better

if TYPE_CHECKING:
    from lrfer_bench.reporting.boards import Board
    from lrfer_bench.reporting.lines import Line
    from lrfer_bench.reporting.rows import Row

Home: TypeAlias = "tuple[Board, Line] | None"
"""The board and line that a row belongs to."""

NAN = float("nan")


@dataclass(frozen=True)
class Column:
    """One column, declared by its names, its functions and its place.

    name       its only name: in --sort-by, in leaderboard.csv and in the page's data
    head       what the table has above it
    tip        one sentence that says what it is
    better     sorting puts the best first: "higher" or "lower" numbers
    value      (board, line) -> what to sort by, a number or a text; None is a hole. A column
               without value (and without at_scales) is in leaderboard.csv only
    text       (board, line) -> what the table shows; default: the value, as say writes it
    say        a number (None: a hole) -> how it is written; default: with three decimals
    place      small ones stand at the left of the table; equal ones in the order of COLUMNS
    metric     True: the metric of this name, which stands in every record
    hidden     True: --sort-by knows it, but the table has it only where --metrics names it
    only_if    (board) -> whether the table of this board has it
    row        (row, home) -> what leaderboard.csv has; default: the value of the row's line
    interval   True: row gives an Estimate, and the CSV has NAME, NAME_low and NAME_high
    csv        False: leaderboard.csv does not have it
    over_scales True: its number is about all LR scales of the board together
    head_on    (board) -> the head it has there, for a head that depends on the records
    at_scales  (board) -> the columns that stand in its place, one for each scale
    scale      the scale of such a column
    """

    name: str
    head: str = ""
    tip: str = ""
    better: Better = "higher"
    value: Callable[[Board, Line], float | str | None] | None = None
    text: Callable[[Board, Line], Text] | None = None
    say: Callable[[float | None], str] = numbers.plain
    place: int = 60
    metric: bool = False
    hidden: bool = False
    only_if: Callable[[Board], bool] | None = None
    row: Callable[[Row, Home], Any] | None = None
    interval: bool = False
    csv: bool = True
    over_scales: bool = False
    head_on: Callable[[Board], str] | None = None
    at_scales: Callable[[Board], list[Column]] | None = None
    scale: int | None = None

    def cell(self, board: Board, line: Line) -> Text:
        """What a table shows of a line."""
        if self.text is not None:
            return self.text(board, line)
        found = self.value(board, line) if self.value else None
        return Text(found if isinstance(found, str) else self.say(found))

    @property
    def csv_names(self) -> list[str]:
        """The columns of leaderboard.csv that are made of it: none, one or three."""
        if not self.csv:
            return []
        return [self.name, *(f"{self.name}_{end}" for end in ("low", "high") if self.interval)]

    def csv_values(self, row: Row, home: Home) -> dict[str, Any]:
        """What leaderboard.csv has of a row, by csv_names; NaN where nothing is known."""
        found: Any = None
        if self.row is not None:
            found = self.row(row, home)
        elif self.value is not None and home:
            found = self.value(*home)
        if found is None:
            return dict.fromkeys(self.csv_names, NAN)
        parts = (found.value, found.low, found.high) if self.interval else (found,)
        return dict(zip(self.csv_names, parts, strict=True)) if self.csv else {}
