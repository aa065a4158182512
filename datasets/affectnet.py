"""AffectNet (Mollahosseini et al., 2017), as its authors give it today: images and annotations."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lrfer_bench.api import (
    DataError,
    Dataset,
    DatasetCard,
    FaceSet,
    Split,
    UserError,
    check_options,
    cut_validation,
    read_array,
    read_card,
    read_splits,
    register_dataset,
    subfolders,
)

EXPRESSIONS = (
    "neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt",
)  # fmt: skip
ADVICE = "set one size with --data-option size=N"
OTHERS = (8, 9, 10)
ANNOTATION_BYTES = 1 << 14
"""More than a file of one number takes."""
"""None, uncertain and no face, in annotations of older releases: left out."""


@register_dataset("affectnet")
class AffectNet(Dataset):
    """Colour faces from the web in 8 classes, or 7; the official validation set is the test.

    size: side of the faces in pixels
    classes: 8, or 7 without contempt
    """

    card = read_card(Path(__file__).with_name("affectnet.card.toml"), DatasetCard)

    def __init__(self, size: int = 112, classes: int = 8) -> None:
        check_options(size, "rgb")
        if classes not in (7, 8):
            raise UserError(f'the option classes is "{classes}": give 7 or 8')
        self.size = size
        self.classes = classes

    def sources(self, root: Path | None) -> Sequence[Path]:
        return list(_find(root).values())

    def load(self, root: Path | None) -> FaceSet:
        folders = _find(root)
        files, labels, left = {}, {}, 0
        for split, folder in folders.items():
            files[split], labels[split] = _read(folder)
            kept = labels[split] < self.classes
            left += int((~kept).sum())
            files[split] = [files[split][k] for k in np.flatnonzero(kept)]
            labels[split] = labels[split][kept]
        names = [path.name.encode() for path in files["train"]]
        val = cut_validation(labels["train"], names)
        paths = {
            "train": [files["train"][k] for k in np.flatnonzero(~val)],
            "val": [files["train"][k] for k in np.flatnonzero(val)],
            "test": files["val"],
        }
        numbers = {
            "train": labels["train"][~val],
            "val": labels["train"][val],
            "test": labels["val"],
        }
        images = read_splits(paths, "rgb", self.size, advice=ADVICE)
        splits = {split: Split(images[split], numbers[split]) for split in paths}
        notes = [
            f"AffectNet's test labels are withheld: {folders['val'].name} is the test, as in all "
            f"papers, and val is 10 % of each class of {folders['train'].name} "
            f"({int(val.sum()):,} of {len(val):,} images), by a hash of the file name."
        ]
        if left:
            notes.append(
                f"{left:,} faces of other classes than {', '.join(EXPRESSIONS[: self.classes])} "
                "were left out."
            )
        return FaceSet("affectnet", EXPRESSIONS[: self.classes], splits, notes=tuple(notes))


def _find(root: Path | None) -> dict[str, Path]:
    """train and val -> train_set and val_set, in root or one folder below."""
    if root is None:
        raise DataError(
            'data set "affectnet" needs your copy of AffectNet: give its folder with --data-root'
        )
    root = Path(root).expanduser()
    if not root.is_dir():
        raise DataError(f"there is no folder {root}: check --data-root")
    for base in (root, *subfolders(root).values()):
        inside = subfolders(base)
        if {"train_set", "val_set"} <= set(inside):
            return {"train": inside["train_set"], "val": inside["val_set"]}
    raise DataError(
        f"{root} holds no AffectNet: looked for train_set/ and val_set/ with images/ and "
        'annotations/; for a tree with a folder for each class use the data set "folder"'
    )


def _read(folder: Path) -> tuple[list[Path], NDArray[np.int64]]:
    """Pictures in the order of their numbers, and their expressions."""
    images, annotations = folder / "images", folder / "annotations"
    for path in (images, annotations):
        if not path.is_dir():
            raise DataError(f"there is no folder {path}: unpack the whole of AffectNet")
    files = sorted(
        (path for path in images.iterdir() if path.suffix.lower() in (".jpg", ".png")),
        key=lambda path: (len(path.stem), path.stem),
    )
    if not files:
        raise DataError(f"{images} holds no picture: unpack the whole of AffectNet")
    labels = [_expression(annotations / f"{path.stem}_exp.npy") for path in files]
    return files, np.array(labels, dtype=np.int64)


def _expression(path: Path) -> int:
    try:
        label = int(read_array(path, ANNOTATION_BYTES))
    except FileNotFoundError as error:
        raise DataError(f"the annotation {path} is missing: copy the data set again") from error
    except (OSError, ValueError, TypeError) as error:
        raise DataError(f"the annotation {path} cannot be read ({error}): copy it again") from error
    if label not in range(len(EXPRESSIONS)) and label not in OTHERS:
        raise DataError(f"the annotation {path} is {label}: it must be 0 to 7")
    return label
