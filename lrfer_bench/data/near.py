"""Near copies across splits, by products of small normalised thumbnails, in blocks.

Needs numpy only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lrfer_bench.contract.faceset import FaceSet, Split

THUMB = 16
NEAR_THUMB = 0.94
NEAR_FULL = 0.93
CANDIDATES = 8
BLOCK = 1024
PRODUCT_VALUES = 16_000_000

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Place:
    """One image: its split, its index there, its row in the source and its label.

    A row of -1 means that it is unknown.
    """

    split: str
    index: int
    row: int
    label: int


@dataclass(frozen=True)
class NearPair:
    """An image of val or test and the image of an earlier split most like it.

    mirrored: it is like the mirror image of that one
    """

    place: Place
    source: Place
    correlation: float
    mirrored: bool


def place_of(name: str, split: Split, index: int) -> Place:
    row = -1 if split.rows is None else int(split.rows[index])
    return Place(name, index, row, int(split.labels[index]))


def near_pairs(
    faces: FaceSet, hashes: dict[str, list[bytes]], flat: Sequence[Place]
) -> tuple[NearPair, ...]:
    """The best near copy of each image: for val in train, for test in train or val.

    hashes: pixel hashes of each split. Images that have an exact copy there are left out (they are
    counted as such), and so are the flat ones, which are like anything.
    """
    thumbs = {name: thumbnails(faces.splits[name].images) for name in faces.splits}
    for place in flat:
        thumbs[place.split][place.index] = 0
    pairs: list[NearPair] = []
    for name, gallery in (("val", ("train",)), ("test", ("train", "val"))):
        known = {key for other in gallery for key in hashes[other]}
        queries = np.array(
            [i for i, key in enumerate(hashes[name]) if key not in known], dtype=np.int64
        )
        best: dict[int, NearPair] = {}
        for other in gallery:
            for pair in _search(faces, thumbs, name, other, queries):
                index = pair.place.index
                if index not in best or pair.correlation > best[index].correlation:
                    best[index] = pair
        pairs += [best[index] for index in sorted(best)]
    return tuple(pairs)


def thumbnails(images: NDArray[np.uint8]) -> Floats:
    """float32 [N, THUMB * THUMB]: area means of the grey images, mean 0 and length 1.

    images: uint8 [N, C, H, W]
    """
    rows, columns = _area_weights(images.shape[2]), _area_weights(images.shape[3])
    out = np.empty((len(images), THUMB * THUMB), dtype=np.float32)
    for start in range(0, len(images), BLOCK):
        grey = _grey(images[start : start + BLOCK])
        out[start : start + BLOCK] = _normalised(rows @ grey @ columns.T)
    return out


def _search(
    faces: FaceSet, thumbs: dict[str, Floats], name: str, other: str, queries: NDArray[np.int64]
) -> Iterator[NearPair]:
    """Pairs (query in `name`, image in `other`) over both thresholds, as they are and mirrored."""
    step = max(1, PRODUCT_VALUES // max(1, len(thumbs[other])))
    for start in range(0, len(queries), step):
        block = queries[start : start + step]
        for mirrored in (False, True):
            first = thumbs[name][block]
            if mirrored:
                first = first.reshape(-1, THUMB, THUMB)[:, :, ::-1].reshape(len(block), -1)
            at, source = _candidates(first @ thumbs[other].T)
            if len(at) == 0:
                continue
            alike = _correlations(
                faces.splits[name].images, block[at], faces.splits[other].images, source, mirrored
            )
            for i in np.flatnonzero(alike >= NEAR_FULL):
                place = place_of(name, faces.splits[name], int(block[at[i]]))
                found = place_of(other, faces.splits[other], int(source[i]))
                yield NearPair(place, found, float(alike[i]), mirrored)


def _candidates(products: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(row, column) of the few largest products of each row over the threshold.

    Their number is bounded, however alike the images of a set are.
    """
    rows: list[int] = []
    columns: list[int] = []
    for row in np.flatnonzero(products.max(axis=1) >= NEAR_THUMB):
        hits = np.flatnonzero(products[row] >= NEAR_THUMB)
        hits = hits[np.argsort(-products[row, hits], kind="stable")[:CANDIDATES]]
        rows += [int(row)] * len(hits)
        columns += hits.tolist()
    return np.array(rows, dtype=np.int64), np.array(columns, dtype=np.int64)


def _correlations(
    first: NDArray[np.uint8],
    i: NDArray[np.int64],
    second: NDArray[np.uint8],
    j: NDArray[np.int64],
    mirrored: bool,
) -> Floats:
    """float32 [pairs]: correlation of the whole grey images first[i] and second[j].

    first[i] is mirrored where that is asked for.
    """
    out = np.empty(len(i), dtype=np.float32)
    for start in range(0, len(i), BLOCK):
        part = slice(start, start + BLOCK)
        a = _grey(first[i[part]])
        b = _normalised(_grey(second[j[part]]))
        out[part] = np.einsum("ij,ij->i", _normalised(a[:, :, ::-1] if mirrored else a), b)
    return out


def _grey(images: NDArray[np.uint8]) -> Floats:
    return np.asarray(images).mean(axis=1, dtype=np.float32)


def _normalised(images: Floats) -> Floats:
    flat = images.reshape(len(images), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    return flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)


def _area_weights(side: int) -> Floats:
    """float32 [THUMB, side]: each thumbnail pixel is the mean over its share of the side.

    A source pixel that is cut counts in part.
    """
    edges = np.linspace(0, side, THUMB + 1)
    left = np.arange(side)
    overlap = np.minimum(edges[1:, None], left + 1) - np.maximum(edges[:-1, None], left)
    weights = np.clip(overlap, 0, None)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
