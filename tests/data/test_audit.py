from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from lrfer_bench.contract.faceset import FaceSet, Split
from lrfer_bench.data.audit import audit
from lrfer_bench.data.near import NEAR_FULL, thumbnails


def smooth(rng: np.random.Generator, side: int = 48) -> np.ndarray:
    """A smooth random picture [side, side]: noise is like nothing, faces are smooth."""
    small = rng.integers(0, 256, (7, 7), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize((side, side), Image.Resampling.BICUBIC))


@pytest.fixture
def faces() -> FaceSet:
    """Smooth pictures: 30 train, 10 val, 10 test, two classes in turn."""
    rng = np.random.default_rng(5)
    splits = {}
    for name, count in (("train", 30), ("val", 10), ("test", 10)):
        images = np.stack([smooth(rng) for _ in range(count)])[:, None]
        splits[name] = Split(images, np.arange(count) % 2, rows=np.arange(count) + 1000)
    return FaceSet("toy", ("off", "on"), splits)


def test_nothing_is_found_where_nothing_is(faces):
    summary = audit(faces).summary()
    assert (
        summary["duplicate_groups"] == summary["extra_copies"] == summary["conflicting_groups"] == 0
    )
    assert summary["leaked"] == {"val": 0, "test": 0}
    assert summary["near"] == {"train": 0, "val": 0, "test": 0}
    assert summary["blank_rows"] == summary["near_constant_rows"] == []


def test_exact_copies_within_and_across_splits(faces):
    train, val, test = (faces.splits[name].images for name in ("train", "val", "test"))
    train[4] = train[2]
    train[6] = train[2]
    val[3] = train[2]
    test[5] = train[9]
    test[7] = val[1]
    found = audit(faces)
    summary = found.summary()
    groups = [[(place.split, place.index) for place in group] for group in found.groups]
    assert groups == [
        [("train", 2), ("train", 4), ("train", 6), ("val", 3)],
        [("train", 9), ("test", 5)],
        [("val", 1), ("test", 7)],
    ]
    assert summary["duplicate_groups"] == 3 and summary["extra_copies"] == 5
    assert summary["extra_copies_within"] == {"train": 2, "val": 0, "test": 0}
    assert np.flatnonzero(found.leaked["val"]).tolist() == [3]
    assert np.flatnonzero(found.leaked["test"]).tolist() == [5], "a copy in val is no leak of train"
    assert summary["test_in_val"] == 1
    assert [group[0].index for group in found.conflicting] == [2], (
        "row 2 is off, val 3 is on; 9 and 5, 1 and 7 agree"
    )
    assert found.groups[1][1].row == 1005


def test_blank_and_near_constant_images(faces):
    faces.splits["train"].images[3] = 0
    faces.splits["test"].images[4] = 200
    almost = np.full((48, 48), 9, np.uint8)
    almost[0, 0] = 40
    faces.splits["val"].images[2] = almost
    found = audit(faces)
    assert [(place.split, place.index) for place in found.blank] == [("train", 3), ("test", 4)]
    assert [(place.split, place.index) for place in found.near_constant] == [("val", 2)]
    assert not found.near, "flat images are like anything, so they are left out"


def brighter(image):
    return np.clip(image.astype(float) * 0.8 + 30, 0, 255).astype(np.uint8)


def lettered(image):
    out = image.copy()
    out[22:24, 10:38:2] = 230
    return out


def shifted(image):
    return np.roll(image, 1, axis=0)


@pytest.mark.parametrize("change", [brighter, lettered, shifted])
def test_near_copies_are_found_with_their_source(faces, change):
    faces.splits["test"].images[6, 0] = change(faces.splits["train"].images[11, 0])
    faces.splits["test"].images[8, 0] = change(faces.splits["val"].images[4, 0])
    faces.splits["val"].images[1, 0] = change(faces.splits["train"].images[20, 0])[:, ::-1]
    found = audit(faces)
    pairs = [
        (p.place.split, p.place.index, p.source.split, p.source.index, p.mirrored)
        for p in found.near
    ]
    assert pairs == [
        ("val", 1, "train", 20, True),
        ("test", 6, "train", 11, False),
        ("test", 8, "val", 4, False),
    ]
    for pair in found.near:
        a = faces.splits[pair.place.split].images[pair.place.index, 0].astype(float)
        b = faces.splits[pair.source.split].images[pair.source.index, 0].astype(float)
        expected = np.corrcoef((a[:, ::-1] if pair.mirrored else a).ravel(), b.ravel())[0, 1]
        assert pair.correlation == pytest.approx(expected, abs=1e-4) and expected >= NEAR_FULL
    assert not found.leaked["test"].any(), "near copies are no leaks"


def test_an_exact_copy_is_not_counted_as_near_too(faces):
    faces.splits["test"].images[6] = faces.splits["train"].images[11]
    assert audit(faces).near == ()


def test_the_best_of_many_alike_is_named_and_the_search_is_bounded(faces):
    base = faces.splits["train"].images[0, 0]
    rng = np.random.default_rng(0)
    for index in range(30):
        faces.splits["train"].images[index, 0] = np.clip(
            base + rng.normal(0, 4, base.shape), 0, 255
        )
    faces.splits["test"].images[0, 0] = np.clip(faces.splits["train"].images[17, 0] + 1.0, 0, 255)
    near = {pair.place.index: pair for pair in audit(faces).near if pair.place.split == "test"}
    assert near[0].source.index == 17


@pytest.mark.parametrize(("height", "width"), [(48, 48), (20, 33), (16, 16), (9, 12), (100, 64)])
def test_thumbnails_are_area_means(height, width):
    rng = np.random.default_rng(1)
    images = rng.integers(0, 256, (3, 1, height, width), dtype=np.uint8)
    for thumb, image in zip(thumbnails(images), images, strict=True):
        blown = np.kron(
            image[0].astype(float), np.ones((16, 16))
        )  # every pixel 16 x 16, so that all cuts fall on edges
        expected = blown.reshape(16, height, 16, width).mean(axis=(1, 3)).ravel()
        expected -= expected.mean()
        np.testing.assert_allclose(thumb, expected / np.linalg.norm(expected), atol=1e-5)


def test_colour_faces(faces):
    splits = {
        name: Split(np.repeat(s.images, 3, axis=1), s.labels) for name, s in faces.splits.items()
    }
    splits["test"].images[0] = splits["train"].images[5]
    splits["test"].images[1] = np.clip(splits["train"].images[6] * 0.9 + 10, 0, 255)
    found = audit(FaceSet("toy", ("off", "on"), splits))
    assert np.flatnonzero(found.leaked["test"]).tolist() == [0]
    assert [(pair.place.index, pair.source.index) for pair in found.near] == [(1, 6)]
    assert found.groups[0][0].row == -1
