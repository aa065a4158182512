"""Which part of the records a report shows, and which pictures it can have. Quick to import."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lrfer_bench.contract.labels import same_label
from lrfer_bench.errors import UserError, did_you_mean
from lrfer_bench.plugins.registry import METHODS

if TYPE_CHECKING:
    from lrfer_bench.reporting.frame import Result

PICTURES = ("changed", "all", "curves", "none")
"""changed: all, but what an earlier report drew from the same records stays as it is."""
FEWEST_RESAMPLES = 100
"""The ends of a 95 % interval from fewer are the extremes of a handful of draws."""


@dataclass(frozen=True)
class Choice:
    """Names and numbers to show; an empty one means all.

    methods match by label, however its numbers are written, or by bare name. The oracle stays
    where one of them stands, since it is their ceiling; scale 1 stays for the oracle only. What
    existed already stays under other seeds than its own, too: its answers hold for all.
    """

    datasets: Sequence[str] = ()
    methods: Sequence[str] = ()
    scales: Sequence[int] = ()
    seeds: Sequence[int] = ()


def selected(results: Iterable[Result], choice: Choice, notes: Sequence[str] = ()) -> list[Result]:
    """The results of a choice.

    notes: which records were left out before, and why
    UserError for a name or number that no record has, or when nothing is left; it says such a note.
    """
    found = list(results)
    choice = replace(choice, methods=[METHODS.current_label(name) for name in choice.methods])
    _check(
        "data set",
        choice.datasets,
        {r.dataset for r in found} | {r.record.dataset.name for r in found},
        notes,
    )
    methods = {name for r in found for name in _names(r)}
    _check("method", choice.methods, methods, notes, same_label)
    meant = [name for name in methods if any(same_label(one, name) for one in choice.methods)]
    choice = replace(choice, methods=meant)
    _check("scale", choice.scales, {r.record.test.scale for r in found}, notes)
    _check("seed", choice.seeds, {r.record.seed for r in found}, notes)
    asked_for = {r.place for r in found if r.record.seed in choice.seeds}
    kept = [result for result in found if _wanted(result, choice, asked_for)]
    if choice.methods or choice.scales:
        kept = _ceilings_of_others(kept, choice)
    if not kept:
        asked = "under these --datasets, --methods, --scales and --seeds: ask for fewer at once"
        dropped = f"; left out before: {_first(notes)}" if notes else ""
        raise UserError(f"no record is left {asked if found else 'to show'}{dropped}")
    return kept


def _first(notes: Sequence[str]) -> str:
    more = f" (and {len(notes) - 1} more such notes)" if len(notes) > 1 else ""
    return notes[0] + more


def _check(
    kind: str,
    asked: Iterable[object],
    known: Iterable[object],
    notes: Sequence[str],
    same: Callable[[str, str], bool] = str.__eq__,
) -> None:
    names = {str(name) for name in known}
    for name in map(str, asked):
        if any(same(name, one) for one in names):
            continue
        named = re.compile(rf"(?<!\w)x?{re.escape(name)}(?!\w)")  # a scale stands there as x4
        about = [note for note in notes if named.search(note)]
        if about:
            raise UserError(f'no record about {kind} "{name}" is counted: {_first(about)}')
        raise UserError(f'no record is about {kind} "{name}": {did_you_mean(name, names)}')


def _ceilings_of_others(kept: Sequence[Result], choice: Choice) -> list[Result]:
    """Without ceilings of data sets and presets on which none of the methods chosen stands."""

    def place(result: Result) -> tuple[str, str]:
        return result.dataset, result.record.preset

    def is_ceiling(result: Result) -> bool:
        return result.record.method.kind == "oracle" and not _names(result) & set(choice.methods)

    places = {place(result) for result in kept if not is_ceiling(result)}
    return [r for r in kept if not places or place(r) in places or not is_ceiling(r)]


def _names(result: Result) -> set[str]:
    """What its row may be asked for by: as shown, without a mark of its origin, by its method."""
    return {result.method, result.label, result.method_name}


def _wanted(result: Result, choice: Choice, asked_for: Collection[tuple[str, ...]]) -> bool:
    """asked_for: places of the results under the seeds of the choice."""
    record = result.record
    any_seed = record.method.existing and result.place not in asked_for
    oracle = record.method.kind == "oracle"
    datasets = {result.dataset, record.dataset.name}
    methods = _names(result)
    return (
        (not choice.datasets or bool(datasets & set(choice.datasets)))
        and (not choice.methods or oracle or bool(methods & set(choice.methods)))
        and (not choice.scales or oracle or record.test.scale in choice.scales)
        and (not choice.seeds or record.seed in choice.seeds or any_seed)
    )
