"""Which part of the records a report shows, and which pictures it can have. Quick to import."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from lrfer_bench.contract.labels import same_label
from lrfer_bench.errors import UserError, did_you_mean, joined
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

    protocols were trained under, test_protocols tested under; "bicubic" is every version of it.
    What no training touched stays where something trained under these was tested as it was; on HR
    images, under every test protocol.
    """

    datasets: Sequence[str] = ()
    methods: Sequence[str] = ()
    scales: Sequence[int] = ()
    seeds: Sequence[int] = ()
    protocols: Sequence[str] = ()
    test_protocols: Sequence[str] = ()

    @property
    def options(self) -> str:
        """Those that leave something out, as a user types them: "--scales and --seeds"."""
        asked = [
            f"--{each.name.replace('_', '-')}" for each in fields(self) if getattr(self, each.name)
        ]
        return joined(asked)


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
    trained = {r.record.train.protocol for r in found if not r.neutral}
    tested = {r.record.test.protocol for r in found}
    _check("training protocol", choice.protocols, trained, notes, _is_protocol)
    _check("test protocol", choice.test_protocols, tested, notes, _is_protocol)
    _check("scale", choice.scales, {r.record.test.scale for r in found}, notes)
    _check("seed", choice.seeds, {r.record.seed for r in found}, notes)
    choice = replace(choice, datasets=_shown_names(found, choice.datasets))
    asked_for = {r.place for r in found if r.record.seed in choice.seeds}
    kept = [result for result in found if _wanted(result, choice, asked_for)]
    if choice.protocols:
        kept = _beside_trained(kept, [result for result in found if _under(result, choice)])
    if choice.methods or choice.scales or choice.protocols or choice.test_protocols:
        kept = _ceilings_of_others(kept, choice, found)
    if not kept:
        asked = f"under these {choice.options}: ask for fewer at once"
        dropped = f"; left out before: {_first(notes)}" if notes else ""
        raise UserError(f"no record is left {asked if found else 'to show'}{dropped}")
    return kept


def _shown_names(found: Iterable[Result], asked: Sequence[str]) -> list[str]:
    """What tables call the data sets asked for; where none is called so, what some records do."""
    names = {(r.dataset, r.record.dataset.name) for r in found}
    shown = {dataset for dataset, _ in names}
    meant = {one for one in asked if one in shown}
    meant |= {dataset for dataset, name in names if name in asked and name not in shown}
    return sorted(meant)


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


def _is_protocol(asked: str, name: str) -> bool:
    """Whether a protocol is meant, with its version or without."""
    return asked in (name, name.partition("@")[0])


def _beside_trained(kept: Sequence[Result], under: Iterable[Result]) -> list[Result]:
    """Without LR rows of what no training touched where nothing else was tested as they were.

    under: all results of the protocols asked for, whatever methods, scales and seeds were
    """

    def place(result: Result) -> tuple[str, ...]:
        record = result.record
        track = "" if record.method.existing else record.method.track  # which is on each track
        return result.dataset, record.preset, record.test.protocol, track

    trained = {place(result) for result in under if not result.neutral}
    trained |= {(*where, "") for *where, _ in trained}
    return [r for r in kept if not r.neutral or _on_hr(r) or place(r) in trained]


def _on_hr(result: Result) -> bool:
    """Whether it answers on HR images what no training protocol touched: the same on all boards."""
    return result.neutral and result.record.test.scale == 1


def _ceilings_of_others(
    kept: Sequence[Result], choice: Choice, found: Sequence[Result]
) -> list[Result]:
    """Without ceilings of data sets and presets on which none of the methods chosen stands.

    They stay alone where nothing else can be meant: at scale 1, and where nothing else was found.
    """

    def place(result: Result) -> tuple[str, str]:
        return result.dataset, result.record.preset

    def is_ceiling(result: Result) -> bool:
        return result.record.method.kind == "oracle" and not _names(result) & set(choice.methods)

    places = {place(result) for result in kept if not is_ceiling(result)}
    alone = not choice.methods and set(choice.scales) == {1}
    if not places and (alone or all(is_ceiling(result) for result in found)):
        return list(kept)
    return [r for r in kept if place(r) in places]


def _names(result: Result) -> set[str]:
    """What its row may be asked for by: as shown, without a mark of its origin, by its method."""
    return {result.method, result.label, result.method_name}


def _wanted(result: Result, choice: Choice, asked_for: Collection[tuple[str, ...]]) -> bool:
    """asked_for: places of the results under the seeds of the choice."""
    record = result.record
    any_seed = record.method.existing and result.place not in asked_for
    oracle = record.method.kind == "oracle"
    methods = _names(result)
    return _under(result, choice) and (
        (not choice.datasets or result.dataset in choice.datasets)
        and (not choice.methods or oracle or bool(methods & set(choice.methods)))
        and (not choice.scales or oracle or record.test.scale in choice.scales)
        and (not choice.seeds or record.seed in choice.seeds or any_seed)
    )


def _under(result: Result, choice: Choice) -> bool:
    """Whether it was trained and tested under the protocols of a choice."""
    if _on_hr(result):
        return True
    train, test = result.record.train.protocol, result.record.test.protocol
    trained = result.neutral or any(_is_protocol(one, train) for one in choice.protocols)
    tested = any(_is_protocol(one, test) for one in choice.test_protocols)
    return (trained or not choice.protocols) and (tested or not choice.test_protocols)
