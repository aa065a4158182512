"""Links among a user's folders: followed alike by all who look, and never round in a circle."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from layouts import by_class
from toy import Toy

from lrfer_bench.data.listing import below
from lrfer_bench.data.signature import signature_of
from lrfer_bench.datasets.folder import Folder


def linked(tmp_path: Path) -> Path:
    """Two classes in the folder, and one that is a link to another disk."""
    root = tmp_path / "mine"
    by_class(root, "{name}/{name}_{n}.png", ("angry", "happy", "sad"), 12)
    shutil.move(root / "happy", tmp_path / "disk")
    (root / "happy").symlink_to(tmp_path / "disk", target_is_directory=True)
    return root


def names(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in below(folder)]


def test_a_class_behind_a_link_is_read_by_names_as_it_is_as_a_tree(tmp_path: Path) -> None:
    root = linked(tmp_path)
    tree, by_name = Folder().load(root), Folder(label="([a-z]+)_[0-9]+").load(root)
    assert tree.classes == by_name.classes == ("angry", "happy", "sad")
    for name, split in tree.splits.items():
        assert (
            np.bincount(split.labels).tolist() == np.bincount(by_name.splits[name].labels).tolist()
        )


def test_two_names_of_one_folder_are_both_walked(tmp_path: Path) -> None:
    (tmp_path / "joy").mkdir()
    (tmp_path / "joy" / "a.png").write_text("")
    (tmp_path / "glad").symlink_to("joy")
    assert names(tmp_path) == ["glad/a.png", "joy/a.png"]


@pytest.mark.parametrize("target", [".", "..", "../..", "../../beside", "/"])
def test_a_link_that_leads_back_is_not_followed(target: str, tmp_path: Path) -> None:
    """Up to the folder, above it, or to one whose own link leads here again."""
    root = tmp_path / "root"
    (root / "a").mkdir(parents=True)
    (tmp_path / "beside").mkdir()
    (tmp_path / "beside" / "here").symlink_to(root)
    (root / "a" / "face.png").write_text("")
    (root / "a" / "loop").symlink_to(target)
    (root / "itself").symlink_to("itself")
    assert names(root) == ["a/face.png", "itself"]


class Whole(Toy):
    """Its source is a folder."""

    def sources(self, root: Path | None) -> list[Path]:
        assert root is not None
        return [root]


def key(root: Path) -> str:
    return signature_of(Whole(), "whole", root)[0]


def test_what_lies_behind_a_link_counts_in_the_signature_and_circles_do_not(tmp_path: Path) -> None:
    root = linked(tmp_path)
    first = key(root)
    (root / "angry" / "loop").symlink_to("..")
    (root / "nowhere").symlink_to("missing")
    (root / "itself").symlink_to("itself")
    os.mkfifo(root / "pipe")
    assert key(root) == first
    (tmp_path / "disk" / "one_more.png").write_text("")
    assert key(root) != first


def test_a_circle_of_links_does_not_stop_a_data_set(tmp_path: Path) -> None:
    root = linked(tmp_path)
    (root / "angry" / "loop").symlink_to("..")
    dataset = Folder(label="([a-z]+)_[0-9]+")
    signature_of(dataset, "folder", root)
    faces = dataset.load(root)
    assert sum(len(split) for split in faces.splits.values()) == 36
    assert not [note for note in faces.notes if "left out" in note]
