"""The metrics of one cell as plain data: the part `metrics` of a record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True)
class Metrics:
    """Numbers of one set of test images; recall[k] is None where no image has class k.

    n: how many images. recall: one number a class, in the order of the record's classes.
    confusion[true][said]: counts. The others are explained in metrics.metrics().
    """

    # Read by pydantic, which validates records: a field that is not declared here is refused.
    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    n: int
    accuracy: float
    balanced_accuracy: float
    macro_f1: float
    nll: float
    ece: float
    recall: list[float | None]
    confusion: list[list[int]]


@dataclass(frozen=True)
class MetricsPart:
    """all: the whole test split; clean: without the rows that also stand in train."""

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    all: Metrics
    clean: Metrics
