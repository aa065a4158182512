"""Which part of the records a report shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lrfer_bench.errors import UserError, did_you_mean
from lrfer_bench.reporting.frame import Cell


@dataclass(frozen=True)
class Choice:
    """Names and numbers to show; an empty one means all. methods match by label or by bare name; the oracle stays, since
    it is the ceiling of the others; scale 1 stays for the oracle only."""

    datasets: Sequence[str] = ()
    methods: Sequence[str] = ()
    scales: Sequence[int] = ()
    seeds: Sequence[int] = ()


def choose(cells: Iterable[Cell], choice: Choice) -> list[Cell]:
    """The cells of a choice; UserError for a name or number that no record has, or when nothing is left."""
    found = list(cells)
    _check(
        "data set",
        choice.datasets,
        {c.dataset for c in found} | {c.record.dataset.name for c in found},
    )
    _check(
        "method", choice.methods, {c.method for c in found} | {c.record.method.name for c in found}
    )
    _check("scale", choice.scales, {c.record.test.scale for c in found})
    _check("seed", choice.seeds, {c.record.seed for c in found})
    kept = [cell for cell in found if _wanted(cell, choice)]
    if not kept:
        raise UserError(
            "no record is left under these --datasets, --methods, --scales and --seeds: ask for fewer at once"
        )
    return kept


def _check(kind: str, asked: Iterable[object], known: Iterable[object]) -> None:
    names = {str(name) for name in known}
    for name in map(str, asked):
        if name not in names:
            raise UserError(f'no record is about {kind} "{name}": {did_you_mean(name, names)}')


def _wanted(cell: Cell, choice: Choice) -> bool:
    record = cell.record
    oracle = record.method.kind == "oracle"
    return (
        (not choice.datasets or bool({cell.dataset, record.dataset.name} & set(choice.datasets)))
        and (
            not choice.methods
            or oracle
            or bool({cell.method, record.method.name} & set(choice.methods))
        )
        and (not choice.scales or oracle or record.test.scale in choice.scales)
        and (not choice.seeds or record.seed in choice.seeds)
    )
