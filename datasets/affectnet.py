"""AffectNet (Mollahosseini et al., 2017): today's images and annotations, or the older lists."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lrfer_bench.api import (
    DataError,
    Dataset,
    DatasetCard,
    FaceSet,
    Split,
    UserError,
    check_options,
    cut_validation,
    listing,
    read_array,
    read_card,
    read_splits,
    register_dataset,
    subfolders,
)
from lrfer_bench.datasets.affectnet_lists import (
    LISTS,
    OTHERS,
    Labelled,
    Lists,
    find_lists,
    read_list,
)

EXPRESSIONS = (
    "neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt",
)  # fmt: skip
ADVICE = "set one size with --data-option size=N"
ANNOTATION_BYTES = 1 << 14
"""More than a file of one number takes."""


@register_dataset("affectnet")
class AffectNet(Dataset):
    """Colour faces from the web in 8 classes, or 7; the official validation set is the test.

    size: side of the faces in pixels
    classes: 8, or 7 without contempt
    """

    card = read_card(Path(__file__).with_name("affectnet.card.toml"), DatasetCard)

    def __init__(self, size: int = 112, classes: int = 8) -> None:
        check_options(size, "rgb")
        if type(classes) is not int or classes not in (7, 8):
            raise UserError(f'the option classes is "{classes}": give 7 or 8')
        self.size = size
        self.classes = classes

    def sources(self, root: Path | None) -> Sequence[Path]:
        found = _find(root)
        return found.sources if isinstance(found, Lists) else list(found.values())

    def load(self, root: Path | None) -> FaceSet:
        found = _find(root)
        files = found.files if isinstance(found, Lists) else found
        read, left = {}, 0
        for split, place in files.items():
            faces = read_list(found, split) if isinstance(found, Lists) else _read(place)
            read[split] = faces.of_classes(self.classes)
            left += len(faces.labels) - len(read[split].labels) + faces.left
        train, test = read["train"], read["val"]
        val = cut_validation(train.labels, [name.encode() for name in train.names])
        parts = {"train": train.where(~val), "val": train.where(val), "test": test}
        images = read_splits(
            {split: part.faces for split, part in parts.items()}, "rgb", self.size, advice=ADVICE
        )
        splits = {split: Split(images[split], part.labels) for split, part in parts.items()}
        notes = [
            f"AffectNet's test labels are withheld: {files['val'].name} is the test, as in all "
            f"papers, and val is 10 % of each class of {files['train'].name} "
            f"({int(val.sum()):,} of {len(val):,} images), by a hash of the file name."
        ]
        if left:
            notes.append(
                f"{left:,} faces of other classes than {', '.join(EXPRESSIONS[: self.classes])} "
                "were left out."
            )
        boxless = sum(part.boxless for part in read.values())
        if boxless:
            notes.append(f"{boxless:,} faces without a box were left out.")
        return FaceSet("affectnet", EXPRESSIONS[: self.classes], splits, notes=tuple(notes))


def _find(root: Path | None) -> dict[str, Path] | Lists:
    """train and val -> train_set and val_set, or the lists, in root or one folder below."""
    if root is None:
        raise DataError(
            'data set "affectnet" needs your copy of AffectNet: give its folder with --data-root'
        )
    root = Path(os.path.expanduser(root))
    if not root.is_dir():
        raise DataError(f"there is no folder {root}: check --data-root")
    bases = (root, *subfolders(root).values())
    for base in bases:
        inside = subfolders(base)
        if {"train_set", "val_set"} <= set(inside):
            return {"train": inside["train_set"], "val": inside["val_set"]}
    for base in bases:
        lists = find_lists(base)
        if lists is not None:
            return lists
    raise DataError(
        f"{root} holds no AffectNet: looked for train_set/ and val_set/ with images/ and "
        f"annotations/, and for {LISTS}/training.csv and validation.csv; for a tree with a folder "
        'for each class use the data set "folder"'
    )


def _read(folder: Path) -> Labelled:
    """Pictures in the order of their numbers, and their expressions."""
    images, annotations = folder / "images", folder / "annotations"
    for path in (images, annotations):
        if not path.is_dir():
            raise DataError(f"there is no folder {path}: unpack the whole of AffectNet")
    files = sorted(
        (path for path in listing(images) if path.suffix.lower() in (".jpg", ".png")),
        key=lambda path: (len(path.stem), path.stem),
    )
    if not files:
        raise DataError(f"{images} holds no picture: unpack the whole of AffectNet")
    labels = [_expression(annotations / f"{path.stem}_exp.npy") for path in files]
    names = [path.name for path in files]
    return Labelled(files, names, np.array(labels, dtype=np.int64))


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
