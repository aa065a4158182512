"""Folder trees split/class/picture: which pictures there are, with everything odd named."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lrfer_bench.data.images import ENDINGS
from lrfer_bench.data.listing import below, listing, one_form, subfolders
from lrfer_bench.errors import DataError, escaped, is_plain

SPLIT_FOLDERS: Mapping[str, tuple[str, ...]] = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation", "publictest"),
    "test": ("test", "testing", "privatetest"),
}
"""Names of the folders of a split, in any case; the last ones are FER2013's."""


@dataclass(frozen=True)
class ClassTree:
    """One split's pictures: class name -> files in name order.

    others: files that are no pictures by their ending
    unmatched: pictures that a pattern of the user's left out
    """

    files: Mapping[str, tuple[Path, ...]]
    others: tuple[Path, ...] = ()
    unmatched: tuple[Path, ...] = ()

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the class folders, sorted: label k of the split is classes[k]."""
        return tuple(self.files)


def find_splits(root: Path, needed: Sequence[str] = ("train", "test")) -> dict[str, Path]:
    """split name -> folder, for those that are there.

    Raises DataError when one that is needed is missing, or a split is there twice.
    """
    if not root.is_dir():
        raise DataError(f"there is no folder {root}: check --data-root")
    present = subfolders(root)
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
    _refuse_detection(root, present)
    for split in needed:
        if split not in found:
            raise DataError(
                f"{root} has no folder {split}: its layout must be train|val|test/<class>/<picture>"
            )
    return found


def read_tree(folder: Path, only: re.Pattern[str] | None = None) -> ClassTree:
    """The classes and pictures of one split.

    only: pictures whose path in folder it does not match are unmatched. DataError names an empty
    class, a stray picture, an empty split.
    """
    classes: dict[str, tuple[Path, ...]] = {}
    others: list[Path] = []
    unmatched: list[Path] = []
    _refuse_detection(folder, subfolders(folder))
    for entry in listing(folder):
        if entry.is_dir():
            if not is_plain(entry.name):
                raise DataError(
                    f"the class folder {escaped(entry.name)} in {folder} is not UTF-8 or holds "
                    "control characters: rename it, for records could not name it (convmv renames "
                    "what was unpacked from a zip of another system)"
                )
            classes[entry.name], rest = _read_class(entry)
            others += rest
        elif is_picture(entry):
            raise DataError(f"the picture {entry} lies beside the class folders: move it into one")
        else:
            others.append(entry)
    if not classes:
        raise DataError(f"{folder} has no images: it must hold a folder for each class")
    if only is not None:
        classes, unmatched = _matching(folder, classes, only)
    return ClassTree(classes, tuple(others), tuple(unmatched))


def read_by_name(
    folder: Path, label: re.Pattern[str], only: re.Pattern[str] | None = None
) -> ClassTree:
    """All pictures below a folder, whose class stands in their path: where label matches.

    The class is the pattern's group, or all of the match. Pictures where it, or `only`, does not
    match are unmatched.
    """
    classes: dict[str, list[Path]] = {}
    others: list[Path] = []
    unmatched: list[Path] = []
    for path in below(folder):
        if not is_picture(path):
            others.append(path)
            continue
        place = _place(path, folder)
        found = label.search(place)
        if found is None or not (only is None or only.search(place)):
            unmatched.append(path)
        else:
            name = next((group for group in found.groups() if group is not None), found[0])
            classes.setdefault(name, []).append(path)
    if not classes:
        raise DataError(
            f'no picture below {folder} matches "{label.pattern}": check the option label'
        )
    files = {name: tuple(classes[name]) for name in sorted(classes)}
    return ClassTree(files, tuple(others), tuple(unmatched))


def is_picture(path: Path) -> bool:
    """Whether a file is a picture by its ending."""
    return path.suffix.lower() in ENDINGS


def _place(path: Path, folder: Path) -> str:
    """What patterns are looked for in: the path below the folder, accents in one form."""
    return one_form(path.relative_to(folder).as_posix())


def _matching(
    folder: Path, classes: Mapping[str, tuple[Path, ...]], only: re.Pattern[str]
) -> tuple[dict[str, tuple[Path, ...]], list[Path]]:
    kept = {
        name: tuple(path for path in paths if only.search(_place(path, folder)))
        for name, paths in classes.items()
    }
    chosen = {path for paths in kept.values() for path in paths}
    rest = [path for paths in classes.values() for path in paths if path not in chosen]
    if not any(kept.values()):
        raise DataError(f'no picture in {folder} matches "{only.pattern}": check the option only')
    return {name: paths for name, paths in kept.items() if paths}, rest


def _read_class(folder: Path) -> tuple[tuple[Path, ...], list[Path]]:
    entries = listing(folder)
    inner = [entry for entry in entries if entry.is_dir()]
    if inner:
        raise DataError(
            f"the class folder {folder} has a folder {inner[0].name} in it: move its pictures up"
        )
    pictures = tuple(entry for entry in entries if is_picture(entry))
    others = [entry for entry in entries if not is_picture(entry)]
    if not pictures and others:
        kinds = Counter(entry.suffix.lower() or "no ending" for entry in others)
        ending, count = kinds.most_common(1)[0]
        raise DataError(
            f"the class folder {folder} has no picture of a kind that is read, but {count:,} files "
            f"with {ending}: convert them to png or jpg, or take the folder out"
        )
    if not pictures:
        raise DataError(f"the class folder {folder} is empty: add pictures or take the folder out")
    return pictures, others


def _refuse_detection(folder: Path, present: Mapping[str, Path]) -> None:
    """images/ beside labels/ with text files is a set for detection, not a tree of classes."""
    if not {"images", "labels"} <= set(present):
        return
    texts = (path.suffix.lower() == ".txt" for path in below(present["labels"]))
    if next(texts, False):
        raise DataError(
            f"{folder} is a YOLO layout (images/ beside labels/ with text files), which holds "
            "boxes and no class folders: sort the pictures into a folder for each class"
        )
