"""FaceSet: images, labels and splits, with a fingerprint of their content. Needs numpy only."""

from __future__ import annotations

import hashlib
import json
import mmap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lrfer_bench.errors import DataError, escaped, is_plain

SPLITS = ("train", "val", "test")
BLOCK = 1 << 23
"""Bytes of faces that blocks() gives at once."""

ARRAYS = {
    "labels": ("iub", 1, "int64 [N], for each face a whole number from 0"),
    "images": ("u", 4, "uint8 [N, 1 or 3, H, W]"),
    "soft": ("fiub", 2, "float32 [N, classes]"),
    "rows": ("iu", 1, "int64 [N]"),
}
"""The fields of a Split: numpy's letters for kinds of numbers, the axes, what to give."""


@dataclass(frozen=True)
class Split:
    """One split.

    images: uint8 [N, C, H, W], C is 1 (grey) or 3 (RGB)
    labels: int64 [N], indices into FaceSet.classes
    soft:   float32 [N, classes] label distribution (annotators' votes), rows sum to 1, or None
    rows:   int64 [N], where each image stands in its source (CSV row, line of the list), for audits
            and messages
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    soft: NDArray[np.float32] | None = None
    rows: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        return f"<Split: {len(self)} faces of {_shape(self)}>"


@dataclass(frozen=True)
class FaceSet:
    """A data set in memory (or memory-mapped), ready for the harness.

    leaked: for "val" and "test" a bool [N] mask of the images that also stand, pixel for pixel, in
            train; empty until the audit fills it when the set is prepared
    notes:  sentences the user has to know about how the splits came to be
    """

    name: str
    classes: tuple[str, ...]
    splits: Mapping[str, Split]
    synthetic: bool = False
    leaked: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        counts = ", ".join(f"{len(split)} {name}" for name, split in self.splits.items())
        shape = _shape(next(iter(self.splits.values()))) if self.splits else "no size"
        return f"<FaceSet {self.name}: {counts}, {shape}, {len(self.classes)} classes>"

    @property
    def train(self) -> Split:
        """What models learn from."""
        return self.splits["train"]

    @property
    def val(self) -> Split:
        """What settings and epochs are chosen by."""
        return self.splits["val"]

    @property
    def test(self) -> Split:
        """What is reported, and looked at for nothing else."""
        return self.splits["test"]

    @property
    def channels(self) -> int:
        """1 (grey) or 3 (RGB)."""
        return int(self.train.images.shape[1])

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the HR images in pixels."""
        return int(self.train.images.shape[2]), int(self.train.images.shape[3])

    def check(self) -> FaceSet:
        """Return self, or raise DataError that says which split breaks which rule."""
        self._check_texts()
        for label in self.classes:
            if not is_plain(label) or not label.strip():
                raise DataError(
                    f'data set "{self.name}" has a class named "{escaped(label)}": give it a name '
                    "without control characters, in Unicode"
                )
        twice = next((label for label in self.classes if self.classes.count(label) > 1), None)
        if twice is not None:
            raise DataError(
                f'data set "{self.name}" has two classes named "{twice}": give each a name of its '
                "own"
            )
        if len(self.classes) < 2:
            raise DataError(
                f'data set "{self.name}" has only the class {", ".join(self.classes) or "(none)"}: '
                "it takes two or more, each in a folder of its own"
            )
        for name in SPLITS:
            if not isinstance(self.splits.get(name), Split):
                raise DataError(
                    f'data set "{self.name}" has no split "{name}": a FaceSet needs train, val and '
                    "test, each a Split"
                )
            _check_split(self, name, self.splits[name])
        return self

    def _check_texts(self) -> None:
        """DataError where one text stands for several: it would be taken letter by letter."""
        for what, texts in (("classes", self.classes), ("notes", self.notes)):
            is_row = isinstance(texts, (list, tuple))
            if not is_row or not all(isinstance(text, str) for text in texts):
                raise DataError(
                    f'data set "{self.name}" has the {what} {texts!r}: give a tuple of texts, such '
                    'as ("one", "two")'
                )

    def fingerprint(self) -> str:
        """sha256 over classes, pixels, labels and soft labels of all splits, not over names."""
        digest = hashlib.sha256(json.dumps(list(self.classes)).encode())
        for name in SPLITS:
            split = self.splits[name]
            digest.update(f"{name}{split.images.shape}".encode())
            for block in blocks(split.images):
                digest.update(np.ascontiguousarray(block).data)
            digest.update(np.ascontiguousarray(split.labels, dtype="<i8").data)
            if split.soft is not None:
                digest.update(np.ascontiguousarray(split.soft, dtype="<f4").data)
        return digest.hexdigest()

    def describe(self) -> dict[str, Any]:
        """Counts a card can be compared with."""
        return {
            "classes": list(self.classes),
            "channels": self.channels,
            "size": list(self.size),
            "counts": {name: len(self.splits[name]) for name in SPLITS},
            "class_counts": {
                name: np.bincount(self.splits[name].labels, minlength=len(self.classes)).tolist()
                for name in SPLITS
            },
        }


