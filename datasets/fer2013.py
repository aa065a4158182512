"""FER2013 (Goodfellow et al., 2013) in the four forms that people have it in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lrfer_bench.api import (
    ClassTree,
    DataError,
    Dataset,
    DatasetCard,
    FaceSet,
    Split,
    cut_validation,
    read_card,
    read_images,
    read_tree,
    register_dataset,
)
from lrfer_bench.datasets.fer2013_rows import USAGES, Rows, find_source, read_rows

EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
SPLIT_OF_USAGE = ("train", "val", "test")
PUBLIC, PRIVATE = "publictest_", "privatetest_"


@register_dataset("fer2013")
class FER2013(Dataset):
    """48 x 48 grey faces in 7 classes; val is PublicTest, test is PrivateTest."""

    card = read_card(Path(__file__).with_name("fer2013.card.toml"), DatasetCard)

    def sources(self, root: Path | None) -> Sequence[Path]:
        return find_source(root, "fer2013").files

    def load(self, root: Path | None) -> FaceSet:
        source = find_source(root, "fer2013")
        notes = [source.note] if source.note else []
        if source.form == "folders":
            splits, how = _from_folders(*source.files)
            return FaceSet("fer2013", EMOTIONS, splits, notes=(*notes, *how))
        rows = read_rows(source)
        return FaceSet(
            "fer2013", EMOTIONS, split_rows(rows, source.files[0]), notes=(*notes, *rows.notes)
        )


def split_rows(rows: Rows, file: Path) -> dict[str, Split]:
    """The official splits; DataError when one of them has no row, as in a file that was cut."""
    splits = {}
    for usage, name in enumerate(SPLIT_OF_USAGE):
        mine = np.flatnonzero(rows.usage == usage)
        if len(mine) == 0:
            raise DataError(
                f"{file} has no row with Usage {USAGES[usage]}: it is not complete, copy it again"
            )
        splits[name] = Split(rows.images[mine][:, None], rows.emotion[mine], rows=mine)
    return splits


def _from_folders(train_folder: Path, test_folder: Path) -> tuple[dict[str, Split], list[str]]:
    train, _ = _read(train_folder)
    test, names = _read(test_folder)
    note = (
        "Read from a folder tree: its pictures may have been compressed with loss and the order "
        "of the rows is gone, so that the fingerprint is not that of fer2013.csv."
    )
    if all(name.startswith((PUBLIC, PRIVATE)) for name in names):
        public = np.array([name.startswith(PUBLIC) for name in names])
        if public.any() and not public.all():
            how = (
                "The file names in test/ keep the official split: PublicTest_* is val, "
                "PrivateTest_* is test."
            )
            return {"train": train, "val": _take(test, public), "test": _take(test, ~public)}, [
                note,
                how,
            ]
    chosen = cut_validation(train.labels, [image.tobytes() for image in train.images])
    how = (
        "The folder tree has no PublicTest/PrivateTest split: test is the whole of test/ and val "
        f"was cut from train/ ({int(chosen.sum()):,} of {len(train):,} images, 10 % of each class, "
        "by a hash of the pixels); "
        "scores cannot be compared with those on PrivateTest."
    )
    return {"train": _take(train, ~chosen), "val": _take(train, chosen), "test": test}, [note, how]


def _read(folder: Path) -> tuple[Split, list[str]]:
    """One folder's images as a Split, and the lower-case file names in the same order."""
    tree: ClassTree = read_tree(folder)
    labels: list[int] = []
    files: list[Path] = []
    for name, pictures in tree.files.items():
        if name.lower() not in EMOTIONS:
            raise DataError(
                f'{folder} has a folder "{name}": the classes of FER2013 are {", ".join(EMOTIONS)}'
            )
        labels += [EMOTIONS.index(name.lower())] * len(pictures)
        files += pictures
    images = read_images(
        files, "grey", None, shape=(1, 48, 48), advice="give FER2013's own pictures"
    )
    return Split(images, np.array(labels, dtype=np.int64)), [file.name.lower() for file in files]


def _take(split: Split, mask: np.ndarray) -> Split:
    return Split(split.images[mask], split.labels[mask])
