"""The audit: copies within and across splits, conflicting labels, blank images. Needs numpy only.

Rules, in one place:

- exact copy: the same bytes in every pixel. Only these make a row "leaked", because they need no
  judgement.
- near copy across splits: the correlation of the two grey images is at least near.NEAR_FULL, for
  the image as it is or mirrored; looked for among the near.CANDIDATES images whose 16 x 16
  thumbnails correlate best, and by near.NEAR_THUMB or more. Images that have an exact copy there,
  blank and near-constant ones are left out. On FER2013 ten pairs drawn at 0.92 to 0.94 were all one
  photograph, cut or lettered differently; at 0.90 to 0.92 nine of ten.
- blank: all pixels have one value. Near-constant: not blank, but a standard deviation below
  NEAR_CONSTANT grey levels.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lrfer_bench.contract.faceset import SPLITS, FaceSet, blocks
from lrfer_bench.data.near import NearPair, Place, near_pairs, place_of

NEAR_CONSTANT = 5.0


@dataclass(frozen=True)
class Audit:
    """What the audit of a data set found.

    groups: images that are pixel-identical, two or more each
    leaked: bool [N] masks of the val and test images that have an exact copy in train
    near: None when near copies were not looked for
    """

    counts: dict[str, int]
    groups: tuple[tuple[Place, ...], ...]
    leaked: dict[str, NDArray[np.bool_]]
    blank: tuple[Place, ...]
    near_constant: tuple[Place, ...]
    near: tuple[NearPair, ...] | None = None

    @property
    def conflicting(self) -> tuple[tuple[Place, ...], ...]:
        """The groups of identical images that carry more than one label."""
        return tuple(group for group in self.groups if len({place.label for place in group}) > 1)

    def summary(self) -> dict[str, Any]:
        """Counts as JSON-able values, named as in meta.json and in `datasets verify --json`."""
        return {
            "duplicate_groups": len(self.groups),
            "extra_copies": sum(len(group) - 1 for group in self.groups),
            "extra_copies_within": {name: self._within(name) for name in SPLITS},
            "conflicting_groups": len(self.conflicting),
            "leaked": {name: int(mask.sum()) for name, mask in self.leaked.items()},
            "test_in_val": self._shared("test", "val"),
            "blank": _per_split(self.blank),
            "blank_rows": [place.row for place in self.blank],
            "near_constant": _per_split(self.near_constant),
            "near_constant_rows": [place.row for place in self.near_constant],
            "near": None if self.near is None else _per_split([pair.place for pair in self.near]),
        }

    def _within(self, split: str) -> int:
        sizes = [sum(place.split == split for place in group) for group in self.groups]
        return sum(size - 1 for size in sizes if size > 1)

    def _shared(self, split: str, other: str) -> int:
        both = [group for group in self.groups if any(place.split == other for place in group)]
        return sum(place.split == split for group in both for place in group)


def audit(faces: FaceSet, *, near: bool = True) -> Audit:
    """Look through all splits.

    near=False leaves out the search for near copies, which takes longest.
    """
    hashes = {name: pixel_hashes(faces.splits[name].images) for name in SPLITS}
    groups = _groups(faces, hashes)
    train = set(hashes["train"])
    leaked = {
        name: np.array([key in train for key in hashes[name]], dtype=bool)
        for name in ("val", "test")
    }
    blank, near_constant = _flat(faces)
    pairs = None
    if near:
        pairs = near_pairs(faces, hashes, (*blank, *near_constant))
    counts = {name: len(faces.splits[name]) for name in SPLITS}
    return Audit(counts, groups, leaked, blank, near_constant, pairs)


def pixel_hashes(images: NDArray[np.uint8]) -> list[bytes]:
    """A 16-byte hash of every image's pixels, in order; images uint8 [N, ...]."""
    return [
        hashlib.blake2b(image.tobytes(), digest_size=16).digest()
        for block in blocks(images)
        for image in block
    ]


def _groups(faces: FaceSet, hashes: dict[str, list[bytes]]) -> tuple[tuple[Place, ...], ...]:
    """Images with equal hashes, ordered by first appearance."""
    places: dict[bytes, list[tuple[str, int]]] = {}
    for name in SPLITS:
        for index, key in enumerate(hashes[name]):
            places.setdefault(key, []).append((name, index))
    several = [group for group in places.values() if len(group) > 1]
    return tuple(
        tuple(place_of(name, faces.splits[name], index) for name, index in group)
        for group in several
    )


def _flat(faces: FaceSet) -> tuple[tuple[Place, ...], tuple[Place, ...]]:
    """Blank and near-constant images of all splits.

    It works in blocks, so that no float copy of a whole split is made.
    """
    blank: list[Place] = []
    near_constant: list[Place] = []
    for name in SPLITS:
        split = faces.splits[name]
        start = 0
        for faces_here in blocks(split.images):
            block = faces_here.reshape(len(faces_here), -1)
            constant = block.min(axis=1) == block.max(axis=1)
            flat = block.std(axis=1, dtype=np.float32) < NEAR_CONSTANT
            blank += [place_of(name, split, start + int(i)) for i in np.flatnonzero(constant)]
            near_constant += [
                place_of(name, split, start + int(i)) for i in np.flatnonzero(flat & ~constant)
            ]
            start += len(block)
    return tuple(blank), tuple(near_constant)


def _per_split(places: tuple[Place, ...] | list[Place]) -> dict[str, int]:
    return {name: sum(place.split == name for place in places) for name in SPLITS}