def blocks(images: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    """[N, ...] in pieces of some megabytes, in order; one that was mapped from a file is let go.

    So that a pass over faces of any number takes little memory.
    """
    step = max(1, BLOCK // max(1, images[:1].nbytes))
    mapped = None if images.flags.writeable else getattr(images, "_mmap", None)
    for start in range(0, len(images), step):
        yield images[start : start + step]
        if mapped is not None and hasattr(mmap, "MADV_DONTNEED"):
            mapped.madvise(mmap.MADV_DONTNEED)


def _check_split(faces: FaceSet, name: str, split: Split) -> None:
    where = f'split "{name}" of data set "{faces.name}"'
    _check_arrays(split, where)
    if split.labels.min() < 0 or split.labels.max() >= len(faces.classes):
        raise DataError(
            f"{where} has a label outside 0..{len(faces.classes) - 1}: check the class list"
        )
    if split.images.shape[1:] != faces.train.images.shape[1:]:
        raise DataError(
            f"{where} has images of {split.images.shape[1:]} but train of "
            f"{faces.train.images.shape[1:]}: make them equal"
        )
    if split.soft is not None:
        _check_votes(split.soft, (len(split), len(faces.classes)), where)
    if name == "train":
        empty = [
            faces.classes[k] for k in range(len(faces.classes)) if not (split.labels == k).any()
        ]
        if empty:
            raise DataError(
                f"{where} has no image of class {', '.join(empty)}: add some or drop the class"
            )


def _check_arrays(split: Split, where: str) -> None:
    """DataError for a field that is no array, or one of another kind than Split says.

    Nothing is made to fit: labels of 0.4 and 1.4, or a column for each class, are a mistake.
    """
    if isinstance(split.labels, np.ndarray) and split.labels.size == 0:
        raise DataError(f"{where} has no images: check the files of that split")
    for name, (kinds, axes, wanted) in ARRAYS.items():
        array = getattr(split, name)
        if array is None and name in ("soft", "rows"):
            continue
        if not isinstance(array, np.ndarray):
            raise DataError(
                f"{where} has {name} that are a {type(array).__name__}: give an array of numpy, "
                f"{wanted}"
            )
        if array.dtype.kind not in kinds or array.ndim != axes:
            raise _of_another_kind(array, name, where)
        if len(array) != len(split.labels):
            raise DataError(
                f"{where} has {len(split.labels)} labels but {len(array)} {name}: give one of each "
                "an image"
            )
    if split.images.dtype != np.uint8 or split.images.shape[1] not in (1, 3):
        raise _of_another_kind(split.images, "images", where)


def _of_another_kind(array: NDArray[Any], name: str, where: str) -> DataError:
    return DataError(
        f"{where} has {name} of type {array.dtype} and shape {array.shape}: give {ARRAYS[name][2]}"
    )


def _check_votes(soft: NDArray[np.float32], shape: tuple[int, int], where: str) -> None:
    if soft.shape != shape:
        raise DataError(f"{where} has votes of another shape than {shape}: give [N, classes]")
    votes = soft.astype(np.float64)
    good = np.isfinite(votes).all(1) & (votes >= 0).all(1) & (abs(votes.sum(1) - 1) < 1e-3)
    if not good.all():
        row = int(np.flatnonzero(~good)[0])
        raise DataError(f"{where} has votes in row {row} that are no shares: make them sum to 1")


def _shape(split: Split) -> str:
    """ "48x48 grey", for people; a Split that was not checked yet may have any shape."""
    shape: tuple[int, ...] = getattr(split.images, "shape", ())
    if len(shape) != 4:
        return f"shape {shape[1:]}"
    channels, height, width = shape[1:]
    return f"{width}x{height} {'grey' if channels == 1 else 'colour'}"
