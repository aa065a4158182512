"""RAF-DB, basic expressions (Li et al., 2017), in its official layout and in that of Kaggle."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from lrfer_bench.api import (
    DataError,
    Dataset,
    DatasetCard,
    FaceSet,
    Named,
    Split,
    UserError,
    check_options,
    class_indices,
    cut_validation,
    find_splits,
    read_card,
    read_lines,
    read_splits,
    read_tree,
    register_dataset,
    subfolders,
)

EXPRESSIONS = ("surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral")
LIST = Path("EmoLabel", "list_patition_label.txt")
ALIGNED = Path("Image", "aligned")
ADVICE = "give the aligned pictures as published, or set one size with --data-option size=N"
ORDERS = {
    "official": EXPRESSIONS,
    "efficientface": ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger"),
}
"""What folders 0 to 6 can mean; RAF-DB itself counts from 1."""


@dataclass(frozen=True)
class Listed:
    """What a copy names: name of the official list -> (picture, label from 0), in its order."""

    pictures: dict[str, tuple[Path, int]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@register_dataset("rafdb")
class RAFDB(Dataset):
    """Aligned colour faces of 100 x 100 pixels in 7 classes.

    There is no official validation split: val is cut from train.

    size: resize every picture to size x size; None keeps them as they are
    order: what folders 0 to 6 of a copy mean, one of ORDERS; None refuses such a copy
    """

    card = read_card(Path(__file__).with_name("rafdb.card.toml"), DatasetCard)

    def __init__(self, size: int | None = None, order: str | None = None) -> None:
        check_options(size, "rgb")
        if order is not None and order not in ORDERS:
            raise UserError(f'the option order is "{order}": give one of {", ".join(ORDERS)}')
        self.size = size
        self.order = order

    def sources(self, root: Path | None) -> Sequence[Path]:
        base, folders = _find(root)
        return list(folders.values()) if folders else [base / LIST, base / ALIGNED]

    def load(self, root: Path | None) -> FaceSet:
        base, folders = _find(root)
        listed = _read_folders(folders, self.order) if folders else _read_list(base)
        names = list(listed.pictures)
        labels = np.array([label for _, label in listed.pictures.values()], dtype=np.int64)
        is_train = np.array([name.startswith("train_") for name in names])
        train = np.flatnonzero(is_train)
        chosen = cut_validation(labels[train], [names[i].encode() for i in train])
        rows = {"train": train[~chosen], "val": train[chosen], "test": np.flatnonzero(~is_train)}
        for split, mine in rows.items():
            if len(mine) == 0:
                raise DataError(
                    f"{base} names no picture for {split}: it is not complete, copy it again"
                )
        files = {
            split: [listed.pictures[names[i]][0] for i in mine] for split, mine in rows.items()
        }
        images = read_splits(files, "rgb", self.size, advice=ADVICE)
        splits = {
            split: Split(images[split], labels[mine], rows=mine) for split, mine in rows.items()
        }
        note = (
            f"RAF-DB has no validation split: {len(rows['val']):,} of the {len(train):,} training "
            "images were cut off as val, 10 % of each class, by a hash of the file name."
        )
        return FaceSet("rafdb", EXPRESSIONS, splits, notes=(note, *listed.notes))


def _find(root: Path | None) -> tuple[Path, dict[str, Path]]:
    """The folder that holds EmoLabel and Image; or, of a tree, its folders by split."""
    if root is None:
        raise DataError(
            'data set "rafdb" needs your copy of RAF-DB: give its folder with --data-root'
        )
    root = Path(os.path.expanduser(root))
    for base in (root, root / "basic", root / "RAF-DB" / "basic"):
        if (base / LIST).is_file():
            if not (base / ALIGNED).is_dir():
                raise DataError(
                    f"{base} has {LIST} but no folder {ALIGNED}: unpack aligned.zip there"
                )
            return base, {}
    for base in (root, root / "DATASET"):
        if base.is_dir() and {"train", "test"} <= set(subfolders(base)):
            return base, find_splits(base)
    raise DataError(
        f"{root} holds no RAF-DB: looked for basic/{LIST.as_posix()} and for DATASET/train/1 to 7; "
        "give the right folder with --data-root"
    )


def _read_list(base: Path) -> Listed:
    """The official list; it counts labels from 1."""
    path, found, file = base / LIST, Listed(), Named(base / ALIGNED)
    for number, line in enumerate(read_lines(path), start=1):
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
        if words[0] in found.pictures:
            raise DataError(f"{where} names {words[0]} again: copy the file again")
        name = Path(words[0])
        picture = file(f"{name.stem}_aligned{name.suffix}")
        found.pictures[words[0]] = picture, int(words[1]) - 1
    if not found.pictures:
        raise DataError(f"{path} is empty: copy it again")
    return found


def _read_folders(folders: dict[str, Path], order: str | None) -> Listed:
    """Kaggle's tree train|test/1..7; names and validation are those of the official list.

    What a copy calls val was taken from the official train, and is put back.
    """
    found = Listed()
    official: dict[str, dict[str, tuple[Path, int]]] = {"train": {}, "test": {}}
    known: dict[str, Path] = {}
    trees = {split: read_tree(folder) for split, folder in folders.items()}
    # All splits count alike, also one in which the first class has no picture.
    from_0 = [folders[split] for split, tree in trees.items() if "0" in tree.classes]
    first, classes = (0, ORDERS[_known(order, from_0[0])]) if from_0 else (1, EXPRESSIONS)
    if from_0:
        found.notes.append(f"Folders 0 to 6 were read as {', '.join(classes)}.")
    for split, folder in folders.items():
        part = "test" if split == "test" else "train"
        tree = trees[split]
        meant = class_indices(tree.classes, classes, folder, first)
        pictures = {
            _official(path, part, known): (path, EXPRESSIONS.index(classes[meant[name]]))
            for name, paths in tree.files.items()
            for path in paths
        }
        official[part] |= pictures
        if split == "val":
            found.notes.append(
                f"{len(pictures):,} pictures of {folder.name} are of the official train: put back."
            )
    for pictures in official.values():
        found.pictures.update(sorted(pictures.items()))
    return found


def _official(path: Path, part: str, known: dict[str, Path]) -> str:
    """The name that the official list has for a picture of a tree.

    known: name without its ending -> picture, of those met before. DataError for one of another
    kind, and for one that is there twice: in two folders it would have two labels.
    """
    name = path.name.replace("_aligned", "")
    if not name.startswith(f"{part}_"):
        raise DataError(
            f"{path.parent.parent} has a picture {name}: RAF-DB's are called "
            f"{part}_00001_aligned.jpg and so on there; use the data set folder for your own"
        )
    other = known.setdefault(Path(name).stem, path)
    if other != path:
        raise DataError(
            f"{other} and {path} are both RAF-DB's {Path(name).stem}: leave the one whose folder "
            "is right"
        )
    return name


def _known(order: str | None, folder: Path) -> str:
    if order is None:
        known = "; ".join(f"{name}: {', '.join(classes)}" for name, classes in ORDERS.items())
        raise DataError(
            f"{folder} has folders from 0, whose order copies of RAF-DB do not agree on: say which "
            f"with --data-option order=NAME ({known})"
        )
    return order
