"""Which edit of a plugin file is the newest, where cells were run with several."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

from lrfer_bench.store.schema import Record
from lrfer_bench.store.store import Store

Group = TypeVar("Group", bound=Hashable)


def newest_edits(
    records: Iterable[tuple[Store, Record]], group_of: Callable[[Record], Group]
) -> dict[Group, str]:
    """Group -> the source of its record that was written last: "mine.py sha256:0a1b2c3d4e5f".

    The author's file as it is now is the one meant. Records of methods from installed packages do
    not count: their versions tell them apart.
    """
    newest: dict[Group, tuple[float, str]] = {}
    for store, record in records:
        if record.method.plugin_file:
            group, written = group_of(record), (store.written_at(record), record.method.source)
            newest[group] = max(newest.get(group, written), written)
    return {group: source for group, (_, source) in newest.items()}
