"""Any folder tree train|val|test/<class>/<picture>."""

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
    check_options,
    cut_validation,
    find_splits,
    read_card,
    read_images,
    read_tree,
    register_dataset,
    resolve_colour,
)

ADVICE = "make all pictures of one size, or set one with --data-option size=N"


@register_dataset("folder")
class Folder(Dataset):
    """Your own faces. size: resize every picture to size x size; None wants them all of one size.

    colour: "grey", "rgb", or "auto" (grey when every file is stored as grey).
    """

    card = read_card(Path(__file__).with_name("folder.card.toml"), DatasetCard)

    def __init__(self, size: int | None = None, colour: str = "auto") -> None:
        check_options(size, colour)
        self.size = size
        self.colour = colour

    def sources(self, root: Path | None) -> Sequence[Path]:
        return list(_folders(root).values())

    def load(self, root: Path | None) -> FaceSet:
        folders = _folders(root)
        trees = {split: read_tree(folder) for split, folder in folders.items()}
        classes = trees["train"].classes
        for split, tree in trees.items():
            _check_classes(folders[split], tree, classes)
        files = {
            split: [path for paths in tree.files.values() for path in paths]
            for split, tree in trees.items()
        }
        colour = resolve_colour(self.colour, [path for paths in files.values() for path in paths])
        splits: dict[str, Split] = {}
        shape: tuple[int, ...] | None = None
        for split, tree in trees.items():
            images = read_images(files[split], colour, self.size, shape=shape, advice=ADVICE)
            shape = images.shape[1:]
            labels = [classes.index(name) for name, paths in tree.files.items() for _ in paths]
            splits[split] = Split(images, np.array(labels, dtype=np.int64))
        notes = self._notes(trees)
        if "val" not in splits:
            splits["train"], splits["val"], how = _cut(splits["train"])
            notes.append(how)
        return FaceSet("folder", classes, splits, notes=tuple(notes))

    def _notes(self, trees: dict[str, ClassTree]) -> list[str]:
        notes = []
        if self.size is not None:
            notes.append(
                f"Every picture was resized to {self.size} x {self.size}; one that is not square "
                "is stretched."
            )
        others = [path for tree in trees.values() for path in tree.others]
        if others:
            notes.append(
                f"{len(others)} files that are not pictures were left out, {others[0]} first."
            )
        return notes


def _folders(root: Path | None) -> dict[str, Path]:
    if root is None:
        raise DataError('data set "folder" needs your pictures: give their folder with --data-root')
    return find_splits(Path(root).expanduser())


def _check_classes(folder: Path, tree: ClassTree, classes: tuple[str, ...]) -> None:
    unknown = [name for name in tree.classes if name not in classes]
    if unknown:
        raise DataError(
            f'{folder} has a class "{unknown[0]}" that train does not have: '
            f"the classes of train are {', '.join(classes)}; rename the folder or add training "
            "images"
        )


def _cut(train: Split) -> tuple[Split, Split, str]:
    chosen = cut_validation(train.labels, [image.tobytes() for image in train.images])
    how = (
        f"There is no folder val: {int(chosen.sum()):,} of the {len(train):,} training images "
        "were cut off as val, 10 % of each class, by a hash of the pixels."
    )
    kept, cut = (Split(train.images[mask], train.labels[mask]) for mask in (~chosen, chosen))
    return kept, cut, how
