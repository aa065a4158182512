"""A prepared data set on disk, memory-mapped. Needs numpy only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lrfer_bench.contract.faceset import SPLITS, FaceSet, Split
from lrfer_bench.data.signature import CACHE_VERSION
from lrfer_bench.data.sums import read_meta
from lrfer_bench.errors import DataError
from lrfer_bench.files import default_cache, is_no_fault, not_now


@dataclass(frozen=True)
class Prepared:
    """A data set on disk: faces are memory-mapped, with the leaked masks of val and test filled.

    audit: Audit.summary() without near copies. options: what the loader was told.
    """

    faces: FaceSet
    fingerprint: str
    directory: Path
    audit: dict[str, Any]
    options: dict[str, Any]


def open_prepared(directory: Path, splits: Sequence[str] = SPLITS) -> Prepared:
    """Memory-map a prepared folder.

    splits: only these are opened, the files of others stay unread
    Raises DataError when it is incomplete or not what meta.json says.
    """
    try:
        meta = read_meta(directory)
        if meta["cache_version"] != CACHE_VERSION:
            raise ValueError(f"it has cache version {meta['cache_version']}, not {CACHE_VERSION}")
        for name, size in meta["files"].items():
            if (directory / name).stat().st_size != size:
                raise ValueError(f"{name} does not have {size} bytes")
        faces = FaceSet(
            name=meta["name"],
            classes=tuple(meta["classes"]),
            splits={name: _read_split(directory, name, meta["files"]) for name in splits},
            synthetic=meta["synthetic"],
            leaked={
                name: np.load(directory / f"{name}.leaked.npy")
                for name in splits
                if name != "train"
            },
            notes=tuple(meta["notes"]),
        )
        return Prepared(faces, meta["fingerprint"], directory, meta["audit"], meta["options"])
    except Exception as error:  # a turned bit in the head of an array fails in many ways
        if isinstance(error, OSError) and is_no_fault(error):
            raise not_now(directory, error) from error
        raise DataError(
            f"the prepared data set {directory} is damaged ({error}): delete it and prepare it "
            "again"
        ) from error


def open_or_none(directory: Path) -> Prepared | None:
    try:
        return open_prepared(directory)
    except DataError:
        return None


def prepared_here(fingerprint: str) -> Prepared | None:
    """The data set of a fingerprint in this machine's cache, or None."""
    for folder in sorted((default_cache() / "datasets").glob(f"*-{fingerprint[:16]}")):
        found = open_or_none(folder)
        if found is not None and found.fingerprint == fingerprint:
            return found
    return None


def _read_split(directory: Path, name: str, files: Mapping[str, int]) -> Split:
    """Images are mapped; the small arrays are read, so that they can be used like any other."""

    def small(part: str) -> NDArray[Any] | None:
        file_name = f"{name}.{part}.npy"
        return np.load(directory / file_name, allow_pickle=False) if file_name in files else None

    images = np.load(directory / f"{name}.images.npy", mmap_mode="r", allow_pickle=False)
    labels = np.load(directory / f"{name}.labels.npy", allow_pickle=False)
    return Split(images, labels, small("soft"), small("rows"))
