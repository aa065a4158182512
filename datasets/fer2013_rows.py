"""The rows of FER2013 in their original order, from a CSV file or the packed npz."""

from __future__ import annotations

import csv
import io
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lrfer_bench.api import DataError, open_text, read_arrays
from lrfer_bench.datasets.fer2013_parquet import find_parquet, read_parquet
from lrfer_bench.datasets.fer2013_tree import find_tree

SIDE = 48
PIXELS = SIDE * SIDE
ROWS = 35_887
MOST_BYTES = 1 << 28
"""An archive of all rows has a third of that, even if its faces are stored as plain arrays."""
USAGES = ("Training", "PublicTest", "PrivateTest")
FORMS = ("csv", "icml", "folders", "npz", "parquet")
NAMES = {
    "csv": "fer2013.csv",
    "icml": "icml_face_data.csv",
    "folders": "train/ and test/",
    "npz": "fer2013.npz",
    "parquet": "parquet files",
}


@dataclass(frozen=True)
class Rows:
    """All rows of FER2013.

    images: uint8 [N, 48, 48]
    emotion, usage: int64 [N], indices into the published orders
    votes: uint8 [N, 10] of FERPlus, if the file has them
    """

    images: NDArray[np.uint8]
    emotion: NDArray[np.int64]
    usage: NDArray[np.int64]
    votes: NDArray[np.uint8] | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """What was found: its form, its files, a note on the choice; of folders: split -> folder."""

    form: str
    files: tuple[Path, ...]
    note: str = ""
    splits: Mapping[str, Path] = field(default_factory=dict)


def find_source(root: Path | None, name: str, forms: Sequence[str] = FORMS) -> Source:
    """Look for the forms of FER2013, in order, in root and root/fer2013; root may be a file."""
    if root is None:
        raise DataError(
            f'data set "{name}" needs your copy of FER2013: give its folder or file with '
            "--data-root"
        )
    root = Path(os.path.expanduser(root))
    if root.is_file():
        form = {".csv": "csv", ".npz": "npz"}.get(root.suffix.lower())
        if form is None:
            raise DataError(
                f"{root} is neither a .csv nor a .npz file: give FER2013's folder or file with "
                "--data-root"
            )
        return Source(form, (root,))
    if not root.is_dir():
        raise DataError(f"there is no file or folder {root}: check --data-root")
    if found := _found(root, forms):
        return _choose(found)
    if "folders" not in forms and _look(root, "folders"):
        raise DataError(
            f"{root} holds a folder tree, which has lost the order of the rows that "
            f'"{name}" needs: bring fer2013.csv'
        )
    _refuse_challenge(root)
    looked = ", ".join(NAMES[form] for form in forms)
    raise DataError(
        f'{root} holds no FER2013 for "{name}": looked for {looked}; give the right folder with '
        "--data-root"
    )


def _refuse_challenge(root: Path) -> None:
    """train.csv and test.csv of the challenge, whose test rows have no labels."""
    for folder in (root, root / "fer2013"):
        if (folder / "train.csv").is_file() and (folder / "test.csv").is_file():
            raise DataError(
                f"{folder} has train.csv and test.csv of the challenge, which hold no labels of "
                "the test: bring fer2013.csv or icml_face_data.csv"
            )


def _found(root: Path, forms: Sequence[str]) -> list[Source]:
    """The forms that are there, in root or else in root/fer2013: the first is read.

    Those after it are for the note only. A fault in any stops nothing that can be read: it is
    raised where nothing is found. Parquet files are looked for last, where there is neither, and
    everywhere below, where those of another data set may lie.
    """
    named = [form for form in forms if form != "parquet"]
    for some in (named, [form for form in forms if form == "parquet"]):
        faults: list[DataError] = []
        for folder in (root, root / "fer2013"):
            found: list[Source] = []
            for form in some:
                try:
                    found += filter(None, [_look(folder, form)])
                except DataError as error:
                    faults.append(error)
            if found:
                return found
        if faults:
            raise faults[0]
    return []


def _look(folder: Path, form: str) -> Source | None:
    if form == "folders":
        trees = find_tree(folder)
        return Source(form, tuple(trees.values()), splits=trees) if trees else None
    if form == "parquet":
        files = find_parquet(folder)
        return Source(form, files) if files else None
    path = folder / NAMES[form]
    return Source(form, (path,)) if path.is_file() else None


def _choose(found: list[Source]) -> Source:
    names = [
        ", ".join(f"{folder.name}/" for folder in source.splits.values()) or NAMES[source.form]
        for source in found
    ]
    note = f"Read from {names[0]}" + (
        f"; {', '.join(names[1:])} beside it was not read." if names[1:] else "."
    )
    return replace(found[0], note=note)


def read_rows(source: Source) -> Rows:
    """All rows of a CSV or npz source; DataError names the file, the line and the fault."""
    path = source.files[0]
    if source.form == "parquet":
        rows = Rows(*read_parquet(source.files))
    else:
        rows = _read_npz(path) if source.form == "npz" else _read_csv(path)
    if len(rows.images) == ROWS:
        return rows
    name = path.name if len(source.files) == 1 else f"{path.parent.name}/"
    note = f"{name} has {len(rows.images):,} rows; the published file has {ROWS:,}."
    return Rows(rows.images, rows.emotion, rows.usage, rows.votes, (note,))


