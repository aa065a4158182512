"""The whole of FER2013 and FERPlus, where they are.

Every figure here was counted from the published files.
"""

from __future__ import annotations

import hashlib
import json

import numpy as np

from lrfer_bench.contract.faceset import FaceSet, Split
from lrfer_bench.data.verify import verify
from lrfer_bench.datasets.fer2013 import EMOTIONS, FER2013
from lrfer_bench.datasets.fer2013_rows import Rows, Source
from lrfer_bench.datasets.ferplus import FERPlus, read_votes

IMAGES_SHA256 = "b1e0669f3e34347a47c00b78cf7eac6b1e3f916cf2c74b0d3996186bdcc31827"
BLACK = [6458, 7629, 10423, 11286, 13148, 13402, 13988, 15894, 22198, 22927, 28601, 30002]


def test_fer2013_is_read_pixel_for_pixel(real_fer2013, real_rows):
    faces = real_fer2013.faces
    images, emotion, usage, *_ = real_rows
    assert hashlib.sha256(images.tobytes()).hexdigest() == IMAGES_SHA256
    labels = np.concatenate([split.labels for split in (faces.train, faces.val, faces.test)])
    np.testing.assert_array_equal(labels, emotion)
    assert [len(faces.splits[name]) for name in ("train", "val", "test")] == np.bincount(
        usage
    ).tolist()
    assert real_fer2013.fingerprint == FER2013.card.fingerprint


def test_fer2013_is_what_its_card_says_and_the_audit_finds_its_blemishes(real_fer2013, shared_data):
    result = verify(real_fer2013, FER2013.card)
    assert result.ok and result.states_counts, [check for check in result.checks if not check.ok]
    summary = result.audit.summary()
    assert summary["leaked"] == {"val": 280, "test": 288}
    assert (
        summary["duplicate_groups"],
        summary["extra_copies"],
        summary["conflicting_groups"],
    ) == (1516, 1853, 57)
    assert summary["blank_rows"] == BLACK
    assert summary["near_constant_rows"] == [2171, 29447]
    published = json.loads((shared_data / "fer2013_duplicates.json").read_text())[
        "exact_duplicate_groups"
    ]
    mine = sorted(sorted(place.row for place in group) for group in result.audit.groups)
    assert mine == sorted(sorted(group) for group in published)
    assert 100 <= summary["near"]["val"] <= 200 and 100 <= summary["near"]["test"] <= 250


def test_prepared_masks_are_the_audits(real_fer2013):
    faces = real_fer2013.faces
    assert {name: int(mask.sum()) for name, mask in faces.leaked.items()} == {
        "val": 280,
        "test": 288,
    }
    train = {image.tobytes() for image in faces.train.images}
    expected = [image.tobytes() in train for image in faces.test.images]
    np.testing.assert_array_equal(faces.leaked["test"], expected)


def test_a_sample_written_as_csv_and_icml_is_the_same_rows(tmp_path, write_real, real_rows):
    images, emotion, usage, *_ = real_rows
    rows = np.arange(0, len(images), len(images) // 350)
    parts = [rows[usage[rows] == number] for number in range(3)]
    splits = {
        name: Split(images[part][:, None], emotion[part].astype(np.int64))
        for name, part in zip(("train", "val", "test"), parts, strict=True)
    }
    expected = FaceSet("fer2013", EMOTIONS, splits).fingerprint()
    for form, name in (("csv", "fer2013.csv"), ("icml", "icml_face_data.csv")):
        assert FER2013().load(write_real(tmp_path / name, form, 350)).fingerprint() == expected


def test_a_sample_written_as_folders_keeps_every_picture(tmp_path, write_real, real_rows):
    images, _, usage, *_ = real_rows
    rows = np.arange(0, len(images), len(images) // 350)
    faces = FER2013().load(write_real(tmp_path / "tree", "folders", 350)).check()
    assert any("no PublicTest/PrivateTest split" in note for note in faces.notes)
    assert {i.tobytes() for i in faces.test.images} == {
        i.tobytes() for i in images[rows[usage[rows] > 0]]
    }
    mine = {image.tobytes() for split in (faces.train, faces.val) for image in split.images}
    assert mine == {i.tobytes() for i in images[rows[usage[rows] == 0]]}


def test_ferplus_follows_the_majority_rule(real_ferplus):
    result = verify(real_ferplus, FERPlus.card, near=False)
    assert result.ok, [check for check in result.checks if not check.ok]
    faces = real_ferplus.faces
    assert [len(faces.splits[name]) for name in ("train", "val", "test")] == [25_060, 3_199, 3_153]
    assert result.audit.summary()["leaked"] == {"val": 251, "test": 259}
    assert not result.audit.conflicting and not result.audit.blank
    for split in faces.splits.values():
        np.testing.assert_allclose(split.soft.sum(axis=1), 1, atol=1e-6)
        np.testing.assert_array_equal(split.soft.argmax(axis=1), split.labels)
        assert (split.soft[np.arange(len(split)), split.labels] > 0.5).all()


def test_the_published_votes_are_those_of_the_archive(shared_data, real_rows):
    images, emotion, usage, *_ = real_rows
    rows = Rows(images, emotion, usage)
    votes = read_votes(
        shared_data / "fer2013new.csv", rows, Source("npz", (shared_data / "fer2013.npz",))
    )
    with np.load(shared_data / "fer2013.npz") as z:
        np.testing.assert_array_equal(votes, z["ferplus_votes"])
