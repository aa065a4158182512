"""FER2013 as folders of pictures: the trees that people have, and which split they keep."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from lrfer_bench.api import (
    Split,
    class_indices,
    cut_validation,
    find_splits,
    read_splits,
    read_tree,
    subfolders,
    take,
)

EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
PUBLIC, PRIVATE = "publictest_", "privatetest_"
RESPLIT = {"train": 28_821, "val": 7_066}
"""A copy on Kaggle that somebody split anew at random."""
LOSS = (
    "Read from a folder tree: its pictures may have been compressed with loss and the order "
    "of the rows is gone, so that the fingerprint is not that of fer2013.csv."
)


def find_tree(folder: Path) -> dict[str, Path]:
    """split -> folder of a tree in folder, in images/ or images/images/; {} where there is none."""
    for _ in range(3):
        inside = subfolders(folder) if folder.is_dir() else {}
        found = find_splits(folder, needed=()) if inside else {}
        if "train" in found and len(found) > 1:
            return found
        if "images" not in inside:
            return {}
        folder = inside["images"]
    return {}


def read_faces(folders: Mapping[str, Path]) -> tuple[dict[str, Split], list[str]]:
    """The splits of a tree, and what the user has to know of them."""
    files: dict[str, list[Path]] = {}
    labels: dict[str, np.ndarray] = {}
    for split, folder in folders.items():
        tree = read_tree(folder)
        index = class_indices(tree.classes, EMOTIONS, folder, first_digit=0)
        files[split] = [path for paths in tree.files.values() for path in paths]
        numbers = [index[name] for name, paths in tree.files.items() for _ in paths]
        labels[split] = np.array(numbers, dtype=np.int64)
    images = read_splits(
        files, "grey", None, shape=(1, 48, 48), advice="give FER2013's own pictures"
    )
    splits = {split: Split(images[split], labels[split]) for split in folders}
    if set(splits) == {"train", "val", "test"}:
        return splits, [LOSS, _said_of_three(folders)]
    if "test" not in splits:
        return _without_test(splits, folders["val"])
    names = [path.name.lower() for path in files["test"]]
    public = np.array([name.startswith(PUBLIC) for name in names])
    named = all(name.startswith((PUBLIC, PRIVATE)) for name in names)
    if named and public.any() and not public.all():
        how = (
            "The file names in test/ keep the official split: PublicTest_* is val, PrivateTest_* "
            "is test."
        )
        test = splits["test"]
        return {**splits, "val": take(test, public), "test": take(test, ~public)}, [LOSS, how]
    how = "The folder tree has no PublicTest/PrivateTest split: test is the whole of test/"
    return _cut(splits, how, "scores cannot be compared with those on PrivateTest")


def _said_of_three(folders: Mapping[str, Path]) -> str:
    used = ", ".join(f"{split} is {folder.name}/" for split, folder in folders.items())
    if folders["val"].name.lower() == "publictest" and folders["test"].name.lower() == (
        "privatetest"
    ):
        return f"The folders keep the official split: {used}."
    return f"The folder tree has three splits, taken as they are: {used}."


def _without_test(splits: dict[str, Split], val: Path) -> tuple[dict[str, Split], list[str]]:
    counts = {split: len(part) for split, part in splits.items()}
    how = f"The folder tree has no test: test is the whole of {val.name}/"
    why = "scores cannot be compared with those on PrivateTest"
    if counts == RESPLIT:
        how = f"This is a random re-split of FER2013 (28,821 and 7,066); test is all of {val.name}/"
        why = "it mixes all official splits, so its scores compare with no others"
    return _cut({"train": splits["train"], "test": splits["val"]}, how, why)


def _cut(splits: dict[str, Split], how: str, why: str) -> tuple[dict[str, Split], list[str]]:
    train = splits["train"]
    chosen = cut_validation(train.labels, (image.tobytes() for image in train.images))
    note = (
        f"{how} and val was cut from train/ ({int(chosen.sum()):,} of {len(train):,} images, 10 % "
        f"of each class, by a hash of the pixels); {why}."
    )
    return {**splits, "train": take(train, ~chosen), "val": take(train, chosen)}, [LOSS, note]
