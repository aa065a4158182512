"""Lines of a board that another line replaces, so that a first try does not stand in the table."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lrfer_bench.reporting.boards import Board
    from lrfer_bench.reporting.lines import Line


def fold(board: Board) -> None:
    """Fold an unfinished line away where the same method was trained at more scales, and finished.

    So a first try with fewer --scales does not stand beside the run that followed it. The line
    that stays needs no "trained at" in its name then.
    """
    whole = [line for line in board.lines if not line.holes]
    for line in list(board.lines):
        better = [other for other in whole if _replaces(other, line)]
        if line.holes and better:
            board.lines.remove(line)
            board.folded.append(line)
    counts = Counter(line.method for line in board.lines)
    for line in board.lines:
        if counts[line.method] == 1 and not line.off_scale:
            line.label = line.method


def _replaces(other: Line, line: Line) -> bool:
    """Whether one model for all scales stands in both, with more scales in the other one."""
    if other.method != line.method or other.off_scale or line.off_scale:
        return False
    (own, more) = (set(next(iter(e.rows.values())).record.train.scales) for e in (line, other))
    return len(own) > 1 and own < more


def note(board: Board) -> str:
    """What a reader has to know of the lines folded away, "" where there are none."""
    if not board.folded:
        return ""
    names = ", ".join(line.label for line in board.folded)
    one = len(board.folded) == 1
    return (
        f"Folded away: {names}, which {'is' if one else 'are'} not finished at all scales here; "
        "the same method trained at more scales is shown (--unfolded shows both)."
    )
