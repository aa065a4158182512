from __future__ import annotations

import json

import numpy as np
import pytest
from toy import Toy, toy_faces

from lrfer_bench.contract.cards import DatasetCard
from lrfer_bench.data.cache import open_prepared, prepare
from lrfer_bench.data.verify import verify


@pytest.fixture
def prepared(root, tmp_path):
    return prepare(Toy(), "toy", root, cache=tmp_path)


def right_card(prepared, **changes):
    fields = {
        "summary": "toy",
        "classes": ("off", "on"),
        "counts": {"train": 12, "val": 6, "test": 4},
        "class_counts": {"train": [6, 6], "val": [3, 3], "test": [2, 2]},
        "leaked": {"val": 0, "test": 0},
        "fingerprint": prepared.fingerprint,
    }
    return DatasetCard(**{**fields, **changes})


def test_a_right_copy_passes(prepared):
    result = verify(prepared, right_card(prepared))
    assert result.ok and result.states_counts and len(result.checks) == 13
    assert json.loads(json.dumps(result.to_json()))["ok"] is True


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"counts": {"train": 13, "val": 6, "test": 4}}, ["train images"]),
        ({"class_counts": {"test": [1, 3]}}, ["test images of each class"]),
        ({"leaked": {"test": 2}}, ["test images that stand in train"]),
        ({"fingerprint": "0" * 64}, ["fingerprint"]),
        ({"classes": ("on", "off")}, ["classes"]),
    ],
)
def test_a_difference_is_named(prepared, changes, wrong):
    result = verify(prepared, right_card(prepared, **changes), near=False)
    assert not result.ok
    assert [check.what for check in result.checks if not check.ok] == wrong
    assert result.audit.near is None


def test_a_flipped_byte_in_the_cache_is_found(prepared):
    path = prepared.directory / "test.images.npy"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    result = verify(open_prepared(prepared.directory), right_card(prepared), near=False)
    assert [check.what for check in result.checks if not check.ok] == ["cached bytes"]


def test_a_card_without_counts_says_so(prepared):
    result = verify(prepared, DatasetCard(summary="folder"))
    assert result.ok and not result.states_counts


def test_json_names_the_rows_behind_the_counts(root, tmp_path, monkeypatch):
    faces = toy_faces(4)
    faces.splits["test"].images[2] = faces.splits["train"].images[3]
    monkeypatch.setattr(Toy, "load", lambda self, root: faces)
    result = verify(prepare(Toy(), "toy", root, cache=tmp_path), DatasetCard(summary="toy"))
    report = result.to_json()
    assert report["leaked"] == {"val": [], "test": [2]}
    assert [(place["split"], place["row"]) for place in report["conflicting"][0]] == [
        ("train", 103),
        ("test", 102),
    ]
    np.testing.assert_equal(report["counts"], {"train": 12, "val": 6, "test": 4})
