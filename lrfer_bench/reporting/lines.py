"""Lines of a board: a method (as trained) over the scales."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from lrfer_bench.reporting.rows import Row
from lrfer_bench.scoring.bootstrap import Estimate
from lrfer_bench.scoring.resolution import SmallestSize

EXISTING = "nothing was trained here"


@dataclass(frozen=True)
class Lead:
    """How far the best at a size is ahead of the next that it was told apart from.

    over: that line's label; value, low, high: the difference of their accuracies with its 95 %
    interval, over their common seeds; p: after Holm's correction over the column
    shared: how many these are, where one of the two has more seeds; else 0
    """

    over: str
    value: float
    low: float
    high: float
    p: float
    shared: int = 0


@dataclass
class Line:
    """One line of a board: a method (as trained) over the scales.

    rank:  1 for the best and all that tie with it; None when the row is not whole or is set apart
    best:  scales at which its accuracy is the best or ties with the best
    p:     scale -> p of its accuracy against the best there, after Holm's correction
    leads: scale -> how far it is ahead there, where it is the best
    beaten: scale -> label of a line that is better there on all of its seeds, and has more of them,
            though its mean is lower
    better: scales at which it is better than the best on the seeds that both have, and lacks others
    leak_free: the same line on the track without leaked rows, where its board has one
    """

    label: str
    method: str
    rows: dict[int, Row]
    oracle: bool = False
    off_scale: bool = False
    augmentation: str | None = None
    holes: dict[int, str] = field(default_factory=dict)
    rank: int | None = None
    area: Estimate | None = None
    mean: float | None = None
    smallest: SmallestSize | None = None
    retained: dict[int, Estimate] = field(default_factory=dict)
    best: set[int] = field(default_factory=set)
    p: dict[int, float] = field(default_factory=dict)
    leads: dict[int, Lead] = field(default_factory=dict)
    beaten: dict[int, str] = field(default_factory=dict)
    better: set[int] = field(default_factory=set)
    best_overall: bool = False
    leak_free: Line | None = None

    @property
    def extra(self) -> str:
        """What tables say beside its name, "" for a line like any other."""
        if self.oracle:
            return "sees HR"
        if self.existing:
            return EXISTING
        return f"test-time augmentation: {self.augmentation}" if self.augmentation else ""

    @property
    def existing(self) -> bool:
        """Whether all of it was there before: no seed draws anything of it."""
        return bool(self.shown) and all(row.existing for row in self.shown)

    @property
    def apart(self) -> bool:
        """Not comparable with the others: sees HR images, or augments at test time."""
        return self.oracle or self.augmentation is not None

    def has(self, scale: int) -> bool:
        return scale in self.rows and self.rows[scale].counted

    @property
    def whole(self) -> bool:
        """Whether no number of the line is a mean over a part of the seeds."""
        return all(row.whole for row in self.shown)

    @property
    def shown(self) -> list[Row]:
        return [row for row in self.rows.values() if row.counted]

    def over(self, scales: Sequence[int]) -> list[Row]:
        """Its rows at these scales; where it has none there, all that it has."""
        return [self.rows[scale] for scale in scales if self.has(scale)] or self.shown

    @property
    def seeds(self) -> list[int]:
        return sorted({seed for row in self.rows.values() for seed in row.seeds})
