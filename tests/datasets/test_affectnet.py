"""AffectNet's first release: what its lists may hold, and what is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from layouts import affectnet, affectnet_lists, labels_of

from lrfer_bench.datasets.affectnet import AffectNet
from lrfer_bench.datasets.affectnet_lists import Fixed
from lrfer_bench.errors import DataError, UserError

LISTS = "Manually_Annotated_file_lists"


def test_codes_without_an_expression_and_boxes_are_counted(tmp_path: Path) -> None:
    faces = AffectNet(size=16).load(affectnet_lists(tmp_path)).check()
    notes = " ".join(faces.notes)
    assert "4 faces of other classes" in notes  # 8 none and 10 no face, in either list
    assert "2 faces without a box" in notes
    assert (labels_of(faces.test.images) == faces.test.labels).all()
    seven = AffectNet(size=16, classes=7).load(tmp_path)
    assert "contempt" not in seven.classes and "17 faces of other classes" in " ".join(seven.notes)


def test_clutter_of_macos_is_no_picture(tmp_path: Path) -> None:
    wanted = AffectNet(size=16).load(affectnet(tmp_path)).fingerprint()
    (tmp_path / "train_set" / "images" / "._0.jpg").write_bytes(b"\0\5\x16\7")
    assert AffectNet(size=16).load(tmp_path).fingerprint() == wanted


@pytest.mark.parametrize("classes", [7.0, True, "7", 9])
def test_other_numbers_of_classes_are_a_sentence(classes: object) -> None:
    with pytest.raises(UserError, match="give 7 or 8"):
        AffectNet(classes=classes)  # type: ignore[arg-type]


def test_columns_are_found_by_their_names(tmp_path: Path) -> None:
    wanted = AffectNet(size=16).load(affectnet_lists(tmp_path)).fingerprint()
    path = tmp_path / LISTS / "training.csv"
    rows = [line.split(",") for line in path.read_text().splitlines()]
    turned = [",".join([row[6], *row[:6], *row[7:]]) for row in rows]
    path.write_text("\ufeff" + "\r\n".join(turned), encoding="utf-8")
    with pytest.raises(DataError, match=r"training\.csv, line 1"):
        AffectNet(size=16).load(tmp_path)  # the head is known by its first name
    path.write_text("\ufeff" + "\r\n".join(",".join(row) for row in rows), encoding="utf-8")
    assert AffectNet(size=16).load(tmp_path).fingerprint() == wanted


def test_a_box_is_cut_at_the_edge_of_its_picture() -> None:
    assert Fixed(-3, 5, 10, 20)(40, 15) == (0, 5, 7, 15)
    assert Fixed(50, 5, 10, 20)(40, 15) == (0, 0, 40, 15)


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        (",10,0,30,30,", ",ten,0,30,30,", "line 2 has a box"),
        (",0,0.1,", ",11,0.1,", 'line 2 has expression "11"'),
        (",10,0,30,30,1.5;2.0,0,0.1,-0.2", "", "line 2 has no face_x"),
        ("face_width", "width", "no column face_width"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, old: str, new: str, word: str) -> None:
    path = affectnet_lists(tmp_path) / LISTS / "training.csv"
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(DataError, match=word):
        AffectNet(size=16).load(tmp_path)


def test_lists_without_pictures_are_named_and_todays_layout_goes_first(tmp_path: Path) -> None:
    affectnet_lists(tmp_path)
    (tmp_path / "Manually_Annotated").rename(tmp_path / "elsewhere")
    with pytest.raises(DataError, match=r"no folder .*Manually_Annotated_Images"):
        AffectNet().sources(tmp_path)
    affectnet(tmp_path)
    assert [path.name for path in AffectNet().sources(tmp_path)] == ["train_set", "val_set"]
