"""Is a prepared data set what its card says? Needs numpy only."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lrfer_bench.contract.cards import DatasetCard
from lrfer_bench.contract.faceset import SPLITS
from lrfer_bench.data.audit import Audit, audit
from lrfer_bench.data.cache import Prepared


@dataclass(frozen=True)
class Check:
    """One comparison: what was compared, what should be there and what is."""

    what: str
    expected: str
    found: str

    @property
    def ok(self) -> bool:
        return self.expected == self.found


@dataclass(frozen=True)
class Verification:
    """Checks of a prepared data set against its card and against the cache.

    states_counts: whether the card says what a right copy has at all
    """

    prepared: Prepared
    audit: Audit
    checks: tuple[Check, ...]
    states_counts: bool

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self.checks)

    def to_json(self) -> dict[str, Any]:
        """Everything as JSON-able values, with the rows behind the counts."""
        faces = self.prepared.faces
        return {
            "name": faces.name,
            "ok": self.ok,
            "fingerprint": self.prepared.fingerprint,
            "notes": list(faces.notes),
            "options": self.prepared.options,
            "checks": [{**vars(check), "ok": check.ok} for check in self.checks],
            **faces.describe(),
            "audit": self.audit.summary(),
            "leaked": {
                name: np.flatnonzero(mask).tolist() for name, mask in self.audit.leaked.items()
            },
            "conflicting": [[vars(place) for place in group] for group in self.audit.conflicting],
            "near": [
                {
                    "image": vars(pair.place),
                    "like": vars(pair.source),
                    "correlation": round(pair.correlation, 4),
                    "mirrored": pair.mirrored,
                }
                for pair in self.audit.near or ()
            ],
        }


def verify(prepared: Prepared, card: DatasetCard, *, near: bool = True) -> Verification:
    """Compare with the card, read every cached byte once more, and audit.

    near=False leaves out near copies.
    """
    faces = prepared.faces
    found = faces.describe()
    card = _for_this_form(card, found["counts"])
    checks: list[Check] = []
    if card.classes:
        checks.append(Check("classes", ", ".join(card.classes), ", ".join(faces.classes)))
    for split in SPLITS:
        if split in card.counts:
            checks.append(
                Check(f"{split} images", f"{card.counts[split]:,}", f"{found['counts'][split]:,}")
            )
    for split in SPLITS:
        if split in card.class_counts:
            mine = found["class_counts"][split]
            checks.append(
                Check(
                    f"{split} images of each class", _spell(card.class_counts[split]), _spell(mine)
                )
            )
    result = audit(faces, near=near)
    for split, mask in result.leaked.items():
        if split in card.leaked:
            checks.append(
                Check(
                    f"{split} images that stand in train",
                    str(card.leaked[split]),
                    str(int(mask.sum())),
                )
            )
    if card.fingerprint:
        checks.append(Check("fingerprint", card.fingerprint, prepared.fingerprint))
    checks.append(Check("cached bytes", prepared.fingerprint, faces.fingerprint()))
    checks += [
        Check(f"{split} leaked rows in the cache", _rows(mask), _rows(faces.leaked[split]))
        for split, mask in result.leaked.items()
    ]
    return Verification(prepared, result, tuple(checks), bool(card.counts or card.fingerprint))


def _rows(mask: NDArray[np.bool_]) -> str:
    """How many rows a mask has, and which: equal for equal masks alone."""
    return f"{int(mask.sum())} ({hashlib.sha256(mask.tobytes()).hexdigest()[:8]})"


def _for_this_form(card: DatasetCard, counts: Mapping[str, int]) -> DatasetCard:
    """The card as it is for another official form of the set, where that has just these counts."""
    for stated in card.other_counts.values():
        if list(stated) == [counts[split] for split in SPLITS]:
            return replace(
                card,
                counts=dict(zip(SPLITS, stated, strict=True)),
                class_counts={},
                leaked={},
                fingerprint="",
            )
    return card


def _spell(counts: Any) -> str:
    return " ".join(str(count) for count in counts)
