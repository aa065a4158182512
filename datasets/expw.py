"""ExpW, Expression in the Wild (Zhang et al., 2018): faces cut from web pictures."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from lrfer_bench.api import (
    Crop,
    DataError,
    Dataset,
    DatasetCard,
    FaceSet,
    Named,
    Split,
    UserError,
    check_options,
    read_card,
    read_lines,
    read_splits,
    register_dataset,
    unit_hash,
)

EXPRESSIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
FIELDS = "image_name face_id_in_image face_box_top face_box_left face_box_right face_box_bottom " \
    "face_box_cascade_confidence expression_label"  # fmt: skip
SHARES = (("train", 0.8), ("val", 0.9), ("test", 1.0))


@dataclass(frozen=True)
class Face:
    """One line of label.lst.

    row counts lines from 0; the box is in pixels of the picture and may reach beyond it.
    """

    row: int
    picture: str
    top: int
    left: int
    right: int
    bottom: int
    confidence: float
    label: int


@register_dataset("expw")
class ExpW(Dataset):
    """Colour faces in 7 classes, cropped square by the published boxes.

    The split is ours, by a hash of the picture's file name.

    size: side of the crops in pixels
    min_confidence: leave out faces with a lower detector score
    """

    card = read_card(Path(__file__).with_name("expw.card.toml"), DatasetCard)

    def __init__(self, size: int = 112, min_confidence: float = 0.0) -> None:
        check_options(size, "rgb")
        if size is None:
            raise UserError("the option size of expw must be a number: its boxes are of all sizes")
        if (
            isinstance(min_confidence, bool)
            or not isinstance(min_confidence, (int, float))
            or math.isnan(min_confidence)
        ):
            raise UserError(
                f'the option min_confidence is "{min_confidence}": give a number, such as 20'
            )
        self.size = size
        self.min_confidence = float(min_confidence)

    def sources(self, root: Path | None) -> Sequence[Path]:
        return _find(root)

    def load(self, root: Path | None) -> FaceSet:
        list_file, folder = _find(root)
        every = read_list(list_file)
        faces = [face for face in every if face.confidence >= self.min_confidence]
        usable = [face for face in faces if face.right > face.left and face.bottom > face.top]
        notes = [
            "ExpW has no official split: pictures were split 80/10/10 by a hash of their file "
            "names, so that all faces of one picture stand in the same split."
        ]
        if len(faces) < len(every):
            notes.append(
                f"{len(every) - len(faces):,} faces with a confidence below "
                f"{self.min_confidence:g} were left out."
            )
        if len(usable) < len(faces):
            kept = set(map(id, usable))
            first = next(face for face in faces if id(face) not in kept)
            notes.append(
                f"{len(faces) - len(usable):,} faces with an empty box were left out, "
                f"line {first.row + 1} first."
            )
        mine: dict[str, list[Face]] = {split: [] for split, _ in SHARES}
        for face in usable:
            mine[split_of(face.picture)].append(face)
        for split, chosen in mine.items():
            if not chosen:
                raise DataError(
                    f"{list_file} has no face for the split {split}: it is not complete, or too "
                    "much was left out"
                )
        return FaceSet("expw", EXPRESSIONS, _cut_out(mine, folder, self.size), notes=tuple(notes))


def split_of(picture: str) -> str:
    """train, val or test: the same for a file name whatever else there is."""
    place = unit_hash(picture)
    return next(split for split, end in SHARES if place < end)


def square(face: Face, width: int, height: int) -> tuple[float, float, float, float]:
    """The box (left, top, right, bottom) made square: its shorter side grows about its middle.

    Moved inside the picture of width x height, and never larger than the picture's shorter side.
    """
    side = min(max(face.right - face.left, face.bottom - face.top), width, height)
    left = min(max((face.left + face.right - side) // 2, 0), width - side)
    top = min(max((face.top + face.bottom - side) // 2, 0), height - side)
    return left, top, left + side, top + side


def read_list(path: Path) -> list[Face]:
    """All faces of label.lst in its order; DataError names the line."""
    faces = []
    for row, line in enumerate(read_lines(path)):
        if line.strip():
            faces.append(_read_line(line, row, f"{path}, line {row + 1}"))
    if not faces:
        raise DataError(f"{path} is empty: copy it again")
    return faces


def _read_line(line: str, row: int, where: str) -> Face:
    words = line.rsplit(maxsplit=7)
    if len(words) != 8:
        raise DataError(
            f"{where} has {len(words)} fields, not the 8 of {FIELDS}: the file is cut or another "
            "one"
        )
    try:
        top, left, right, bottom = (int(float(word)) for word in words[2:6])
        confidence = float(words[6])
    except (ValueError, OverflowError) as error:
        raise DataError(
            f"{where} has a box or confidence that is not a number ({error}): copy the file again"
        ) from error
    if words[7] not in {"0", "1", "2", "3", "4", "5", "6"}:
        raise DataError(f'{where} has label "{words[7][:20]}": it must be an integer from 0 to 6')
    return Face(row, words[0], top, left, right, bottom, confidence, int(words[7]))


def _cut_out(faces: dict[str, list[Face]], folder: Path, size: int) -> dict[str, Split]:
    """The faces of each split in the order of the list."""
    file = Named(folder)
    crops = {
        split: [Crop(file(face.picture), partial(square, face)) for face in mine]
        for split, mine in faces.items()
    }
    images = read_splits(crops, "rgb", size, advice="")
    return {
        split: Split(
            images[split],
            np.array([face.label for face in mine], dtype=np.int64),
            rows=np.array([face.row for face in mine], dtype=np.int64),
        )
        for split, mine in faces.items()
    }


def _find(root: Path | None) -> tuple[Path, Path]:
    """label.lst and the folder of pictures, in the layouts of the download and its mirrors."""
    if root is None:
        raise DataError('data set "expw" needs your copy of ExpW: give its folder with --data-root')
    root = Path(os.path.expanduser(root))
    for base in (root, root / "data"):
        lists = [
            path for path in (base / "label.lst", base / "label" / "label.lst") if path.is_file()
        ]
        folders = [path for path in (base / "origin", base / "image" / "origin") if path.is_dir()]
        if lists and folders:
            return lists[0], folders[0]
        if lists:
            raise DataError(
                f"{lists[0]} is there but no folder {base / 'origin'}: unpack the pictures "
                "(origin.7z) there"
            )
    raise DataError(
        f"{root} holds no ExpW: looked for label.lst and origin/; give the right folder with "
        "--data-root"
    )
