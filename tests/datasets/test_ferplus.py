from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_files import few_faces, noise, write_csv

from lrfer_bench.datasets import ferplus
from lrfer_bench.datasets.fer2013_rows import Rows
from lrfer_bench.datasets.ferplus import EMOTIONS, FERPlus, check_order, majority
from lrfer_bench.errors import DataError

HEADER = (
    "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
)
USAGES = ("Training", "PublicTest", "PrivateTest")


def votes(**counts: int) -> list[int]:
    return [counts.get(name, 0) for name in (*EMOTIONS, "unknown", "NF")]


@pytest.mark.parametrize(
    ("counts", "stays", "label", "soft"),
    [
        (votes(happiness=10), True, "happiness", {"happiness": 1.0}),
        (votes(neutral=6, sadness=3, fear=1), True, "neutral",
         {"neutral": 6 / 9, "sadness": 3 / 9}),
        (votes(neutral=4, sadness=4, anger=2), False, None, {}),
        (votes(neutral=5, sadness=5), False, None, {}),
        (votes(neutral=3, happiness=1, surprise=1, sadness=1, anger=1, disgust=1, fear=1),
         True, "neutral", {"neutral": 1.0}),
        (votes(NF=8, neutral=2), False, None, {}),
        (votes(unknown=6, neutral=4), False, None, {}),
        (votes(neutral=5, unknown=5), False, None, {}),
        (votes(contempt=6, unknown=4), True, "contempt", {"contempt": 1.0}),
        (votes(neutral=1, happiness=1), False, None, {}),
        (votes(), False, None, {}),
    ],
)  # fmt: skip
def test_the_majority_rule_by_hand(counts, stays, label, soft):
    kept, labels, distribution = majority(np.array([counts], dtype=np.uint8))
    assert kept[0] == stays
    if stays:
        assert EMOTIONS[labels[0]] == label
    expected = [soft.get(name, 0.0) for name in EMOTIONS]
    np.testing.assert_allclose(distribution[0], expected, atol=1e-6)


@pytest.fixture
def joined(tmp_path):
    """fer2013.csv and fer2013new.csv.

    In each split row k has 8 votes for class k, the first 2 more for fear.
    """
    write_csv(tmp_path / "fer2013.csv", few_faces())
    lines = [HEADER]
    for row, usage in enumerate(few_faces()[2]):
        counts = [0] * 10
        counts[row % 7] = 8
        counts[6] += 2 if row % 7 == 0 else 0
        lines.append(f"{USAGES[usage]},fer{row:07d}.png," + ",".join(map(str, counts)))
    (tmp_path / "fer2013new.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_join_by_row(joined):
    faces = FERPlus().load(joined)
    assert faces.classes == (
        "neutral",
        "happiness",
        "surprise",
        "sadness",
        "anger",
        "disgust",
        "fear",
        "contempt",
    )
    assert faces.train.labels.tolist() == [0, 1, 2, 3, 4, 5, 6]
    np.testing.assert_array_equal(faces.val.images[:, 0], few_faces()[0][7:14])
    assert faces.test.rows.tolist() == list(range(14, 21))
    np.testing.assert_allclose(faces.train.soft[0], [0.8, 0, 0, 0, 0, 0, 0.2, 0], atol=1e-6)
    assert set(FERPlus().sources(joined)) == {joined / "fer2013.csv", joined / "fer2013new.csv"}


def test_the_image_name_does_not_matter(joined):
    before = FERPlus().load(joined).fingerprint()
    path = joined / "fer2013new.csv"
    lines = path.read_text().splitlines()
    path.write_text(
        "\n".join(
            [
                lines[0],
                *(",".join([*line.split(",")[:1], "", *line.split(",")[2:]]) for line in lines[1:]),
            ]
        )
    )
    assert FERPlus().load(joined).fingerprint() == before


def test_a_row_without_a_majority_is_left_out(joined):
    path = joined / "fer2013new.csv"
    lines = path.read_text().splitlines()
    lines[3] = "Training,fer0000002.png,5,5,0,0,0,0,0,0,0,0"
    path.write_text("\n".join(lines))
    assert FERPlus().load(joined).train.rows.tolist() == [0, 1, 3, 4, 5, 6]


def test_folders_that_are_not_read_stop_nothing(joined):
    for name in ("labels", "Labels"):  # alone a fault: many systems take them for one
        (joined / name).mkdir()
    assert len(FERPlus().load(joined).train) == 7
    with pytest.raises(DataError, match=r"labels and Labels|Labels and labels"):
        FERPlus(votes="label").load(joined)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: lines[:-1], r"fer2013new\.csv .*20 .*fer2013\.csv .*21"),
        (lambda lines: [*lines, lines[-1]], r"fer2013new\.csv .*22"),
        (lambda lines: [lines[0], lines[8], *lines[2:]],
         r'line 2 \(row 0\) .*"PublicTest".*Training'),
        (lambda lines: [lines[0].replace("contempt", "scorn"), *lines[1:]], '"contempt"'),
        (lambda lines: [*lines[:2], lines[2].replace("8", "many"), *lines[3:]],
         r'line 3 \(row 1\) .*"many".*votes'),
        (lambda lines: [], r"fer2013new\.csv .*empty"),
    ],
)  # fmt: skip
def test_votes_that_do_not_go_with_the_rows_are_named(joined, change, message):
    path = joined / "fer2013new.csv"
    path.write_text("\n".join(change(path.read_text().splitlines())))
    with pytest.raises(DataError, match=message):
        FERPlus().load(joined)


