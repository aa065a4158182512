"""Names that look alike: accents in two forms (macOS writes one, all others the other), and case.

Where the file system keeps both forms apart they are two files.
"""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from layouts import affectnet_lists, expw, face, labels_of, raf_official
from made_files import write_tree

from lrfer_bench.data.listing import Named
from lrfer_bench.datasets.affectnet import AffectNet
from lrfer_bench.datasets.expw import ExpW
from lrfer_bench.datasets.folder import Folder
from lrfer_bench.datasets.rafdb import RAFDB
from lrfer_bench.errors import DataError

NFC, NFD = (unicodedata.normalize(form, "é") for form in ("NFC", "NFD"))


@pytest.fixture(autouse=True)
def forms_are_kept_apart(tmp_path: Path) -> None:
    (tmp_path / NFC).touch()
    if (tmp_path / NFD).exists():
        pytest.skip("this file system takes both forms of é for one name")
    (tmp_path / NFC).unlink()


def rename(folder: Path, old: str, new: str) -> None:
    """Files whose names hold old, called new."""
    found = [path for path in folder.rglob("*.jpg") if old in path.name]
    assert found
    for path in found:
        path.rename(path.with_name(path.name.replace(old, new)))


def rewrite(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(("listed", "on_disk"), [(NFC, NFD), (NFD, NFC)])
def test_a_list_in_one_form_finds_pictures_in_the_other(
    tmp_path: Path, listed: str, on_disk: str
) -> None:
    root = expw(tmp_path / "expw")
    rename(root, "actor_3", f"actric{on_disk}_3")
    rewrite(root / "data" / "label" / "label.lst", "actor_3", f"actric{listed}_3")
    faces = ExpW(size=16).load(root)
    assert sum(len(split) for split in faces.splits.values()) == 84
    assert (labels_of(faces.train.images) == faces.train.labels).all()

    root = affectnet_lists(tmp_path / "affectnet")
    rename(root, "000", f"0{on_disk}0")
    rewrite(root / "Manually_Annotated_file_lists" / "training.csv", "/000", f"/0{listed}0")
    assert len(AffectNet(size=16).load(root).train) == 80

    (tmp_path / "raf").mkdir()
    root = raf_official(tmp_path / "raf")
    rename(root, "train_006", f"train_{on_disk}06")
    listing = root / "basic" / "EmoLabel" / "list_patition_label.txt"
    rewrite(listing, "train_006", f"train_{listed}06")
    assert len(RAFDB().load(root).train) == 56


def test_both_forms_in_one_folder_are_two_files(tmp_path: Path) -> None:
    for name in (NFC, NFD):
        (tmp_path / f"{name}.png").touch()
    file = Named(tmp_path)
    assert file(f"{NFC}.png") != file(f"{NFD}.png")
    assert file("missing.png") == tmp_path / "missing.png"
    for name in (NFC + NFD, NFD + NFC):
        (tmp_path / f"{name}.png").touch()
    with pytest.raises(DataError, match="how their accents are written"):
        file(f"{NFC + NFC}.png")


def test_pictures_that_differ_by_form_only_are_both_read(tmp_path: Path) -> None:
    for split, start in (("train", 0), ("val", 10), ("test", 20)):
        for label, name in enumerate(("calm", "upset")):
            for n, form in enumerate((NFC, NFD)):
                write_tree(tmp_path, {f"{split}/{name}/{form}.png": face(label, start + n)})
    assert [len(split) for split in Folder().load(tmp_path).splits.values()] == [4, 4, 4]


@pytest.mark.parametrize(
    ("one", "other", "word"),
    [(NFC, NFD, "NFC and NFD"), ("happy", "Happy", "many systems take for one")],
)
def test_class_folders_that_differ_by_form_or_case_only_are_refused(
    tmp_path: Path, one: str, other: str, word: str
) -> None:
    for split, start in (("train", 0), ("test", 10)):
        for label, name in enumerate((one, other, "sad")):
            write_tree(tmp_path, {f"{split}/{name}/a.png": face(label, start)})
    with pytest.raises(DataError, match=word):
        Folder().load(tmp_path)


def test_split_folders_that_differ_by_case_only_are_refused(tmp_path: Path) -> None:
    for split in ("train", "Train", "test"):
        write_tree(tmp_path, {f"{split}/sad/a.png": face(0, 1), f"{split}/happy/a.png": face(1, 2)})
    with pytest.raises(DataError, match="both Train and train"):
        Folder().load(tmp_path)
