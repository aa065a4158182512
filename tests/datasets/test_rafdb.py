from __future__ import annotations

import numpy as np
import pytest
from made_files import noise, write_tree
from PIL import Image

from lrfer_bench.datasets.rafdb import EXPRESSIONS, ORDERS, RAFDB
from lrfer_bench.errors import DataError, UserError

TRAIN, TEST = 70, 14


@pytest.fixture
def rafdb(tmp_path):
    """The official layout with 10 training and 2 test pictures of each class.

    File labels are 1..7 in turn.
    """
    lines, pictures = [], {}
    for split, count in (("train", TRAIN), ("test", TEST)):
        for number in range(1, count + 1):
            label = (number - 1) % 7 + 1
            lines.append(f"{split}_{number:05d}.jpg {label}")
            colour = np.zeros((20, 20, 3), np.uint8)
            colour[..., 0] = label * 30
            pictures[f"basic/Image/aligned/{split}_{number:05d}_aligned.jpg"] = colour
    write_tree(tmp_path, pictures)
    path = tmp_path / "basic" / "EmoLabel" / "list_patition_label.txt"
    path.parent.mkdir()
    path.write_text("\n".join(lines) + "\n")
    return tmp_path


def test_labels_pictures_and_the_validation_cut(rafdb):
    faces = RAFDB().load(rafdb).check()
    assert (
        faces.classes
        == ("surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral")
        == EXPRESSIONS
    )
    assert [len(faces.splits[name]) for name in ("train", "val", "test")] == [63, 7, 14]
    assert sorted(faces.val.labels.tolist()) == list(range(7)), "one in ten of each class"
    for split in faces.splits.values():
        red = split.images[:, 0].mean(axis=(1, 2))
        np.testing.assert_allclose(red, (split.labels + 1) * 30, atol=2)
        np.testing.assert_array_equal(split.rows % 7, split.labels)
    assert set(faces.train.rows) | set(faces.val.rows) == set(range(TRAIN))
    assert any("no validation split: 7 of the 70 training images" in note for note in faces.notes)


def test_the_cut_depends_on_file_names_only(rafdb):
    before = RAFDB().load(rafdb).val.rows
    path = rafdb / "basic" / "EmoLabel" / "list_patition_label.txt"
    path.write_text("\n".join(reversed(path.read_text().splitlines())) + "\n")
    after = RAFDB().load(rafdb / "basic").val.rows
    assert sorted(TRAIN + TEST - 1 - after) == sorted(before)


def test_size(rafdb):
    assert RAFDB(size=8).load(rafdb).size == (8, 8)
    with pytest.raises(UserError, match=r'size .*"0"'):
        RAFDB(size=0)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("train_00003.jpg 8", 'line 3 .*"8".*1 to 7'),
        ("train_00003.jpg 0", 'line 3 .*"0"'),
        ("train_00003.jpg happy", 'line 3 .*"happy"'),
        ("train_00003.jpg", r'line 3 .*"train_00003\.jpg"'),
        ("valid_00003.jpg 3", "line 3 "),
        ("train_99999.jpg 3", r"train_99999_aligned\.jpg"),
    ],
)
def test_a_wrong_line_is_named(rafdb, line, message):
    path = rafdb / "basic" / "EmoLabel" / "list_patition_label.txt"
    lines = path.read_text().splitlines()
    lines[2] = line
    path.write_text("\n".join(lines))
    with pytest.raises(DataError, match=message):
        RAFDB().load(rafdb)


def test_damaged_copies_are_named(rafdb):
    picture = rafdb / "basic" / "Image" / "aligned" / "test_00004_aligned.jpg"
    whole = picture.read_bytes()
    picture.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"test_00004_aligned\.jpg .*decoded"):
        RAFDB().load(rafdb)
    Image.fromarray(noise(0, 30, 20, 3)).save(picture)
    with pytest.raises(DataError, match=r"test_00004_aligned\.jpg .*20 x 30.*20 x 20"):
        RAFDB().load(rafdb)
    path = rafdb / "basic" / "EmoLabel" / "list_patition_label.txt"
    lines = path.read_text()
    path.write_text("\n".join(line for line in lines.splitlines() if line.startswith("train")))
    with pytest.raises(DataError, match="picture for test"):
        RAFDB().load(rafdb)
    path.write_text("")
    with pytest.raises(DataError, match=r"list_patition_label\.txt .*empty"):
        RAFDB().load(rafdb)


def test_a_wrong_root_is_named(tmp_path):
    with pytest.raises(DataError, match="--data-root"):
        RAFDB().sources(None)
    with pytest.raises(DataError, match=r"basic/EmoLabel/list_patition_label\.txt"):
        RAFDB().sources(tmp_path)
    (tmp_path / "EmoLabel").mkdir()
    (tmp_path / "EmoLabel" / "list_patition_label.txt").write_text("")
    with pytest.raises(DataError, match=r"aligned\.zip"):
        RAFDB().sources(tmp_path)


@pytest.mark.parametrize("lacking", ["test", "val"])
def test_a_split_without_the_first_class_counts_as_the_others_do(tmp_path, lacking):
    """Each class has pictures of a brightness of its own; folders are EfficientFace's, from 0."""
    names = ORDERS["efficientface"]
    pictures, number = {}, 0
    for split in ("train", "val", "test"):
        part = "test" if split == "test" else "train"
        for folder in range(split == lacking, 7):
            for _ in range(12):
                number += 1
                colour = np.full((8, 8, 3), 30 * (EXPRESSIONS.index(names[folder]) + 1), np.uint8)
                colour.reshape(-1)[0] = number % 256
                pictures[f"{split}/{folder}/{part}_{number:05d}_aligned.png"] = colour
    write_tree(tmp_path, pictures)
    faces = RAFDB(order="efficientface").load(tmp_path).check()
    for split in faces.splits.values():
        brightness = np.median(split.images, axis=(1, 2, 3))
        np.testing.assert_array_equal(brightness, 30 * (split.labels + 1))
