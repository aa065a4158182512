"""Which epoch's weights are kept.

No rule here can see the test split: training code is never given it.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import ClassVar

from lrfer_bench.errors import UserError, did_you_mean


class SelectionRule(ABC):
    """Is told each epoch's validation score and says whether to keep that epoch's weights."""

    name: ClassVar[str]

    @abstractmethod
    def keeps(self, epoch: int, epochs: int, score: float, best: float | None) -> bool:
        """True where epoch (1..epochs) replaces what is kept.

        best: the score of what is kept, None before the first epoch
        """


class Last(SelectionRule):
    """The last epoch, whatever validation says.

    With a schedule that ends at zero it needs no choice.
    """

    name = "last"

    def keeps(self, epoch: int, epochs: int, score: float, best: float | None) -> bool:
        return epoch == epochs


class BestOnValidation(SelectionRule):
    """The epoch with the highest validation score (leaked rows left out), the first of equals."""

    name = "best-val"

    def keeps(self, epoch: int, epochs: int, score: float, best: float | None) -> bool:
        return best is None or score > best or (math.isnan(best) and not math.isnan(score))


RULES = {rule.name: rule for rule in (Last, BestOnValidation)}


def rule_of(name: str) -> SelectionRule:
    """The rule of a name; UserError with the nearest one."""
    if name not in RULES:
        raise UserError(f'there is no selection rule "{name}": {did_you_mean(name, RULES)}')
    return RULES[name]()
