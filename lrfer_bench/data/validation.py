"""Cutting a validation split from train where a data set brings none.

The cut is deterministic, by hashes: no random numbers are drawn.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

SHARE = 0.1


def cut_validation(
    labels: NDArray[np.int64], keys: Iterable[bytes], share: float = SHARE
) -> NDArray[np.bool_]:
    """Which rows of train become validation: bool [N].

    Of each class the share of rows with the lowest sha256(key) goes, rounded half up, at least one
    and never all; rows of one key stay together, whatever their class, so that identical pictures
    never stand on both sides. A key is a file name or the pixels themselves: the order of the rows
    does not matter.
    """
    ranks = [_rank(key) for key in keys]
    chosen: set[bytes] = set()
    for label in np.unique(labels):
        mine = sorted(ranks[int(i)] for i in np.flatnonzero(labels == label))
        wanted = min(max(1, int(share * len(mine) + 0.5)), len(mine) - 1)
        chosen.update(mine[:wanted])
    for label in np.unique(labels):  # copies of one picture go together, but not a whole class
        mine = sorted({ranks[int(i)] for i in np.flatnonzero(labels == label)})
        if chosen.issuperset(mine):
            chosen.remove(mine[-1])
    return np.array([rank in chosen for rank in ranks], dtype=bool)


def cut_persons(persons: Sequence[str], share: float) -> NDArray[np.bool_]:
    """Which rows are cut off, bool [N]: all of some persons, until they are the share of the rows.

    Those with the lowest sha256(name) go, at least one and never all. persons: of each row.
    """
    count = dict.fromkeys(sorted(set(persons), key=lambda name: _rank(_bytes(name))), 0)
    for name in persons:
        count[name] += 1
    chosen: set[str] = set()
    for name in list(count)[:-1]:
        if chosen and sum(count[one] for one in chosen) >= share * len(persons):
            break
        chosen.add(name)
    return np.array([name in chosen for name in persons], dtype=bool)


def _bytes(name: str) -> bytes:
    """The same ones on every machine, also of a file's name that is not UTF-8."""
    return name.encode("utf-8", "surrogateescape")


def _rank(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()


def unit_hash(name: str) -> float:
    """A number in [0, 1) that depends on the name alone."""
    return int.from_bytes(hashlib.sha256(_bytes(name)).digest()[:7], "big") / 2**56
