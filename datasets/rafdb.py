"""RAF-DB, basic expressions (Li et al., 2017), in its official layout."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lrfer_bench.api import (
    DataError,
    Dataset,
    DatasetCard,
    FaceSet,
    Split,
    check_options,
    cut_validation,
    read_card,
    read_images,
    register_dataset,
)

EXPRESSIONS = ("surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral")
LIST = Path("EmoLabel", "list_patition_label.txt")
ALIGNED = Path("Image", "aligned")
ADVICE = "give the aligned pictures as published, or set one size with --data-option size=N"


@register_dataset("rafdb")
class RAFDB(Dataset):
    """Aligned colour faces of 100 x 100 pixels in 7 classes.

    There is no official validation split: val is cut from train.

    size: resize every picture to size x size; None keeps them as they are.
    """

    card = read_card(Path(__file__).with_name("rafdb.card.toml"), DatasetCard)

    def __init__(self, size: int | None = None) -> None:
        check_options(size, "rgb")
        self.size = size

    def sources(self, root: Path | None) -> Sequence[Path]:
        base = _find(root)
        return base / LIST, base / ALIGNED

    def load(self, root: Path | None) -> FaceSet:
        base = _find(root)
        names, labels = _read_list(base / LIST)
        is_train = np.array([name.startswith("train_") for name in names])
        train = np.flatnonzero(is_train)
        chosen = cut_validation(labels[train], [names[i].encode() for i in train])
        rows = {"train": train[~chosen], "val": train[chosen], "test": np.flatnonzero(~is_train)}
        splits: dict[str, Split] = {}
        shape: tuple[int, ...] | None = None
        for split, mine in rows.items():
            files = [_picture(base, names[i]) for i in mine]
            if not files:
                raise DataError(
                    f"{base / LIST} names no picture for {split}: it is not complete, copy it again"
                )
            images = read_images(files, "rgb", self.size, shape=shape, advice=ADVICE)
            shape = images.shape[1:]
            splits[split] = Split(images, labels[mine], rows=mine)
        note = (
            f"RAF-DB has no validation split: {len(rows['val']):,} of the {len(train):,} training "
            "images were cut off as val, 10 % of each class, by a hash of the file name."
        )
        return FaceSet("rafdb", EXPRESSIONS, splits, notes=(note,))


def _find(root: Path | None) -> Path:
    """The folder that holds EmoLabel and Image: root, root/basic or root/RAF-DB/basic."""
    if root is None:
        raise DataError(
            'data set "rafdb" needs your copy of RAF-DB: give its folder with --data-root'
        )
    root = Path(root).expanduser()
    for base in (root, root / "basic", root / "RAF-DB" / "basic"):
        if (base / LIST).is_file():
            if not (base / ALIGNED).is_dir():
                raise DataError(
                    f"{base} has {LIST} but no folder {ALIGNED}: unpack aligned.zip there"
                )
            return base
    raise DataError(
        f"{root} holds no RAF-DB: looked for basic/{LIST.as_posix()}; give the right folder with "
        "--data-root"
    )


def _read_list(path: Path) -> tuple[list[str], np.ndarray]:
    """File names, and labels from 0; the file counts them from 1."""
    names: list[str] = []
    labels: list[int] = []
    for number, line in enumerate(
        path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1
    ):
        words = line.split()
        if not words:
            continue
        where = f"{path}, line {number}"
        if len(words) != 2 or not words[0].startswith(("train_", "test_")):
            raise DataError(
                f'{where} is "{line[:60]}": it must be like "train_00001.jpg 5"; copy the file '
                "again"
            )
        if words[1] not in {"1", "2", "3", "4", "5", "6", "7"}:
            raise DataError(
                f'{where} has label "{words[1][:20]}": it must be an integer from 1 to 7'
            )
        names.append(words[0])
        labels.append(int(words[1]) - 1)
    if not names:
        raise DataError(f"{path} is empty: copy it again")
    return names, np.array(labels, dtype=np.int64)


def _picture(base: Path, name: str) -> Path:
    path = Path(name)
    return base / ALIGNED / f"{path.stem}_aligned{path.suffix}"
