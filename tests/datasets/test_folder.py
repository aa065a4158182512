from __future__ import annotations

import shutil
import unicodedata

import numpy as np
import pytest
from made_files import noise, write_tree
from PIL import Image

from lrfer_bench.datasets.folder import Folder
from lrfer_bench.errors import DataError, UserError


@pytest.fixture
def tree(tmp_path):
    """train, val and test with classes glad (bright) and sorry (dark).

    12, 2 and 3 pictures of each; 20 high, 16 wide.
    """
    pictures = {}
    for split, count in (("train", 12), ("val", 2), ("test", 3)):
        for number in range(count):
            seed = 100 * count + number
            pictures[f"{split}/glad/{number}.png"] = 150 + noise(seed, 20, 16) // 4
            pictures[f"{split}/sorry/{number}.bmp"] = noise(seed + 50, 20, 16) // 4
    return write_tree(tmp_path / "tree", pictures)


def test_a_tree_is_read_as_it_is(tree):
    faces = Folder().load(tree).check()
    assert faces.classes == ("glad", "sorry") and faces.size == (20, 16) and faces.channels == 1
    assert [len(faces.splits[name]) for name in ("train", "val", "test")] == [24, 4, 6]
    assert faces.notes == ()
    bright = faces.test.images.mean(axis=(1, 2, 3)) > 100
    np.testing.assert_array_equal(bright, faces.test.labels == 0)
    first = np.asarray(Image.open(tree / "test" / "glad" / "0.png"))
    np.testing.assert_array_equal(faces.test.images[0, 0], first)
    assert set(Folder().sources(tree)) == {tree / "train", tree / "val", tree / "test"}


@pytest.mark.parametrize("ending", ["png", "bmp", "webp", "gif", "tif"])
def test_picture_formats(tree, ending):
    for path in list(tree.glob("*/*/*")):
        picture = Image.open(path).convert("L")
        path.unlink()
        picture.save(
            path.with_suffix(f".{ending.upper()}"),
            **({"lossless": True} if ending == "webp" else {}),
        )
    faces = Folder(colour="grey").load(tree)
    assert len(faces.train) == 24 and faces.train.images[faces.train.labels == 0].mean() > 100


def test_colour(tree):
    Image.fromarray(noise(3, 20, 16, 3)).save(tree / "test" / "glad" / "colour.png")
    auto = Folder().load(tree)
    assert auto.channels == 3
    np.testing.assert_array_equal(auto.test.images[3], noise(3, 20, 16, 3).transpose(2, 0, 1))
    grey = Folder(colour="grey").load(tree)
    assert grey.channels == 1
    luma = noise(3, 20, 16, 3) @ np.array([0.299, 0.587, 0.114])
    assert np.abs(grey.test.images[3, 0] - luma).max() <= 1
    assert Folder(colour="rgb").load(tree).channels == 3


def test_size_resizes_and_says_so(tree):
    Image.open(tree / "train" / "glad" / "0.png").resize((33, 40)).save(
        tree / "train" / "glad" / "0.png"
    )
    faces = Folder(size=24).load(tree)
    assert faces.size == (24, 24)
    assert (
        "Every picture was resized to 24 x 24; one that is not square is stretched." in faces.notes
    )


def test_a_missing_val_is_cut_from_train_and_said(tree):
    shutil.rmtree(tree / "val")
    faces = Folder().load(tree).check()
    assert [len(faces.splits[name]) for name in ("train", "val", "test")] == [22, 2, 6]
    assert sorted(faces.val.labels.tolist()) == [0, 1]
    assert faces.fingerprint() == Folder().load(tree).fingerprint()
    assert any("val" in note and "2 of the 24" in note for note in faces.notes)


def test_valid_and_validation_are_val(tree):
    (tree / "val").rename(tree / "Validation")
    assert len(Folder().load(tree).val) == 4
    shutil.copytree(tree / "Validation", tree / "val")
    with pytest.raises(DataError, match="val and Validation"):
        Folder().load(tree)


def test_files_that_are_no_pictures_are_counted_and_clutter_is_not(tree):
    (tree / "train" / "glad" / "notes.txt").write_text("x")
    (tree / "train" / "glad" / ".hidden").write_text("x")
    (tree / "train" / "glad" / "Thumbs.db").write_text("x")
    faces = Folder().load(tree)
    assert len(faces.train) == 24
    assert (
        len(faces.notes) == 1
        and faces.notes[0].startswith("1 files that are not pictures")
        and "notes.txt" in faces.notes[0]
    )


def test_pictures_that_a_pattern_leaves_out_are_not_called_other_files(tree):
    (tree / "train" / "glad" / "notes.txt").write_text("x")
    notes = Folder(only=r"(?<!glad/0\.png)$").load(tree).notes  # one in each split
    assert len(notes) == 2
    assert notes[0].startswith("3 pictures that the options only and label do not match were left")
    assert notes[1].startswith("1 files that are not pictures") and "notes.txt" in notes[1]


def test_a_folder_beside_the_splits_is_named(tree):
    (tree / "val").rename(tree / "validate")
    notes = Folder().load(tree).notes
    assert "Folders beside train that were not read: validate." in notes


def test_turned_photographs_are_set_upright(tree):
    picture = Image.fromarray(noise(8, 16, 20))
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(tree / "test" / "glad" / "turned.png", exif=exif)
    faces = Folder().load(tree)
    np.testing.assert_array_equal(faces.test.images[3, 0], np.rot90(noise(8, 16, 20), -1))


