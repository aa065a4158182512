from __future__ import annotations

import numpy as np
import pytest
from made_files import noise, write_tree

from lrfer_bench.data import reading
from lrfer_bench.data.cache import prepare
from lrfer_bench.datasets.expw import EXPRESSIONS, ExpW, Face, split_of, square
from lrfer_bench.errors import DataError, UserError

PICTURES = 60


def line(picture, face=0, box=(10, 20, 40, 40), confidence=50.0, label=3):
    top, left, right, bottom = box
    return f"{picture} {face} {top} {left} {right} {bottom} {confidence} {label}"


@pytest.fixture
def expw(tmp_path):
    """60 pictures of 80 x 60 with two faces each.

    Left half red (first face), right half green (second).
    """
    halves = np.zeros((60, 80, 3), np.uint8)
    halves[:, :40, 0] = 200
    halves[:, 40:, 1] = 200
    write_tree(tmp_path, {f"origin/some_person_{i}.png": halves for i in range(PICTURES)})
    lines = []
    for i in range(PICTURES):
        lines.append(line(f"some_person_{i}.png", 0, (10, 5, 25, 30), 60, i % 7))
        lines.append(line(f"some_person_{i}.png", 1, (10, 50, 70, 30), 20, (i + 1) % 7))
    (tmp_path / "label.lst").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_faces_are_cut_by_their_boxes_and_split_by_picture(expw):
    faces = ExpW(size=16).load(expw).check()
    assert (
        faces.classes
        == EXPRESSIONS
        == ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    )
    assert sum(len(split) for split in faces.splits.values()) == 2 * PICTURES
    of_picture: dict[int, set[str]] = {}
    for name, split in faces.splits.items():
        assert split.images.shape[1:] == (3, 16, 16)
        for image, label, row in zip(split.images, split.labels, split.rows, strict=True):
            assert label == (row // 2 + row % 2) % 7
            assert (
                (image[row % 2] == 200).all()
                and (image[1 - row % 2] == 0).all()
                and (image[2] == 0).all()
            )
            of_picture.setdefault(row // 2, set()).add(name)
        assert (np.diff(split.rows) > 0).all()
    assert all(len(names) == 1 for names in of_picture.values())
    assert any("no official split" in note for note in faces.notes)


def test_the_split_is_80_10_10_and_knows_names_only():
    names = [f"happy_child_{i}.jpg" for i in range(4000)]
    shares = {
        split: sum(split_of(name) == split for name in names) / 4000
        for split in ("train", "val", "test")
    }
    assert shares["train"] == pytest.approx(0.8, abs=0.02)
    assert shares["val"] == pytest.approx(0.1, abs=0.02)
    assert split_of("angry_actor_104.jpg") == "train", (
        "fixed for good: a changed split makes records incomparable"
    )


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((10, 20, 50, 40), (20, 10, 50, 40)),
        ((10, 20, 40, 40), (15, 10, 45, 40)),
        ((0, 0, 40, 10), (0, 0, 40, 40)),
        ((30, 60, 90, 70), (40, 20, 80, 60)),
        ((-5, -10, 100, 90), (15, 0, 75, 60)),
    ],
)
def test_boxes_are_made_square_and_moved_inside(box, expected):
    top, left, right, bottom = box
    assert square(Face(0, "", top, left, right, bottom, 1.0, 0), 80, 60) == expected


def test_a_box_that_is_square_already_is_cut_to_the_pixel(tmp_path):
    picture = noise(1, 60, 80, 3)
    names = [f"p{i}.png" for i in range(40)]
    write_tree(tmp_path, {f"origin/{name}": picture for name in names})
    lines = [line(name, 0, (10, 20, 50, 40), 9, i % 7) for i, name in enumerate(names)]
    (tmp_path / "label.lst").write_text("\n".join(lines))
    faces = ExpW(size=30).load(tmp_path)
    np.testing.assert_array_equal(faces.test.images[0].transpose(1, 2, 0), picture[10:40, 20:50])


