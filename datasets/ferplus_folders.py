"""FERPlus as its generator writes it: folders of pictures, joined to their votes by name."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lrfer_bench.api import DataError, open_text, read_splits, subfolders
from lrfer_bench.datasets.fer2013_rows import USAGES, Rows, read_table

FOLDERS = ("fer2013train", "fer2013valid", "fer2013test")
"""Of the usages Training, PublicTest and PrivateTest."""
LABELS = "label.csv"
VOTES = 10


def find_folders(root: Path) -> list[Path]:
    """FER2013Train, FER2013Valid and FER2013Test in root or in its data/; [] where none is."""
    for base in (root, root / "data"):
        inside = subfolders(base) if base.is_dir() else {}
        # The repository of FERPlus has these folders too, with votes but without pictures.
        if all(name in inside and any(inside[name].glob("*.png")) for name in FOLDERS):
            return [inside[name] for name in FOLDERS]
    return []


def read_labels(folders: list[Path]) -> dict[str, tuple[int, list[int]]]:
    """name of a picture -> (usage, ten votes), from the label.csv of every folder.

    A line is a name, a box and the votes, without a header. A name that occurs twice is the
    picture of its later line.
    """
    found: dict[str, tuple[int, list[int]]] = {}
    for usage, folder in enumerate(folders):
        path = folder / LABELS
        with open_text(path, newline="") as file:
            for number, fields in enumerate(csv.reader(file), start=1):
                if not fields:
                    continue
                where = f"{path}, line {number}"
                if len(fields) != 2 + VOTES:
                    raise DataError(
                        f"{where} has {len(fields)} fields: it must have a name, a box and ten "
                        "votes; copy the file again"
                    )
                if name := fields[0].strip():
                    found[name] = usage, read_counts(fields[2:], where)
    return found


def read_new(path: Path, voted: tuple[str, ...]) -> dict[str, tuple[int, list[int]]]:
    """The same from fer2013new.csv. Rows without a name are no faces, and have no picture."""
    found: dict[str, tuple[int, list[int]]] = {}
    for where, (usage, name, *counts) in read_table(path, ("Usage", "Image name", *voted)):
        if usage not in USAGES:
            raise DataError(f'{where} has Usage "{usage[:40]}": copy the file again')
        if name:
            found[name] = USAGES.index(usage), read_counts(counts, where)
    return found


def read_counts(counts: list[str], where: str) -> list[int]:
    """Numbers of votes; DataError for what is none."""
    bad = [
        count for count in counts if not (count.isascii() and count.isdigit() and int(count) <= 255)
    ]
    if bad:
        raise DataError(
            f'{where} has "{bad[0][:40]}" as a number of votes: the file is damaged, copy it again'
        )
    return [int(count) for count in counts]


def read_pictures(
    folders: list[Path], votes: Mapping[str, tuple[int, list[int]]]
) -> tuple[Rows, NDArray[np.uint8]]:
    """The pictures that the folders hold, in the order of names, with their votes, uint8 [N, 10].

    Emotions of the Rows are 0: the folders do not hold FER2013's. DataError for a folder whose
    pictures have no votes.
    """
    files: dict[str, list[Path]] = {}
    usages: list[int] = []
    counts: list[list[int]] = []
    unknown = 0
    for usage, folder in enumerate(folders):
        mine = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".png")
        known = [path for path in mine if votes.get(path.name, (None,))[0] == usage]
        if not known:
            raise DataError(
                f"{folder} has no picture with votes: its pictures must be called "
                "fer0000000.png and so on, as the votes are joined by name"
            )
        unknown += len(mine) - len(known)
        files[USAGES[usage]] = known
        usages += [usage] * len(known)
        counts += [votes[path.name][1] for path in known]
    images = read_splits(
        files, "grey", None, shape=(1, 48, 48), advice="give the generator's own pictures"
    )
    stacked = np.concatenate([images[usage][:, 0] for usage in USAGES])
    emotion = np.zeros(len(stacked), dtype=np.int64)
    missing = len(votes) - len(stacked)
    notes = [f"{missing:,} names with votes have no picture: left out."] if missing > 0 else []
    if unknown:
        notes.append(f"{unknown:,} pictures have no votes of the split that they lie in: left out.")
    rows = Rows(stacked, emotion, np.array(usages, dtype=np.int64), notes=tuple(notes))
    return rows, np.array(counts, dtype=np.uint8)
