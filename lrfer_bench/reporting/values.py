"""What the columns of a table are made of: numbers and texts of one line of a board.

Looks at boards, lines and rows only, so that it is quick to import (no numpy, no pandas).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lrfer_bench.reporting import numbers

if TYPE_CHECKING:
    from lrfer_bench.reporting.boards import Board
    from lrfer_bench.reporting.lines import Line
    from lrfer_bench.reporting.rows import Row


@dataclass(frozen=True)
class Text:
    """What one cell of a table says; its interval; whether it is among the best, or a hole."""

    text: str
    interval: str = ""
    best: bool = False
    hole: bool = False

    @property
    def whole(self) -> str:
        """Text and interval together: "0.563 [0.553, 0.573]"."""
        return f"{self.text} {self.interval}".strip()


def rank(board: Board, line: Line) -> Text:
    return Text(str(line.rank or numbers.DASH))


def name(board: Board, line: Line) -> Text:
    """The method's label, and what sets it apart from the others."""
    return Text(
        f"{line.label} ({line.extra})" if line.extra else line.label, best=line.best_overall
    )


def accuracy_of(line: Line, scale: int) -> float | None:
    row = line.rows.get(scale)
    return row.means.get("accuracy") if row else None


def scale_name(scale: int) -> str:
    """
    >>> scale_name(1), scale_name(4)
    ('HR', 'x4')
    """
    return "HR" if scale == 1 else f"x{scale}"


def accuracy_text(line: Line, scale: int) -> Text:
    """Accuracy with its interval at one scale."""
    row = line.rows.get(scale)
    if scale in line.holes or row is None:
        return Text(line.holes.get(scale, numbers.DASH), hole=scale in line.holes)
    if row.accuracy is None:
        return Text(numbers.DASH)
    mark = "" if row.whole else "*"
    text = numbers.percent(row.accuracy) + mark
    return Text(text, numbers.bounds(row.accuracy), scale in line.best)


def area(board: Board, line: Line) -> Text:
    if line.area is None:
        return Text(numbers.DASH)
    text, interval = numbers.fraction(line.area)
    return Text(text + ("" if line.whole else "*"), interval, line.best_overall)


def smallest(board: Board, line: Line) -> Text:
    """The smallest size that keeps 90 % of the oracle's accuracy, and its interval."""
    sizes = [size for scale, size in board.sizes.items() if line.has(scale)]
    return Text(numbers.smallest_text(line.smallest, sizes))


def mean_of(board: Board, line: Line, metric: str) -> float | None:
    """Mean of a metric over the LR scales; None unless every one of them has it."""
    scales = board.lr_scales
    means = [line.rows[scale].means for scale in scales if line.has(scale)]
    values = [found[metric] for found in means if metric in found]
    return sum(values) / len(values) if len(values) == len(scales) else None


def score_text(metric: str, say: Callable[[float | None], str]) -> Callable[[Board, Line], Text]:
    """A metric as text: the mean over the LR scales; for an oracle, its only number."""

    def text(board: Board, line: Line) -> Text:
        if line.oracle and line.shown:
            return Text(say(line.shown[0].means.get(metric)))
        return Text(say(mean_of(board, line, metric)))

    return text


def largest(board: Board, line: Line, cost: str) -> float | None:
    """The largest of a cost over the LR scales of the board, so that all are of the same sizes."""
    return max((row.means[cost] for row in line.over(board.lr_scales)), default=None)


def cost_text(cost: str, say: Callable[[float | None], str]) -> Callable[[Board, Line], Text]:
    """A cost as text: one number, or "low to high" where the LR scales of the board differ."""

    def text(board: Board, line: Line) -> Text:
        values = [row.means[cost] for row in line.over(board.lr_scales) if cost in row.means]
        if not values:
            return Text(numbers.DASH)
        low, high = say(min(values)), say(max(values))
        return Text(low if low == high else f"{low} to {high}")

    return text


def training_seconds(line: Line) -> float | None:
    """Seconds to train all models of a line, each and each shared stage once.

    The mean over seeds that are finished at every size; None where there is none, as a part of the
    models would look quicker than all of them.
    """
    rows = line.shown
    whole = [seed for seed in line.seeds if all(seed in row.seeds for row in rows)]
    if not rows or not whole or any(scale > 1 for scale in line.holes):
        return None
    totals = []
    for seed in whole:
        models: dict[str, float] = {}
        for row in rows:
            models |= _models(row, seed)
        totals.append(sum(models.values()))
    return sum(totals) / len(totals)


def _models(row: Row, seed: int) -> dict[str, float]:
    """Seconds of every model behind a row, each under a name that tells it from the others."""
    found: dict[str, float] = {}
    for result in row.finished:
        record = result.record
        if record.seed == seed and record.cost:
            own = f"{record.train.protocol} {record.train.scales}"
            found[own] = record.cost.train_seconds
            stages = {stage.key: stage.train_seconds for stage in record.stages.values()}
            below = record.cost.train_seconds_with_stages - found[own] - sum(stages.values())
            # What its stages rest on is told in one sum, the same wherever these stages stand.
            found |= {**stages, f"below {sorted(stages)}": max(0.0, round(below, 3))}
    return found


def seeds(board: Board, line: Line) -> Text:
    """How many seeds: "3", or "1/3" where the scales differ."""
    counts = sorted({len(row.seeds) for row in line.shown})
    return Text("/".join(map(str, counts)) or numbers.DASH)