def test_odd_trees_are_named(tree, tmp_path):
    def fails(message):
        with pytest.raises(DataError, match=message):
            Folder().load(tree)

    extra = tree / "test" / "proud"
    extra.mkdir()
    fails("proud .*empty")
    Image.fromarray(noise(0, 20, 16)).save(extra / "a.png")
    fails('"proud".*glad, sorry')
    shutil.rmtree(extra)
    stray = tree / "test" / "a.png"
    Image.fromarray(noise(0, 20, 16)).save(stray)
    fails(r"test/a\.png")
    stray.unlink()
    (tree / "train" / "glad" / "more").mkdir()
    fails("folder more")
    (tree / "train" / "glad" / "more").rmdir()
    small = tree / "test" / "sorry" / "small.png"
    Image.fromarray(noise(0, 10, 16)).save(small)
    fails(r"small\.png .*16 x 10.*16 x 20.*--data-option size=N")
    for content in (b"", b"no picture", (tree / "test" / "glad" / "0.png").read_bytes()[:200]):
        small.write_bytes(content)
        fails(r"small\.png .*decoded")
    Image.fromarray(np.zeros((20, 16), np.uint16)).save(small)
    fails(r"small\.png .*8 bits")
    small.unlink()
    for folder in (tree / "val").iterdir():
        shutil.rmtree(folder)
    fails("val has no images")
    shutil.rmtree(tree / "val")
    shutil.rmtree(tree / "test")
    fails("no folder test")


def test_wrong_options_and_roots_are_named(tmp_path):
    with pytest.raises(UserError, match=r'size .*"big"'):
        Folder(size="big")
    with pytest.raises(UserError, match=r'colour .*"blue".*auto, grey, rgb'):
        Folder(colour="blue")
    with pytest.raises(DataError, match="--data-root"):
        Folder().sources(None)
    with pytest.raises(DataError, match="nowhere"):
        Folder().sources(tmp_path / "nowhere")


def test_numbers_mean_the_same_class_in_every_split(tmp_path):
    """The test split has nobody of the first class."""
    files = [
        f"{split}/{name}/{number}.png"
        for split, names in (("train", "123"), ("val", "123"), ("test", "23"))
        for name in names
        for number in range(3)
    ]
    pictures = {file: noise(seed, 16, 16) for seed, file in enumerate(files)}
    root = write_tree(tmp_path / "tree", pictures)
    faces = Folder(classes="angry,happy,sad").load(root).check()
    assert np.bincount(faces.test.labels, minlength=3).tolist() == [0, 3, 3]
    assert np.bincount(faces.train.labels, minlength=3).tolist() == [3, 3, 3]
    for number, word in (("2", "Happy"), ("3", "sad")):  # words in one split, numbers in others
        (root / "test" / number).rename(root / "test" / word)
    again = Folder(classes="angry,happy,sad").load(root).check()
    assert np.bincount(again.test.labels, minlength=3).tolist() == [0, 3, 3]


def people_tree(root, names, folders=("happy", "sad")):
    for number, name in enumerate(names):
        for folder in folders:
            for k in range(2):
                picture = noise(100 * number + 10 * len(folder) + k, 9, 9)
                write_tree(root, {f"{folder}/{name}_{k}.png": picture})
    return root


def test_a_name_is_one_person_in_both_forms_of_its_accents(tmp_path):
    names = [f"Zoë{number}" for number in range(12)]
    composed = people_tree(tmp_path / "one", names)
    mixed = people_tree(tmp_path / "two", names, folders=("happy",))
    people_tree(mixed, [unicodedata.normalize("NFD", name) for name in names], folders=("sad",))
    counts = []
    for root in (composed, mixed):
        faces = Folder(size=8, person="([^/]+)_[0-9]").load(root)
        assert "people, nobody in two splits" in " ".join(faces.notes)
        counts.append([len(split) for split in faces.splits.values()])
    assert counts[0] == counts[1] and all(count % 4 == 0 for count in counts[0])


def test_patterns_see_one_form_of_accents(tmp_path):
    """An author who types é as one character means the two of a Mac as well, in all patterns."""
    root = people_tree(tmp_path, ["Zoë1", *(f"S{n}" for n in range(5))], folders=("müde", "sad"))
    people_tree(root, [unicodedata.normalize("NFD", "Zoë2")], folders=("müde", "sad"))
    for picture in list((root / "sad").iterdir()):
        picture.rename(picture.with_name("wü" + picture.name))
    for picture in list((root / "müde").iterdir()):
        picture.rename(picture.with_name(unicodedata.normalize("NFD", "wü") + picture.name))
    faces = Folder(
        size=8,
        label="(mü|sad)",
        person="(Zoë[0-9]|S[0-9])_",
        only=unicodedata.normalize("NFD", "wü"),
    ).load(root)
    assert faces.classes == ("mü", "sad") and "of 4/1/2 people" in " ".join(faces.notes)


def test_the_group_that_took_part_names_the_person_and_the_class(tmp_path):
    people_tree(tmp_path, ["S1", "S2", "P3", "P4", "P5"])
    faces = Folder(size=8, person="/(S[0-9])_|/(P[0-9])_", label="(hap)|(sad)").load(tmp_path)
    assert faces.classes == ("hap", "sad") and "of 3/1/1 people" in " ".join(faces.notes)


def test_people_of_train_in_val_are_told_too(tmp_path):
    for split in ("train", "val", "test"):
        people_tree(
            tmp_path / split, [f"{split}1", f"{split}2", "both"][: 3 if split != "test" else 2]
        )
    faces = Folder(size=8, person="([^/]+)_[0-9]").load(tmp_path)
    (told,) = [note for note in faces.notes if "WARNING" in note]
    assert "1 people stand in train and in val, both first: its scores, by which" in told
