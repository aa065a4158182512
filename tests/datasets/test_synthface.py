"""SynthFace as shipped: counts, balance, fingerprint.

Its own renderer makes it again byte for byte.
"""

from __future__ import annotations

import numpy as np
import pytest

from lrfer_bench.datasets.synthface import SynthFace
from lrfer_bench.datasets.synthface_render import shipped
from lrfer_bench.datasets.synthface_render.generate import CYCLE, faces
from lrfer_bench.errors import DataError


@pytest.fixture(scope="module")
def loaded():
    return SynthFace().load(None)


def test_it_has_the_promised_size_and_balance(loaded):
    assert loaded.classes == ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    assert loaded.synthetic and loaded.channels == 1 and loaded.size == (48, 48)
    for name, each in (("train", 600), ("val", 100), ("test", 200)):
        split = loaded.splits[name]
        assert split.images.dtype == np.uint8 and split.images.shape == (7 * each, 1, 48, 48)
        assert np.bincount(split.labels).tolist() == [each] * 7


def test_the_card_knows_the_shipped_set(loaded):
    card = SynthFace.card
    assert card.fingerprint == loaded.fingerprint()
    described = loaded.describe()
    assert dict(card.counts) == described["counts"]
    assert dict(card.class_counts) == described["class_counts"]
    assert card.classes == loaded.classes
    assert card.synthetic and card.showable and not SynthFace.needs_root
    assert "real" in " ".join(card.notes) and "synthetic" in " ".join(card.notes)


def test_the_package_data_is_small_and_brings_its_licence():
    folder = shipped.PATH.parent
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 8_000_000
    assert "CC0 1.0" in (folder / "CC0_MPFB2_LICENSE.md").read_text(encoding="utf-8")
    assert all(path.is_file() for path in SynthFace().sources(None))


def test_nobody_is_in_two_splits():
    people = {
        name: {face.identity for face in shipped.shipped_faces(name)}
        for name in ("train", "val", "test")
    }
    assert [len(people[name]) for name in ("train", "val", "test")] == [300, 50, 100]
    assert not people["train"] & people["val"] and not people["test"] & (
        people["train"] | people["val"]
    )


def test_more_identities_never_move_one():
    few, many = list(faces(0, 10)), list(faces(0, 30))
    assert many[: len(few)] == few
    assert {face.split for face in few[:14]} == {"train"} and len(CYCLE) == 9


def test_no_picture_is_shipped_twice(loaded):
    pictures = [image.tobytes() for split in loaded.splits.values() for image in split.images]
    assert len(set(pictures)) == len(pictures) == 6300


def test_pictures_use_the_grey_scale(loaded):
    images = loaded.test.images.astype(np.float64)
    assert 70 < images.mean() < 170
    assert (images.std(axis=(1, 2, 3)) > 8).all()


def test_a_sample_is_rendered_again_byte_for_byte(loaded):
    if shipped.canary() != shipped.shipped_canary():
        pytest.skip(
            "numpy rounds differently on this machine than on the one that made the shipped set"
        )
    for name, rows in (("train", (0, 1234, 4199)), ("val", (3, 350)), ("test", (7, 700, 1399))):
        split, wanted = loaded.splits[name], shipped.shipped_faces(name)
        for row in rows:
            np.testing.assert_array_equal(
                wanted[row].render(), split.images[row], err_msg=f"{name} {row}"
            )


def test_it_is_nearly_the_same_on_any_platform(loaded):
    face = shipped.shipped_faces("test")[42]
    apart = np.abs(face.render().astype(int) - loaded.test.images[42].astype(int))
    assert (apart > 3).mean() < 0.01


def test_a_damaged_file_is_one_sentence(tmp_path):
    whole = shipped.PATH.read_bytes()
    cut = tmp_path / "cut.npz"
    cut.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"cut\.npz"):
        shipped.unpack(cut)
    with pytest.raises(DataError, match="install lrfer-bench"):
        shipped.unpack(tmp_path / "none.npz")


def test_packing_loses_nothing(tmp_path):
    images = {name: np.stack([image[0] for image in SynthFace().load(None).splits[name].images])
              for name in ("train", "val", "test")}  # fmt: skip
    path = tmp_path / "again.npz"
    path.write_bytes(shipped.pack(images, shipped.canary()))
    again = shipped.unpack(path)
    assert shipped.shipped_canary(path) == shipped.canary()
    for name, stack in images.items():
        np.testing.assert_array_equal(again[name].images[:, 0], stack)