def read_table(path: Path, columns: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """(where, fields) of every data row of a CSV file, fields in the order of columns.

    Column names are compared without case and surrounding spaces: icml_face_data.csv writes "
    pixels". `where` names file, line (from 1, the header's) and row (from 0, the first data row's),
    for messages.
    """
    try:
        with open_text(path, newline="") as file:
            reader = csv.reader(file)
            header = [name.strip() for name in next(reader, [])]
            if not header:
                raise DataError(f"{path} is empty: copy it again")
            at = _columns(path, header, columns)
            rows = (fields for fields in reader if fields)
            for number, fields in enumerate(rows):
                where = f"{path}, line {reader.line_num} (row {number})"
                if len(fields) != len(header):
                    raise DataError(
                        f"{where} has {len(fields)} of {len(header)} columns: the file is "
                        "damaged or cut, copy it again"
                    )
                yield where, [fields[i].strip() for i in at]
    except csv.Error as error:
        raise DataError(
            f"{path}, line {reader.line_num} is not CSV ({error}): copy the file again"
        ) from error


def _columns(path: Path, header: list[str], wanted: Sequence[str]) -> list[int]:
    known = [name.lower() for name in header]
    for name in wanted:
        if name.lower() not in known:
            shown = ", ".join(name[:20] for name in header[:12])
            raise DataError(
                f'{path} has no column "{name}", only {shown}: it must have {", ".join(wanted)}'
            )
    return [known.index(name.lower()) for name in wanted]


def _read_csv(path: Path) -> Rows:
    images, emotion, usage = [], [], []
    with warnings.catch_warnings():
        warnings.simplefilter(
            "error", DeprecationWarning
        )  # numpy before 2.3 only warns of text among the numbers
        for where, (label, pixels, split) in read_table(path, ("emotion", "pixels", "Usage")):
            if split not in USAGES:
                raise DataError(
                    f'{where} has Usage "{split[:40]}": it must be one of {", ".join(USAGES)}'
                )
            if label not in {"0", "1", "2", "3", "4", "5", "6"}:
                raise DataError(
                    f'{where} has emotion "{label[:40]}": it must be an integer from 0 to 6'
                )
            images.append(_pixels(pixels, where))
            emotion.append(int(label))
            usage.append(USAGES.index(split))
    if not images:
        raise DataError(f"{path} has a header but no rows: copy it again")
    return Rows(
        np.stack(images), np.array(emotion, dtype=np.int64), np.array(usage, dtype=np.int64)
    )


def _pixels(text: str, where: str) -> NDArray[np.uint8]:
    try:
        values = np.fromstring(text, dtype=np.int64, sep=" ")
    except (ValueError, DeprecationWarning):
        values = np.empty(0, dtype=np.int64)
    if len(values) != PIXELS or values.min() < 0 or values.max() > 255:
        raise DataError(f"{where} {_pixel_fault(text)}: the file is damaged or cut, copy it again")
    return values.astype(np.uint8).reshape(SIDE, SIDE)


def _pixel_fault(text: str) -> str:
    words = text.split()
    for number, word in enumerate(words):
        if not word.isascii() or not word.isdigit() or int(word) > 255:
            return f'has "{word[:20]}" as pixel {number}, not an integer from 0 to 255'
    return f"has {len(words):,} pixels instead of {PIXELS:,}"


def _read_npz(path: Path) -> Rows:
    """strip_* hold many faces each, one above the other, as lossless pictures.

    docs/datasets.md describes the other keys.
    """
    try:
        z = read_arrays(path, MOST_BYTES)
        images = np.concatenate([_strip(z[key]) for key in sorted(z) if key.startswith("strip_")])
        emotion, usage = z["emotion"].astype(np.int64), z["usage"].astype(np.int64)
        votes = z["ferplus_votes"].astype(np.uint8) if "ferplus_votes" in z else None
    except MemoryError:
        raise
    except Exception as error:  # numpy, zlib and Pillow's readers raise much for a damaged file
        raise DataError(
            f"{path} is not a complete FER2013 archive ({error}): copy it again"
        ) from error
    lengths = {len(images), len(emotion), len(usage)} | (
        {len(votes)} if votes is not None else set()
    )
    if (
        len(lengths) != 1
        or emotion.max() > 6
        or usage.max() > 2
        or emotion.min() < 0
        or usage.min() < 0
    ):
        raise DataError(
            f"{path} is not a complete FER2013 archive (its parts do not fit together): copy it "
            "again"
        )
    return Rows(images, emotion, usage, votes)


def _strip(data: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The faces of one picture, uint8 [n, 48, 48]."""
    with Image.open(io.BytesIO(data.tobytes())) as picture:
        if picture.width != SIDE or picture.height > SIDE * ROWS:
            raise ValueError(f"a strip has {picture.width} x {picture.height} pixels")
        return np.array(picture.convert("L"), dtype=np.uint8).reshape(-1, SIDE, SIDE)
