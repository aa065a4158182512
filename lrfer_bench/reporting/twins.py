"""Results whose stages have other settings: rows of their own, or left out where unknown."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from lrfer_bench.contract.labels import label_of
from lrfer_bench.files import read_json
from lrfer_bench.plugins.registry import METHODS
from lrfer_bench.store.names import with_stages
from lrfer_bench.store.store import Store

if TYPE_CHECKING:
    from lrfer_bench.reporting.frame import Result

KEY = re.compile("[0-9a-f]{64}")
Known: TypeAlias = "dict[tuple[Store, str, str], list[str] | None]"
"""What was read of a stage of a method already; None: nothing that can be used."""
UNKNOWN = "stages not told"


def without_twins(results: Sequence[Result], notes: list[str]) -> list[Result]:
    """Label results by what was changed of their stages; leave out what no table tells apart.

    Which of such twins is meant is unknown, so none is counted, and a note says it. Results that do
    not tell their stages are taken for unchanged ones, except where they have twins.
    """
    doubled = {_table(twins[0]) for twins in _claims(results) if len(twins) > 1}
    known: Known = {}
    named = [_by_stages(found, known, _table(found) in doubled) for found in results]
    kept = []
    for twins in _claims(named):
        if len(twins) == 1:
            kept += twins
            continue
        first = twins[0]
        notes.append(
            f"{len(twins)} records claim the same cell ({first.method} on {first.dataset}, "
            f"{first.record.test.protocol}, x{first.record.test.scale}, seed {first.record.seed}): "
            f"{_names(twins)}; they differ in version or stages, so none is counted: "
            "report them from separate folders"
        )
    return kept


def _table(result: Result) -> tuple[str, str, str]:
    """Where a row of its method meets its twins."""
    return result.dataset, result.record.preset, result.method


def _claims(results: Iterable[Result]) -> list[list[Result]]:
    """Results by the cell that they claim; a failed one counts where none is finished."""
    groups: dict[tuple[tuple[str, ...], int], list[Result]] = defaultdict(list)
    for result in results:
        groups[result.place, result.record.seed].append(result)
    return [
        [result for result in twins if result.finished] or twins[:1] for twins in groups.values()
    ]


def _by_stages(result: Result, known: Known, doubled: bool) -> Result:
    """The result under a label with the changed settings of its stages, bare where there are none.

    doubled: another one claims its cell, so that stages that are not told are said to be that
    """
    said = result.record.method.stage_settings
    if said is None:
        said = _from_models(result, known)
    if said is None:
        said = [UNKNOWN] if doubled else []
    return replace(result, method=with_stages(result.method, said))


def _from_models(result: Result, known: Known) -> list[str] | None:
    """What an older record does not say, from the models beside it; None: they are not there."""
    said: list[str] = []
    for stage in result.record.stages.values():
        found = _settings_below(result.store, stage.key, result.method_name, known)
        if found is None:
            return None
        said += found
    return said


def _settings_below(store: Store, key: str, above: str, known: Known) -> list[str] | None:
    """Labels of a stage and the stages below it that have changed settings; None: not on disk.

    above: the method whose stage it is
    """
    place = (store, key, above)
    if place not in known:
        known[place] = None  # a circle in somebody's files ends here
        known[place] = _read(store, key, above, known)
    return known[place]


def _read(store: Store, key: str, above: str, known: Known) -> list[str] | None:
    """From the file beside the stage's weights.

    It does not tell the user's settings from those that the method above asked for. One that is its
    own teacher asks for all of them: they follow from its own, which stand in its label.
    """
    try:
        facts = read_json(store.models / f"{key}.json") if KEY.fullmatch(key) else None
    except (OSError, ValueError):
        return None
    if not isinstance(facts, dict):
        return None
    settings, below = facts.get("settings"), facts.get("stages")
    if not isinstance(settings, dict) or not isinstance(below, dict):
        return None
    name = METHODS.current(str(facts.get("method")))
    found = [label_of(name, settings)] if settings and name != above else []
    for other in below.values():
        deeper = _settings_below(store, str(other), name, known)
        if deeper is None:
            return None
        found += deeper
    return found


def _names(results: Sequence[Result]) -> str:
    return " and ".join(result.record.stem for result in results)
