"""What a board says, in words: who is best at each size, and whether that is sure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lrfer_bench.reporting import numbers
from lrfer_bench.reporting.boards import Board, Line
from lrfer_bench.reporting.ranking import few_images, score_of

MOST_NAMES = 3
"""Names said one by one; of more, only how many there are."""


@dataclass(frozen=True)
class Answer:
    """The best at one size. sure: nobody ties with it; said: that in words."""

    scale: int
    px: int
    best: str
    accuracy: str
    interval: str
    sure: bool
    said: str

    @property
    def sentence(self) -> str:
        number = f"{self.accuracy} % {self.interval}".strip()
        return f"At {self.px} px: {self.best}, {number}; {self.said}."


def headline(board: Board) -> str:
    """Who is best over all LR sizes."""
    ranked = [line for line in board.ranked if line.rank is not None]
    if not ranked and few_images(board):
        return "There are too few test images to say which method is best."
    if not ranked and board.untested:
        return "No method could be tested against another: see the notes."
    if not ranked:
        return "No method is finished at every size yet."
    sizes = joined([str(board.sizes[scale]) for scale in board.lr_scales])
    first, tied = ranked[0].label, [line.label for line in ranked[1:] if line.rank == 1]
    if len(ranked) == 1 and board.untested:
        return f"No other method could be tested against {first} at {sizes} pixels: see the notes."
    if len(ranked) == 1:
        return f"{first} is the only method finished at {sizes} pixels."
    if not board.tested:
        return f"{first} is the most accurate at {sizes} pixels; whether by chance, was not tested."
    where = f"over {sizes} pixels together" if len(board.lr_scales) > 1 else f"at {sizes} pixels"
    top = score_of(ranked[0])
    if any(line.label in board.untested and score_of(line) > top for line in board.ranked):
        where += ", of those that could be tested"
    if tied:
        return (
            f"{first} is the most accurate {where}, but {_names(tied)} cannot be told apart from "
            f"it.{_luck(board)}"
        )
    return (
        f"{first} is the most accurate {where}, significantly ahead of "
        f"{_others(len(ranked) - 1)}.{_luck(board)}"
    )


def answers(board: Board) -> list[Answer]:
    """The best at each LR size, the largest size first; sizes where nobody is finished are left."""
    found = []
    for scale in board.lr_scales:
        lines = sorted(
            _apart([line for line in board.ranked if line.has(scale)], scale),
            # of equals the one that the others were tested against, which has no p of its own
            key=lambda line: (-line.rows[scale].means["accuracy"], scale in line.p),
        )
        if lines:
            found.append(_answer(board, scale, lines))
    return found


def _apart(lines: Sequence[Line], scale: int) -> list[Line]:
    """One line of those that show the same cells at a scale.

    A model of x4 stands in its method's line, and in the line that tests it at other scales.
    """
    found: dict[frozenset[str], Line] = {}
    for line in sorted(lines, key=lambda line: line.off_scale):
        keys = frozenset(result.record.key for result in line.rows[scale].finished)
        found.setdefault(keys, line)
    return list(found.values())


def _answer(board: Board, scale: int, lines: Sequence[Line]) -> Answer:
    best, others = lines[0], lines[1:]
    unknown = [line for line in others if math.isnan(line.p.get(scale, math.nan))]
    tied = [line.label for line in others if scale in line.best and line not in unknown]
    if not others:
        said = "the only one finished"
    elif not board.tested or unknown:
        said = "not tested against all others"
    elif tied:
        said = f"level with {_names(tied)}"
    else:
        said = f"significantly ahead of {_others(len(others))}"
    estimate = best.rows[scale].accuracy
    text, interval = (numbers.percent(estimate), numbers.bounds(estimate)) if estimate else ("", "")
    sure = said.startswith("significantly")
    return Answer(scale, board.sizes[scale], best.label, text, interval, sure, said)


def joined(names: Sequence[str]) -> str:
    """
    >>> joined(["a", "b", "c"]), joined(["a"])
    ('a, b and c', 'a')
    """
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def _names(labels: Sequence[str]) -> str:
    return joined(labels) if len(labels) <= MOST_NAMES else f"{len(labels)} others"


def _others(count: int) -> str:
    return "the other one" if count == 1 else f"all {count} others"


def _luck(board: Board) -> str:
    """With one seed, another training may turn the order round."""
    counts = {len(row.seeds) for line in board.ranked for row in line.shown}
    return " One training each: another may turn out differently." if counts == {1} else ""
