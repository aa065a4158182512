"""What guessing reaches: the line below which nothing was learned."""

from __future__ import annotations

from dataclasses import dataclass

from lrfer_bench.reporting import numbers
from lrfer_bench.reporting.boards import Board


@dataclass(frozen=True)
class Chance:
    """Accuracies in 0..1 of two guessers; name: the class that most test images have."""

    classes: int
    majority: float
    name: str

    @property
    def guess(self) -> float:
        """Of saying any class with equal chance."""
        return 1 / self.classes

    @property
    def sentence(self) -> str:
        return (
            f"Chance: {numbers.share(self.guess)} % by guessing one of {self.classes} classes, "
            f"{numbers.share(self.majority)} % by always saying {self.name}."
        )


def level(board: Board) -> Chance | None:
    """The chance level of a board's test images; None where no row is finished."""
    part = next((p for e in board.lines for row in e.shown for p in row.parts), None)
    if part is None:
        return None
    counts = [sum(row) for row in part.confusion]
    most = max(range(len(counts)), key=lambda k: counts[k])
    return Chance(len(counts), counts[most] / sum(counts), board.classes[most])
