"""Which edit of a plugin file is the newest, where cells were run with several."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeAlias, TypeVar

from lrfer_bench.store.schema import Record
from lrfer_bench.store.store import Store

Group = TypeVar("Group", bound=Hashable)
Written: TypeAlias = tuple[bool, float, str]
"""Whether a record is finished, when it was written, and a source of it: the highest is newest."""


def code_of(source: str) -> str:
    """What tells one code from another: a plugin file's hash, else the package and its version.

    The name of a file is in no key, so the same text under another name is the same code.

    >>> code_of("mine.py sha256:0a1b2c3d4e5f"), code_of("lrfer-bench 0.1.0")
    ('0a1b2c3d4e5f', 'lrfer-bench 0.1.0')
    """
    return source.partition(" sha256:")[2] or source


def newest_edits(
    records: Iterable[tuple[Store, Record]], group_of: Callable[[Record], Group]
) -> dict[Group, str]:
    """Group -> the source of its record that was written last: "mine.py sha256:0a1b2c3d4e5f".

    The author's file as it is now is the one meant: a run dates its records that stand already, too
    (Store.date). A package that such a file grew into is an edit of it. Groups without any plugin
    file are left out: versions of packages tell their records apart.

    A failed record makes an edit the newest only where no other is finished: it has no numbers that
    could take the place of others.
    """
    newest: dict[Group, Written] = {}
    of_files: set[Group] = set()
    for store, record in records:
        group, written = group_of(record), _written(store, record, record.method.source)
        newest[group] = max(newest.get(group, written), written)
        if record.method.plugin_file:
            of_files.add(group)
    return {group: source for group, (*_, source) in newest.items() if group in of_files}


def _written(store: Store, record: Record, source: str) -> Written:
    return record.status == "finished", store.written_at(record), source


def codes(records: Iterable[Record]) -> dict[str, set[str]]:
    """ "method mine" or "protocol pin" -> the codes of plugin files that its records came from."""
    found: dict[str, set[str]] = {}
    for record in records:
        own = {f"method {record.method.name}": record.method.source}
        for of, source in (
            (own if record.method.plugin_file else {}) | record.method.files
        ).items():
            found.setdefault(of, set()).add(code_of(source))
    return found


def on_older_edits(records: Sequence[tuple[Store, Record]]) -> dict[str, str]:
    """Key of a record -> the stage or protocol ("protocol occlude") that was edited since.

    Its pixels or its stage are not those of the file as it is now, and nothing in its names tells.
    What failed under an edit that is newer still, as none of it is finished, stays: it is a hole.
    """
    newest: dict[str, Written] = {}
    for store, record in records:
        own = {f"method {record.method.name}": record.method.source}
        for of, source in (own | record.method.files).items():
            written = _written(store, record, source)
            newest[of] = max(newest.get(of, written), written)
    return {
        record.key: of
        for store, record in records
        for of, source in record.method.files.items()
        if code_of(newest[of][-1]) != code_of(source)
        if record.status == "finished" or store.written_at(record) <= newest[of][1]
    }