def test_min_confidence_leaves_faces_out_and_says_so(expw):
    faces = ExpW(size=8, min_confidence=20.5).load(expw)
    assert sum(len(split) for split in faces.splits.values()) == PICTURES
    assert any(
        "60 faces with a confidence below 20.5 were left out" in note for note in faces.notes
    )


def test_an_empty_box_is_left_out_and_said(expw):
    path = expw / "label.lst"
    path.write_text(line("some_person_0.png", 2, (10, 20, 20, 40)) + "\n" + path.read_text())
    faces = ExpW(size=8).load(expw)
    assert any(
        "1 faces with an empty box were left out, line 1 first" in note for note in faces.notes
    )


def test_other_layouts_are_found(expw, tmp_path):
    other = tmp_path / "other" / "data"
    (other / "label").mkdir(parents=True)
    (other / "image").mkdir()
    (expw / "label.lst").rename(other / "label" / "label.lst")
    (expw / "origin").rename(other / "image" / "origin")
    assert ExpW().sources(tmp_path / "other") == (
        other / "label" / "label.lst",
        other / "image" / "origin",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (line("some_person_1.png", label=7), 'line 4 .*"7".*0 to 6'),
        (line("some_person_1.png", label="sad"), 'line 4 .*"sad"'),
        ("some_person_1.png 0 10 20", "line 4 .*4 fields"),
        (line("some_person_1.png", box=("x", 1, 2, 3)), "line 4 .*box"),
        (line("nobody.png"), r"nobody\.png"),
    ],
)
def test_a_wrong_line_is_named(expw, text, message):
    path = expw / "label.lst"
    lines = path.read_text().splitlines()
    lines[3] = text
    path.write_text("\n".join(lines))
    with pytest.raises(DataError, match=message):
        ExpW(size=8).load(expw)


def test_damaged_copies_and_wrong_options_are_named(expw, tmp_path):
    (expw / "origin" / "some_person_5.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"some_person_5\.png .*decoded"):
        ExpW(size=8).load(expw)
    with pytest.raises(DataError, match="no face"):
        ExpW(size=8, min_confidence=1000).load(expw)
    (expw / "label.lst").write_text("")
    with pytest.raises(DataError, match=r"label\.lst .*empty"):
        ExpW(size=8).load(expw)
    with pytest.raises(UserError, match="min_confidence"):
        ExpW(min_confidence="high")
    with pytest.raises(UserError, match="size"):
        ExpW(size=None)
    with pytest.raises(DataError, match=r"label\.lst and origin/"):
        ExpW().sources(tmp_path / "nowhere")
    with pytest.raises(DataError, match="--data-root"):
        ExpW().sources(None)
    (expw / "origin").rename(expw / "elsewhere")
    with pytest.raises(DataError, match=r"origin\.7z"):
        ExpW().sources(expw)


def test_all_broken_pictures_are_named_at_once(expw):
    for number in range(12):  # each holds two faces, and is one picture all the same
        (expw / "origin" / f"some_person_{number}.png").write_bytes(b"no picture")
    with pytest.raises(DataError) as caught:
        ExpW(size=8).load(expw)
    text = str(caught.value)
    assert "12 pictures cannot be used" in text and "and 2 more" in text
    assert text.count("cannot be decoded") == 10


def test_faces_go_into_a_file_where_they_are_many(expw, tmp_path, monkeypatch):
    plain = ExpW(size=16).load(expw)
    monkeypatch.setattr(reading, "IN_MEMORY", 100)
    prepared = prepare(ExpW(size=16), "expw", expw, cache=tmp_path / "cache")
    assert prepared.fingerprint == plain.fingerprint()
    with reading.reading(tmp_path / "parent"):
        faces = ExpW(size=16).load(expw)
        assert all(isinstance(split.images, np.memmap) for split in faces.splits.values())
        np.testing.assert_array_equal(faces.val.images, plain.val.images)


def test_no_advice_moves_a_box(expw, monkeypatch):
    """A picture of another size would have its face elsewhere."""
    monkeypatch.setattr("lrfer_bench.data.images.MOST_PIXELS", 100)
    with pytest.raises(DataError, match="copy it as published, or take its lines"):
        ExpW(size=8).load(expw)
