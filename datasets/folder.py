"""Any folder of pictures: train|val|test/<class>/<picture>, or one tree that is cut here."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np

from lrfer_bench.api import (
    ClassTree,
    DataError,
    Dataset,
    DatasetCard,
    FaceSet,
    Split,
    UserError,
    check_options,
    class_indices,
    cut_validation,
    find_splits,
    meaning_of,
    read_by_name,
    read_card,
    read_splits,
    read_tree,
    register_dataset,
    resolve_colour,
    subfolders,
    take,
)
from lrfer_bench.datasets.folder_cut import Part, People, cut_into_three, in_one_form

ADVICE = "make all pictures of one size, or set one with --data-option size=N"
LAYOUT = "its layout must be train|val|test/<class>/<picture>, or <class>/<picture> to be cut"
NAME = "[a-z0-9][a-z0-9-]{0,39}"


@register_dataset("folder")
class Folder(Dataset):
    """Your own faces: a tree train|val|test/<class>/*, or one tree <class>/* without splits.

    size: resize every picture to size x size; None wants them all of one size
    colour: "grey", "rgb", or "auto" (grey when every file is stored as grey)
    name: what records and tables call this data set; None is "folder"
    person: a pattern that finds the person in a picture's path, to keep people on one side of cuts
    label: a pattern that finds the class in a picture's path; None is the folder it lies in
    only: a pattern; pictures whose path it does not match are left out
    classes: the names of the classes with commas between, where folders are numbers in their order
    """

    card = read_card(Path(__file__).with_name("folder.card.toml"), DatasetCard)

    def __init__(
        self,
        size: int | None = None,
        colour: str = "auto",
        name: str | None = None,
        person: str | None = None,
        label: str | None = None,
        only: str | None = None,
        classes: str | None = None,
    ) -> None:
        check_options(size, colour)
        if name is not None and not re.fullmatch(NAME, str(name)):
            raise UserError(
                f'the option name is "{name}": use small letters, digits and hyphens, up to 40'
            )
        self.size, self.colour, self.name = size, colour, name
        self.person, self.label, self.only, self.classes = person, label, only, classes
        self._person = _pattern("person", person)
        self._label = _pattern("label", label)
        self._only = _pattern("only", only)

    def sources(self, root: Path | None) -> Sequence[Path]:
        return list(_folders(root).values())

    def load(self, root: Path | None) -> FaceSet:
        folders, notes = _folders(root), self._said_of_size()
        trees = {split: self._read(folder) for split, folder in folders.items()}
        notes += _said_of_others(trees.values(), folders)
        if "test" in trees and not trees["test"].files:
            notes.append(f"{folders['test']} has no class folders and so no labels: left out.")
            del trees["test"]
            if "val" not in trees:
                raise DataError(
                    f"{folders['test']} has no class folders and so no labels: {LAYOUT}"
                )
        classes = self._named(trees.get("train") or trees[""])
        numbered = [tree.classes for tree in trees.values() if tree.classes]
        first = _first_number(numbered) if self.classes is not None else None
        parts = {
            split: self._part(folders[split], tree, classes, first) for split, tree in trees.items()
        }
        if _are_numbers(classes):
            notes.append(
                f"Classes are numbers: give the names of {classes[0]} to {classes[-1]}, in that "
                "order, with --data-option classes=NAME,NAME,..."
            )
        top = folders[""] if "" in folders else folders["train"].parent
        parts, said = cut_into_three(parts, People(self._person, top) if self._person else None)
        notes += said
        paths = {split: part.files for split, part in parts.items()}
        colour = resolve_colour(self.colour, [path for files in paths.values() for path in files])
        images = read_splits(paths, colour, self.size, advice=ADVICE)
        splits = {split: Split(images[split], part.labels) for split, part in parts.items()}
        if "val" not in splits:
            splits["train"], splits["val"], how = _cut_by_pixels(splits["train"])
            notes.append(how)
        return FaceSet(self.name or "folder", classes, splits, notes=tuple(notes))

    def _said_of_size(self) -> list[str]:
        if self.size is None:
            return []
        return [
            f"Every picture was resized to {self.size} x {self.size}; one that is not square is "
            "stretched."
        ]

    def _read(self, folder: Path) -> ClassTree:
        if self._label is not None:
            return read_by_name(folder, self._label, self._only)
        if not subfolders(folder) and folder.name.lower().startswith("test"):
            return ClassTree({})  # of a challenge, whose labels are not published
        return read_tree(folder, self._only)

    def _named(self, train: ClassTree) -> tuple[str, ...]:
        """The classes: those declared, or the folders of train; codes in file names are spelt."""
        if self.classes is not None:
            return tuple(name.strip() for name in str(self.classes).split(","))
        if self._label is not None:
            return _in_order({meaning_of(name) for name in train.classes})
        return _in_order(train.classes)

    def _part(
        self, folder: Path, tree: ClassTree, classes: tuple[str, ...], first: int | None
    ) -> Part:
        index = class_indices(tree.classes, classes, folder, first)
        files = [path for paths in tree.files.values() for path in paths]
        labels = [index[name] for name, paths in tree.files.items() for _ in paths]
        return Part(files, np.array(labels, dtype=np.int64))


def _said_of_others(trees: Collection[ClassTree], splits: dict[str, Path]) -> list[str]:
    """What was left out: pictures by the options, files and folders by their names."""
    notes = []
    for what, paths in (
        (
            "pictures that the options only and label do not match",
            [path for tree in trees for path in tree.unmatched],
        ),
        ("files that are not pictures", [path for tree in trees for path in tree.others]),
    ):
        if paths:
            notes.append(f"{len(paths)} {what} were left out, {paths[0]} first.")
    if "train" in splits:
        beside = subfolders(splits["train"].parent).values()
        unread = [folder.name for folder in beside if folder not in splits.values()]
        if unread:
            notes.append(f"Folders beside train that were not read: {', '.join(unread)}.")
    return notes


def _are_numbers(names: Collection[str]) -> bool:
    return all(name.isascii() and name.isdigit() for name in names)


def _in_order(names: Collection[str]) -> tuple[str, ...]:
    """By number where all are numbers, 2 before 10: `classes` gives names in that order."""
    if _are_numbers(names):
        return tuple(sorted(names, key=lambda name: (int(name), name)))
    return tuple(sorted(names))


def _first_number(splits: Sequence[Sequence[str]]) -> int | None:
    """The lowest number of the splits whose classes are numbers; None where none has them."""
    numbered = [split for split in splits if _are_numbers(split)]
    return min((int(name) for split in numbered for name in split), default=None)


def _pattern(option: str, text: str | None) -> re.Pattern[str] | None:
    try:
        return None if text is None else re.compile(in_one_form(str(text)))
    except re.error as error:
        raise UserError(
            f'the option {option} is "{text}", which is not a regular expression ({error}): '
            "write one such as S[0-9]+"
        ) from error


def _folders(root: Path | None) -> dict[str, Path]:
    """split -> folder, or {"": folder} of a tree without splits."""
    if root is None:
        raise DataError('data set "folder" needs your pictures: give their folder with --data-root')
    root = Path(os.path.expanduser(root))
    found = find_splits(root, needed=())
    inside = list(subfolders(root).values())
    if not found and len(inside) == 1 and subfolders(inside[0]):  # as an archive unpacks
        return _folders(inside[0])
    if not found and (inside or any(root.iterdir())):
        return {"": root}
    if "train" not in found or len(found) < 2:
        missing = "test" if "train" in found else "train"
        raise DataError(f"{root} has no folder {missing}: {LAYOUT}")
    return found


def _cut_by_pixels(train: Split) -> tuple[Split, Split, str]:
    chosen = cut_validation(train.labels, (image.tobytes() for image in train.images))
    how = (
        f"There is no folder val: {int(chosen.sum()):,} of the {len(train):,} training images "
        "were cut off as val, 10 % of each class and 1 at least, by a hash of the pixels."
    )
    return take(train, ~chosen), take(train, chosen), how
