"""What a loader's FaceSet may hold: arrays of the right kind, one of each an image."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from mistakes import with_label, with_test

from lrfer_bench.contract.faceset import Split
from lrfer_bench.errors import DataError

VOTES = np.eye(2, dtype=np.float32)[[0, 1, 0, 1]]


@pytest.mark.parametrize(
    "labels",
    [
        np.array([[0], [1], [0], [1]]),
        VOTES.astype(int),
        np.array([0.4, 1.4, 0.4, 1.4]),
        np.array([0.0, 1.0, 0.0, 1.0]),
        np.array(["0", "1", "0", "1"]),
        np.array([0, 1, 0, 1], dtype=object),
        np.array(1),
        [0, 1, 0, 1],
        (0, 1, 0, 1),
        None,
    ],
    ids=repr,
)
def test_labels_of_another_kind_are_one_sentence(labels: Any) -> None:
    with pytest.raises(DataError, match=r'^split "test" .*labels .*give .*int64 \[N\]'):
        with_test(labels=labels).check()


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("images", [[0]], "images that are a list"),
        ("images", np.zeros((4, 1, 16, 16)), "images of type float64"),
        ("images", np.zeros((4, 1, 16, 16), np.uint16), "images of type uint16"),
        ("images", np.zeros((4, 16, 16), np.uint8), "images of type uint8"),
        ("images", np.zeros((4, 2, 16, 16), np.uint8), "images of type uint8"),
        ("images", np.zeros((3, 1, 16, 16), np.uint8), "4 labels but 3 images"),
        ("soft", VOTES.tolist(), "soft that are a list"),
        ("soft", VOTES[:, 0], "soft of type float32"),
        ("soft", VOTES.astype(str), "soft of type <U"),
        ("soft", VOTES[:3], "4 labels but 3 soft"),
        ("soft", np.ones((4, 1), np.float32), "votes of another shape"),
        ("rows", [1, 2, 3, 4], "rows that are a list"),
        ("rows", np.array(["a.png", "b.png", "c.png", "d.png"]), "rows of type <U5"),
        ("rows", np.arange(4.0), "rows of type float64"),
        ("rows", np.arange(8).reshape(4, 2), "rows of type int64"),
        ("rows", np.arange(5), "4 labels but 5 rows"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_other_fields_of_another_kind_are_one_sentence(field: str, value: Any, said: str) -> None:
    with pytest.raises(DataError, match=r'^split "test" ') as caught:
        with_test(**{field: value}).check()
    assert said in str(caught.value)


@pytest.mark.parametrize("kind", [np.uint8, np.int32, np.int64, np.uint64, np.bool_])
def test_whole_numbers_of_any_kind_are_labels(kind: type) -> None:
    with_test(labels=np.array([0, 1, 0, 1]).astype(kind), soft=VOTES, rows=np.arange(4)).check()


def test_no_faces_are_said_first() -> None:
    with pytest.raises(DataError, match="has no images"):
        with_test(labels=np.array([]), images=np.zeros((0, 1, 16, 16), np.uint8)).check()


@pytest.mark.parametrize(
    "fields",
    [{"classes": "ab"}, {"classes": (0, 1)}, {"notes": "one sentence"}, {"notes": (3,)}],
    ids=str,
)
def test_one_text_is_not_taken_letter_by_letter(fields: dict[str, Any]) -> None:
    with pytest.raises(DataError, match=f"{next(iter(fields))} .*give a tuple of texts"):
        replace(with_label(1), **fields).check()


def test_a_split_is_a_split() -> None:
    faces = with_label(1)
    pair: Any = (faces.test.images, faces.test.labels)
    with pytest.raises(DataError, match="each a Split"):
        replace(faces, splits={**faces.splits, "val": pair}).check()
    assert "shape ()" in repr(Split([], []))  # type: ignore[arg-type]
