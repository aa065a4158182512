"""Which columns a report has, and which of them a word of --sort-by means. Quick to import."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lrfer_bench.errors import UserError, did_you_mean
from lrfer_bench.reporting import columns, numbers
from lrfer_bench.reporting.column import Column, Home
from lrfer_bench.scoring.shown import first_line, shown_of

if TYPE_CHECKING:
    from lrfer_bench.reporting.boards import Board
    from lrfer_bench.reporting.lines import Line
    from lrfer_bench.reporting.rows import Row

AT = ":SCALE"
"""How the name of a column ends that has one for each scale."""
OLD_WORDS = {"params": "parameters", "train": "train_seconds"}
"""Words that --sort-by took before each column had one name."""


def columns_with(metrics: Mapping[str, Callable[..., Any]]) -> tuple[Column, ...]:
    """COLUMNS and those of the metrics asked for; UserError where two columns have the same name.

    A metric that stands in records has a column already: it is shown, and gets an interval.
    """
    recorded = {column.name for column in columns.COLUMNS if column.metric}
    shown = recorded.intersection(metrics)
    found = [_asked_for(c) if c.name in shown else c for c in columns.COLUMNS]
    for name, function in metrics.items():
        if name not in recorded:
            found += _of_metric(name, function)
    _check_names(found, metrics)
    return tuple(found)


def _asked_for(column: Column) -> Column:
    if column.interval:  # accuracy, whose interval every report has
        return replace(column, hidden=False)
    return replace(column, hidden=False, row=_measured(column.name), interval=True)


def _of_metric(name: str, function: Callable[..., Any]) -> list[Column]:
    look = shown_of(function)
    say = numbers.share if look.percent else numbers.plain
    tip = first_line(function) or f"The metric {name}."
    own = columns.score(
        name, look.head or name, tip, look.better, say, row=_measured(name), interval=True
    )
    return [own, columns.csv_only(f"clean_{name}", lambda row: row.means.get(f"clean_{name}"))]


def _measured(name: str) -> Callable[[Row, Home], Any]:
    return lambda row, home: row.measured.get(name)


def _check_names(found: Sequence[Column], metrics: Iterable[str]) -> None:
    counts = Counter(name for column in found for name in column.csv_names)
    for metric in metrics:
        taken = [name for name in counts if counts[name] > 1 and metric in name]
        if taken:
            raise UserError(
                f'the metric "{metric}" makes a second column "{taken[0]}": '
                "register it under another name"
            )


def in_table(found: Iterable[Column], board: Board) -> list[Column]:
    """The columns of a board's table, from left to right."""
    shown: list[Column] = []
    for column in sorted(found, key=lambda c: c.place):
        if column.at_scales is not None:
            shown += column.at_scales(board)
        elif column.value and not column.hidden and (not column.only_if or column.only_if(board)):
            head = column.head_on(board) if column.head_on else column.head
            shown.append(replace(column, head=head))
    return shown


def sort_words(found: Iterable[Column] | None = None) -> list[str]:
    """The words that --sort-by takes, in the order of the table."""
    known = columns.COLUMNS if found is None else found
    return [c.name for c in sorted(known, key=lambda c: c.place) if c.value or c.at_scales]


def check_sort_word(found: Sequence[Column], word: str) -> None:
    """UserError for a word of --sort-by that names no column."""
    words = sort_words(found)
    if _named(found, word) is None and f"{word.partition(':')[0]}{AT}" not in words:
        raise UserError(f'there is no column "{word}" to sort by: {did_you_mean(word, words)}')


def check_sort_scale(found: Sequence[Column], word: str, scales: Iterable[int]) -> None:
    """UserError for the word of a scale, such as accuracy:3, where no record has this scale."""
    name = word.partition(":")[0]
    known = [f"{name}:{scale}" for scale in sorted(set(scales))]
    if _named(found, word) is None and word not in known:
        raise UserError(f'cannot sort by "{word}": these records have {", ".join(known)}')


def sorted_by(board: Board, word: str, found: Sequence[Column]) -> Column | None:
    """The column that a word of --sort-by means on a board; None for a scale it does not have."""
    return _named(found, word) or _at_scale(found, board, word)


def ordered(board: Board, word: str, found: Sequence[Column]) -> list[Line]:
    """The lines of a board by a column: best first, holes last, lines set apart after all others.

    Lines that are equal there stay in the order of their ranks.
    """
    column = sorted_by(board, word, found)
    if column is None:  # a scale that other boards have
        return board.lines
    value, sign = column.value, -1 if column.better == "higher" else 1
    assert value is not None

    def key(line: Line) -> tuple[bool, bool, Any]:
        own = value(board, line)
        if own is None:
            return line.apart, True, 0
        return line.apart, False, own if isinstance(own, str) else sign * own

    return sorted(board.lines, key=key)


def _named(found: Iterable[Column], word: str) -> Column | None:
    known = {column.name: column for column in found if column.value}
    return known.get(word) or known.get(OLD_WORDS.get(word, word))


def _at_scale(found: Iterable[Column], board: Board, word: str) -> Column | None:
    at_scales = [column for c in found if c.at_scales for column in c.at_scales(board)]
    return next((column for column in at_scales if column.name == word), None)
