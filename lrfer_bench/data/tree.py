"""Folder trees split/class/picture: which pictures there are, with everything odd named."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lrfer_bench.data.images import ENDINGS
from lrfer_bench.errors import DataError, escaped, is_plain

SPLIT_FOLDERS: Mapping[str, tuple[str, ...]] = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation"),
    "test": ("test", "testing"),
}
CLUTTER = frozenset({"thumbs.db", "desktop.ini"})


@dataclass(frozen=True)
class ClassTree:
    """One split's pictures: class name -> files in name order.

    others: files that are no pictures by their ending
    """

    files: Mapping[str, tuple[Path, ...]]
    others: tuple[Path, ...] = ()

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the class folders, sorted: label k of the split is classes[k]."""
        return tuple(self.files)


def find_splits(root: Path) -> dict[str, Path]:
    """split name -> folder, for those that are there.

    Raises DataError when train or test is missing, or a split is there twice.
    """
    if not root.is_dir():
        raise DataError(f"there is no folder {root}: check --data-root")
    present = {entry.name.lower(): Path(entry.path) for entry in os.scandir(root) if entry.is_dir()}
    found: dict[str, Path] = {}
    for split, names in SPLIT_FOLDERS.items():
        mine = [present[name] for name in names if name in present]
        if len(mine) > 1:
            raise DataError(
                f"{root} has both {mine[0].name} and {mine[1].name}: leave one folder for the "
                f"split {split}"
            )
        if mine:
            found[split] = mine[0]
    for split in ("train", "test"):
        if split not in found:
            raise DataError(
                f"{root} has no folder {split}: its layout must be train|val|test/<class>/<picture>"
            )
    return found


def read_tree(folder: Path) -> ClassTree:
    """The classes and pictures of one split.

    DataError names an empty class, a stray picture, an empty split.
    """
    classes: dict[str, tuple[Path, ...]] = {}
    others: list[Path] = []
    for entry in _listing(folder):
        if entry.is_dir():
            pictures, rest = _read_class(entry)
            classes[entry.name] = pictures
            others += rest
        elif entry.suffix.lower() in ENDINGS:
            raise DataError(f"the picture {entry} lies beside the class folders: move it into one")
        else:
            others.append(entry)
    if not classes:
        raise DataError(f"{folder} has no images: it must hold a folder for each class")
    return ClassTree(classes, tuple(others))


def _read_class(folder: Path) -> tuple[tuple[Path, ...], list[Path]]:
    entries = _listing(folder)
    inner = [entry for entry in entries if entry.is_dir()]
    if inner:
        raise DataError(
            f"the class folder {folder} has a folder {inner[0].name} in it: move its pictures up"
        )
    pictures = tuple(entry for entry in entries if entry.suffix.lower() in ENDINGS)
    if not pictures:
        raise DataError(f"the class folder {folder} is empty: add pictures or take the folder out")
    return pictures, [entry for entry in entries if entry.suffix.lower() not in ENDINGS]


def _listing(folder: Path) -> Sequence[Path]:
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise DataError(f"the folder {folder} cannot be read: {error.strerror or error}") from error
    for name in names:
        if not is_plain(name):
            raise DataError(
                f"the name {escaped(name)} in {folder} is not UTF-8 or holds control characters: "
                "rename it, for records could not name it"
            )
    return [
        folder / name for name in names if not name.startswith(".") and name.lower() not in CLUTTER
    ]
