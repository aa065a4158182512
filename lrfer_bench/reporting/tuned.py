"""By how many trials of `tune` the settings of a line were chosen, and where that is unequal.

Quick to import (no numpy, no pandas), like all that columns are made of.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from lrfer_bench.reporting import numbers
from lrfer_bench.reporting.values import Text

if TYPE_CHECKING:
    from lrfer_bench.reporting.boards import Board
    from lrfer_bench.reporting.lines import Line
    from lrfer_bench.reporting.rows import Row

SAID = 4
"""How many names a sentence has before it counts the rest."""


def trials_of(line: Line) -> set[int | None]:
    """What its records say, mostly one number: None is not tuned, 0 has nothing to tune."""
    return {result.record.method.trials for row in line.shown for result in row.finished}


def most(row: Row) -> int | None:
    """The most trials that a seed of a row had; None where none says."""
    told = [r.record.method.trials for r in row.results if r.record.method.trials is not None]
    return max(told, default=None)


def value(board: Board, line: Line) -> int | None:
    """What to sort by: the most trials."""
    return max((trials or 0 for trials in trials_of(line)), default=None)


def text(board: Board, line: Line) -> Text:
    """What the table shows: "tuned, 8 trials", or both with a stroke where records differ."""
    return Text("/".join(sorted(map(say, trials_of(line)))) or numbers.DASH)


def say(trials: int | None) -> str:
    """
    >>> say(8), say(1), say(0), say(None)
    ('tuned, 8 trials', 'tuned, 1 trial', 'nothing to tune', 'not tuned')
    """
    if not trials:
        return "not tuned" if trials is None else "nothing to tune"
    return f"tuned, {trials} trial{'s' if trials > 1 else ''}"


def was_tuned(board: Board) -> bool:
    """Whether any line of a board was tuned: else nobody needs to be told that none was."""
    return any(value(board, line) for line in board.lines)


def unequal(lines: Iterable[Line]) -> str:
    """A sentence where lines had different numbers of trials, else "": the same for equal lines.

    Methods that have nothing to tune do not count.
    """
    counts: dict[str, set[int | None]] = defaultdict(set)
    for line in lines:
        if line.shown:
            counts[line.method] |= trials_of(line) - {0}
    numbers_of_trials = set().union(*counts.values())
    if len(numbers_of_trials) < 2:
        return ""
    groups: dict[str, list[str]] = defaultdict(list)
    for method, found in sorted(counts.items()):
        if found:
            groups[_counts(found)].append(method)
    said = "; ".join(f"{count}: {_some(methods)}" for count, methods in sorted(groups.items()))
    return (
        f"Methods had different numbers of tuning trials ({said}): "
        "one that was tuned more may be ahead for that reason alone."
    )


def _counts(found: set[int | None]) -> str:
    return "/".join(str(trials or "none") for trials in sorted(found, key=lambda n: n or 0))


def _some(methods: list[str]) -> str:
    """The first of a long list; the table says it of each."""
    if len(methods) <= SAID + 1:
        return ", ".join(methods)
    return f"{', '.join(methods[:SAID])} and {len(methods) - SAID} others"
