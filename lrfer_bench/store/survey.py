"""Many records at once: one pass over a results folder in place of a look-up for each key."""

from __future__ import annotations

from collections.abc import Collection, Container
from dataclasses import dataclass, field

from lrfer_bench.store.schema import Record
from lrfer_bench.store.store import Damaged, Store


@dataclass(frozen=True)
class Survey:
    """What stands in a results folder.

    status: key -> "finished" or "failed"; the records themselves are not held in memory, and a
        finished one without its logits counts as missing
    """

    status: dict[str, str] = field(default_factory=dict)
    damaged: list[Damaged] = field(default_factory=list)


def survey(store: Store, keys: Container[str]) -> Survey:
    """Read every record once. status is told of these keys only; their logits are looked at."""
    found = Survey()
    for entry in store.scan():
        if isinstance(entry, Damaged):
            found.damaged.append(entry)
        elif entry.key in keys and store.is_complete(entry):
            found.status.setdefault(entry.key, entry.status)
    return found


def find_all(store: Store, keys: Collection[str]) -> list[Record]:
    """The records of these keys, in the order of the keys; keys without a record are left out."""
    heads = {key[:12] for key in keys}
    found: dict[str, Record] = {}
    for entry in store.scan(heads):
        if isinstance(entry, Record):
            found.setdefault(entry.key, entry)
    return [found[key] for key in keys if key in found]
