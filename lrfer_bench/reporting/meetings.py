"""What meets in a comparison: rows that stand on several boards meet once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lrfer_bench.errors import joined
from lrfer_bench.reporting.boards import Board
from lrfer_bench.reporting.rows import Row


@dataclass(frozen=True)
class Meeting:
    """Two rows that are tested against each other.

    where: data set, test protocol ("" on HR images), budget and scale
    a, b: the cells of each, where those that hold the same answers again count as one
    """

    where: tuple[str, str, str, int]
    a: frozenset[str]
    b: frozenset[str]

    def within(self, others: Sequence[Meeting]) -> bool:
        """Whether another one has all of its cells and more: it says the same, and more surely."""
        return any(
            self != other and self.where == other.where and self.a <= other.a and self.b <= other.b
            for other in others
        )


def meeting_of(board: Board, scale: int, a: Row, b: Row) -> Meeting:
    """HR images are the same under every test protocol, so whoever meets on them meets once."""
    on_hr = a.scale == b.scale == 1
    test = "" if on_hr else board.test_protocol
    existing = a.existing and b.existing
    # models that existed already stand on every track: the same answers on each
    budget = board.preset if existing else board.budget
    return Meeting((board.dataset, test, budget, scale), _tested(a), _tested(b))


def _tested(row: Row) -> frozenset[str]:
    """The cells of a row.

    One that no training protocol touches may have been run under several; and a trained one may
    have been tested on HR images under several test protocols.
    """
    if row.neutral:
        return frozenset(f"{row.first.method}, seed {seed}" for seed in row.seeds)
    if row.scale == 1:
        trained = f"{row.first.method}, {row.record.train.protocol} {row.first.trained}"
        return frozenset(f"{trained}, seed {seed}" for seed in row.seeds)
    return row.keys


def left_out(a: Row, b: Row, shared: Sequence[int]) -> str:
    """On which seeds two rows meet, where one has seeds that the other lacks; else ""."""
    said = []
    for row, other in ((a, b), (b, a)):
        more = [str(seed) for seed in row.seeds if seed not in other.seeds]
        if more and not (row.existing or other.existing):
            said.append(f"{row.first.method} also has {joined(more)}")
    own = f"seed{'s' if len(shared) > 1 else ''} {joined([str(seed) for seed in shared])}"
    return f"compared on {own}, which both have; {joined(said)}" if said else ""