def test_missing_votes_and_a_folder_tree_are_named(joined, tmp_path):
    (joined / "fer2013new.csv").unlink()
    with pytest.raises(DataError, match=r"fer2013new\.csv .*fer2013\.csv"):
        FERPlus().load(joined)
    tree = tmp_path / "tree"
    (tree / "train").mkdir(parents=True)
    (tree / "test").mkdir()
    with pytest.raises(DataError, match="order of the rows"):
        FERPlus().load(tree)


def write_votes(folder, usage, counts):
    """fer2013new.csv with these votes."""
    rows = zip(usage, counts, strict=True)
    lines = [",".join([USAGES[u], "a.png", *map(str, own)]) for u, own in rows]
    (folder / "fer2013new.csv").write_text("\n".join([HEADER, *lines]) + "\n")


AS_VOTED = ["anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"]


def many_rows(emotion):
    """Rows and agreeing votes for a train and a test split of these emotions."""
    usage = np.repeat([0, 2], len(emotion) // 2)
    own = np.array([votes(**{AS_VOTED[each]: 8, "fear": 1}) for each in emotion], dtype=np.uint8)
    images = np.zeros((len(emotion), 48, 48), dtype=np.uint8)
    return Rows(images, np.asarray(emotion), usage), own


@pytest.mark.parametrize("usage", [0, 2])
def test_votes_of_other_faces_are_refused(usage):
    """The rows of one split are sorted anew: every Usage still agrees."""
    rows, own = many_rows(np.random.default_rng(0).integers(0, 7, 2400))
    check_order(rows, own, Path("fer2013.csv"))
    mine = np.flatnonzero(rows.usage == usage)
    own[mine] = own[mine[np.argsort(rows.emotion[mine], kind="stable")]]
    split = ["Training", "", "PrivateTest"][usage]
    with pytest.raises(
        DataError, match=rf"faces of fer2013\.csv: only 1\d % of the labels of {split} agree"
    ):
        check_order(rows, own, Path("fer2013.csv"))


def test_a_file_without_emotions_of_its_own_cannot_be_judged():
    rows, own = many_rows(np.random.default_rng(0).integers(0, 7, 2400))
    check_order(replace(rows, emotion=np.zeros_like(rows.emotion)), own, Path("fer2013.csv"))


def test_load_looks_at_the_order(tmp_path, monkeypatch):
    """With few rows, which are judged here for once."""
    monkeypatch.setattr(ferplus, "FEWEST_TO_JUDGE", 5)
    rng = np.random.default_rng(0)
    emotion, usage = rng.integers(0, 7, 90), np.repeat([0, 1, 2], 30)
    path = write_csv(tmp_path / "fer2013.csv", (noise(1, 90, 48, 48), emotion, usage))
    right = [votes(**{AS_VOTED[each]: 9}) for each in emotion]
    write_votes(tmp_path, usage, right)
    assert len(FERPlus().load(tmp_path).splits["train"]) == 30
    write_votes(tmp_path, usage, right[1:] + right[:1])
    with pytest.raises(DataError, match="labels of Training agree"):
        FERPlus().load(path)
