"""AffectNet's first release: lists of faces with boxes, and pictures in numbered folders."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lrfer_bench.api import Crop, DataError, Named, open_text, subfolders

LISTS, IMAGES = "Manually_Annotated_file_lists", "Manually_Annotated_Images"
FILES = {"train": "training.csv", "val": "validation.csv"}
COLUMNS = (
    "subDirectory_filePath", "face_x", "face_y", "face_width", "face_height", "facial_landmarks",
    "expression",
)  # fmt: skip
"""The columns that begin a line; valence and arousal follow."""
OTHERS = (8, 9, 10)
"""None, uncertain and no face: left out."""


@dataclass(frozen=True)
class Labelled:
    """Faces, the names of their files, and their expressions, int64 [N].

    left, boxless: lines of the list with another expression, or without a box
    """

    faces: Sequence[Path | Crop]
    names: Sequence[str]
    labels: NDArray[np.int64]
    left: int = 0
    boxless: int = 0

    def where(self, mask: NDArray[np.bool_]) -> Labelled:
        """Those for which mask, bool [N], holds."""
        chosen = np.flatnonzero(mask).tolist()
        faces, names = [self.faces[k] for k in chosen], [self.names[k] for k in chosen]
        return Labelled(faces, names, self.labels[mask], self.left, self.boxless)

    def of_classes(self, count: int) -> Labelled:
        """Those of the first so many classes."""
        return self.where(self.labels < count)


@dataclass(frozen=True)
class Lists:
    """files: train and val -> their list. images: the folder that its paths start from."""

    files: dict[str, Path]
    images: Path

    @property
    def sources(self) -> list[Path]:
        return [*self.files.values(), self.images]


@dataclass(frozen=True)
class Fixed:
    """A box in pixels, whatever the size of its picture."""

    left: int
    top: int
    width: int
    height: int

    def __call__(self, width: int, height: int) -> tuple[float, float, float, float]:
        """The part of the box that lies inside, (left, top, right, bottom); all if none does."""
        left, top = max(self.left, 0), max(self.top, 0)
        right, bottom = min(self.left + self.width, width), min(self.top + self.height, height)
        return (
            (left, top, right, bottom) if left < right and top < bottom else (0, 0, width, height)
        )


def find_lists(base: Path) -> Lists | None:
    """The lists in a folder, or in its Manually_Annotated_file_lists; None where there are none.

    DataError where the pictures are missing.
    """
    inside = subfolders(base)
    folder = inside.get(LISTS.lower(), base)
    files = {split: folder / name for split, name in FILES.items()}
    if not all(path.is_file() for path in files.values()):
        return None
    outer = [inside, *(subfolders(each) for name, each in inside.items() if _may_hold(name))]
    images = [names[IMAGES.lower()] for names in outer if IMAGES.lower() in names]
    if not images:
        raise DataError(
            f"{files['train']} is there but no folder {base / IMAGES}: unpack AffectNet's pictures "
            "there"
        )
    return Lists(files, images[0])


def _may_hold(name: str) -> bool:
    """Whether a folder may hold that of the pictures: its archive unpacks into one of its own."""
    return name.startswith("manually_annotated") and name not in (LISTS.lower(), IMAGES.lower())


def read_list(lists: Lists, split: str) -> Labelled:
    """The faces of a list in its order, each by its box; DataError names the line."""
    path, file = lists.files[split], Named(lists.images)
    faces, names, labels = [], [], []
    left = boxless = 0
    for name, box, label in _rows(path):
        if label in OTHERS:
            left += 1
        elif box is None:
            boxless += 1
        else:
            faces.append(Crop(file(name), box))
            names.append(Path(name).name)
            labels.append(label)
    if not faces:
        raise DataError(f"{path} names no face: copy it again")
    return Labelled(faces, names, np.array(labels, dtype=np.int64), left, boxless)


def _rows(path: Path) -> Iterator[tuple[str, Fixed | None, int]]:
    """(path of its picture, its box, its expression) of each line with text."""
    columns: tuple[str, ...] = COLUMNS
    with open_text(path, newline="") as opened:
        try:
            for number, fields in enumerate(csv.reader(opened), start=1):
                if fields and fields[0].strip().lower() == COLUMNS[0].lower():
                    columns = _columns(path, fields)
                elif any(field.strip() for field in fields):
                    yield _row(f"{path}, line {number}", fields, columns)
        except csv.Error as error:
            raise DataError(f"{path} is not a table of commas ({error}): copy it again") from error


def _columns(path: Path, fields: Sequence[str]) -> tuple[str, ...]:
    found = tuple(field.strip() for field in fields)
    missing = [name for name in COLUMNS if name not in found and name != "facial_landmarks"]
    if missing:
        raise DataError(f"{path} has no column {missing[0]}: copy it again")
    return found


def _row(
    where: str, fields: Sequence[str], columns: Sequence[str]
) -> tuple[str, Fixed | None, int]:
    said = dict(zip(columns, fields, strict=False))
    missing = [name for name in COLUMNS if name not in said and name in columns]
    if missing:
        raise DataError(f"{where} has no {missing[0]}: the file is cut, copy it again")
    text = said["expression"].strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 2) or int(text) > max(OTHERS):
        raise DataError(f'{where} has expression "{text[:20]}": it must be an integer from 0 to 10')
    try:
        box = Fixed(*(int(float(said[name])) for name in COLUMNS[1:5]))
    except (ValueError, OverflowError) as error:
        if int(text) not in OTHERS and said["face_width"].strip().upper() != "NULL":
            raise DataError(
                f"{where} has a box that is not numbers ({error}): copy the file again"
            ) from error
        box = Fixed(0, 0, 0, 0)
    inside = box if box.width > 0 and box.height > 0 else None
    return said[COLUMNS[0]].strip().replace("\\", "/"), inside, int(text)
