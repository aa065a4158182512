"""How the pictures of `folder` become train, val and test where a split is missing."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lrfer_bench.api import DataError, cut_persons, cut_validation, picture_bytes

TEST_SHARE, VAL_SHARE = 0.2, 0.1
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Part:
    """Pictures with their labels, int64 [N]."""

    files: list[Path]
    labels: NDArray[np.int64]

    def take(self, mask: Mask) -> Part:
        """Those where mask, bool [N], holds."""
        return Part([self.files[k] for k in np.flatnonzero(mask)], self.labels[mask])


@dataclass(frozen=True)
class People:
    """Who is in a picture: what the user's pattern finds in its path below root."""

    pattern: re.Pattern[str]
    root: Path

    def of(self, files: list[Path]) -> list[str]:
        """The person of each file; DataError for a path without one."""
        places = [in_one_form(path.relative_to(self.root).as_posix()) for path in files]
        found = [self.pattern.search(place) for place in places]
        for path, match in zip(files, found, strict=True):
            if match is None:
                raise DataError(
                    f'the option person finds nobody in {path}: "{self.pattern.pattern}" must '
                    "match in every path"
                )
        return [_name(match) for match in found if match is not None]


def in_one_form(text: str) -> str:
    """Accents in the composed form (NFC), as lists are read: one name has one, on all systems."""
    return unicodedata.normalize("NFC", text)


def _name(found: re.Match[str]) -> str:
    """What the first group that took part has found, or all."""
    return next((group for group in found.groups() if group is not None), found[0])


def cut_into_three(
    parts: Mapping[str, Part], people: People | None
) -> tuple[dict[str, Part], list[str]]:
    """train, val and test from the parts that there are, and what the user has to know of it.

    parts: those of the tree; "" is a tree without splits. Without people a missing val is left to
    the caller, who cuts it by pixels.
    """
    cut = dict(parts)
    notes: list[str] = []
    if "" in cut:
        whole = cut.pop("")
        test = _chosen(whole, people, TEST_SHARE)
        cut["train"], cut["test"] = whole.take(~test), whole.take(test)
        val = _chosen(cut["train"], people, VAL_SHARE / (1 - TEST_SHARE))
        cut["train"], cut["val"] = cut["train"].take(~val), cut["train"].take(val)
        notes.append(_said_of_whole(cut, people))
    elif "test" not in cut:
        cut["test"] = cut.pop("val")
        notes.append(
            f"There is no test with labels: the {len(cut['test'].files):,} pictures of val are the "
            "test, as papers do where labels are withheld, and val is cut from train."
        )
    if people is None:
        return cut, notes
    if "val" not in cut:
        val = _chosen(cut["train"], people, VAL_SHARE)
        cut["train"], cut["val"] = cut["train"].take(~val), cut["train"].take(val)
        notes.append(
            f"There is no folder val: all {int(val.sum()):,} pictures of some people were cut from "
            "train as val, by a hash of the person."
        )
    return cut, [*notes, *_shared_people(cut, people)]


def _chosen(part: Part, people: People | None, share: float) -> Mask:
    if people is None:
        # By content, so that copies of a picture stay on one side.
        contents = (hashlib.sha256(picture_bytes(path)).digest() for path in part.files)
        return cut_validation(part.labels, contents, share)
    persons = people.of(part.files)
    if len(set(persons)) < 2:
        raise DataError(
            f'the option person leaves only "{persons[0]}" to cut from: train, val and test take '
            "three people or more, so check the pattern"
        )
    return cut_persons(persons, share)


def _said_of_whole(cut: Mapping[str, Part], people: People | None) -> str:
    counts = "/".join(f"{len(cut[split].files):,}" for split in ("train", "val", "test"))
    if people is not None:
        persons = "/".join(
            str(len(set(people.of(cut[split].files)))) for split in ("train", "val", "test")
        )
        return (
            f"The tree has no splits: train/val/test are {counts} pictures of {persons} people, "
            "nobody in two splits, by a hash of the person."
        )
    return (
        f"The tree has no splits: train/val/test are {counts} pictures, by a hash of the files. "
        "WARNING: one person's pictures may stand in train and test, which makes scores too high; "
        "name the person in the path with --data-option person=REGEX."
    )


def _shared_people(cut: Mapping[str, Part], people: People) -> list[str]:
    train, val, test = (set(people.of(cut[name].files)) for name in ("train", "val", "test"))
    what = {"test": "scores are", "val": "its scores, by which epochs and settings are chosen, are"}
    return [
        f"WARNING: {len(both):,} people stand in train and in {name}, {both[0]} first: "
        f"{what[name]} too high for faces of strangers."
        for name, own in (("test", test), ("val", val))
        if (both := sorted(train & own))
    ]
