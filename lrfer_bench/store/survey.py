"""Many records at once: one pass over a results folder in place of a look-up for each key."""

from __future__ import annotations

from collections.abc import Callable, Collection, Container
from dataclasses import dataclass, field

from lrfer_bench.errors import RecordError
from lrfer_bench.store.schema import Record
from lrfer_bench.store.store import Damaged, Store


@dataclass(frozen=True)
class Survey:
    """What stands in a results folder.

    status: key -> "finished" or "failed"; the records themselves are not held in memory, and a
        finished one without its logits counts as missing
    datasets: what these call their data set; the same faces may have been run under another name
    """

    status: dict[str, str] = field(default_factory=dict)
    datasets: set[str] = field(default_factory=set)
    damaged: list[Damaged] = field(default_factory=list)


def survey(store: Store, keys: Container[str]) -> Survey:
    """Read every record once. status is told of these keys only; their logits are looked at."""
    found = Survey()
    for entry in store.scan():
        if isinstance(entry, Damaged):
            found.damaged.append(entry)
        elif entry.key in keys and store.is_complete(entry):
            found.status.setdefault(entry.key, entry.status)
            found.datasets.add(entry.dataset.name)
    return found


def sound(store: Store, tell: Callable[[str], None]) -> list[Record]:
    """Every record that can be trusted, in name order; tell() gets a line of each that cannot be.

    RecordError where there are records and none can be trusted.
    """
    found, damaged = [], 0
    for entry in store.scan():
        if isinstance(entry, Record):
            found.append(entry)
        else:
            damaged += 1
            tell(f"{entry.path} is not counted: {entry.reason}")
    if damaged and not found:
        raise RecordError(
            f"{store.root} holds no sound record ({damaged} damaged): copy its records/ again, or "
            'train the cells again with "lrfer-bench run"'
        )
    return found


def find_all(store: Store, keys: Collection[str]) -> list[Record]:
    """The records of these keys, in the order of the keys; keys without a record are left out."""
    heads = {key[:12] for key in keys}
    found: dict[str, Record] = {}
    for entry in store.scan(heads):
        if isinstance(entry, Record):
            found.setdefault(entry.key, entry)
    return [found[key] for key in keys if key in found]
