"""A bit that turned in the cache enters no result: it is noticed, told, and made anew."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import registries
from toy import Toy

from lrfer_bench.contract.condition import Condition
from lrfer_bench.data import sums
from lrfer_bench.data.cache import prepare
from lrfer_bench.data.lowres import lr_images
from lrfer_bench.data.prepared import Prepared
from lrfer_bench.errors import MachineError
from lrfer_bench.keys import SEAL
from lrfer_bench.plugins.loading import load_plugin

ARRAYS = ["test.images.npy", "val.labels.npy", "train.rows.npy", "train.soft.npy",
          "test.leaked.npy", "val.leaked.npy"]  # fmt: skip
X2 = Condition("bicubic@1", (2,))


def prepared(root: Path, cache: Path) -> Prepared:
    return prepare(Toy(soft=True), "toy", root, cache=cache)


def content(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def turn(path: Path, at: int, bit: int = 0) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1 << bit
    path.write_bytes(data)


@pytest.mark.parametrize("name", ARRAYS)
def test_a_turned_bit_is_told_and_made_anew(name: str, root: Path, tmp_path: Path) -> None:
    first = prepared(root, tmp_path)
    whole = content(first.directory)
    assert name in whole and first.faces.notes == ("a toy",)
    for at in (-1, 10, 100):
        turn(first.directory / name, at)
        again = prepared(root, tmp_path)
        assert content(again.directory) == whole and again.fingerprint == first.fingerprint
        assert [note for note in again.faces.notes if name in note and "made anew" in note]
    assert prepared(root, tmp_path).faces.notes == ("a toy",)


def test_a_turned_bit_in_its_description_changes_nothing(root: Path, tmp_path: Path) -> None:
    first = prepared(root, tmp_path)
    path, whole = first.directory / "meta.json", content(first.directory)
    text = path.read_bytes()
    for at in range(0, len(text), 21):  # 21 and 8 share no divisor: every bit has its turn
        turn(path, at, at % 8)
        again = prepared(root, tmp_path)
        assert again.faces.classes == first.faces.classes and again.fingerprint == first.fingerprint
        assert json.loads(path.read_bytes())["fingerprint"] == first.fingerprint
        path.write_bytes(text)
    assert content(prepared(root, tmp_path).directory) == whole


@pytest.mark.parametrize(
    "spoil",
    [
        lambda array: turn(array, -1),
        lambda array: turn(array, 5),
        lambda array: turn(sums.sum_path(array), 3),
        lambda array: sums.sum_path(array).write_text(""),
        lambda array: sums.sum_path(array).write_bytes(b"\xff" * 64),
        lambda array: array.write_bytes(b""),
        lambda array: np.save(array, np.zeros(3)),
    ],
)
def test_lr_images_are_checked_once_a_run(
    spoil: Callable[[Path], None], root: Path, tmp_path: Path
) -> None:
    first = prepared(root, tmp_path)
    made = np.array(lr_images(first, "test", X2))
    (array,) = (first.directory / "lr").glob("*.npy")
    spoil(array)
    again = prepared(root, tmp_path)
    assert any(array.name in note and "made anew" in note for note in again.faces.notes)
    assert np.array_equal(lr_images(again, "test", X2), made)
    assert prepared(root, tmp_path).faces.notes == ("a toy",) and array.exists()


def test_lr_images_of_an_earlier_version_are_made_anew(root: Path, tmp_path: Path) -> None:
    first = prepared(root, tmp_path)
    made = np.array(lr_images(first, "test", X2))
    (array,) = (first.directory / "lr").glob("*.npy")
    sums.sum_path(array).unlink()
    turn(array, -1)
    again = prepared(root, tmp_path)
    assert again.faces.notes == ("a toy",) and not array.exists()
    assert np.array_equal(lr_images(again, "test", X2), made)


def older(folder: Path) -> None:
    """As earlier versions wrote it."""
    meta = json.loads((folder / "meta.json").read_text())
    del meta["sha256"], meta[SEAL]
    (folder / "meta.json").write_text(json.dumps(meta))


def test_a_folder_of_an_earlier_version_gets_its_checksums(root: Path, tmp_path: Path) -> None:
    first = prepared(root, tmp_path)
    whole = content(first.directory)
    older(first.directory)
    dataset = Toy(soft=True)
    again = prepare(dataset, "toy", root, cache=tmp_path)
    assert dataset.loaded == 0 and content(again.directory) == whole


@pytest.mark.parametrize("name", ["test.images.npy", "test.leaked.npy", "train.soft.npy"])
def test_a_damaged_folder_of_an_earlier_version_is_made_anew(
    name: str, root: Path, tmp_path: Path
) -> None:
    first = prepared(root, tmp_path)
    whole = content(first.directory)
    older(first.directory)
    turn(first.directory / name, -1)
    again = prepared(root, tmp_path)
    assert content(again.directory) == whole and len(again.faces.notes) == 2


def test_trouble_of_the_moment_is_not_damage(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = content(prepared(root, tmp_path).directory)

    def fail(path: Any) -> str:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    with monkeypatch.context() as patch:
        patch.setattr(sums, "digest_of", fail)
        with pytest.raises(MachineError, match="try again later"):
            prepared(root, tmp_path)
    assert content(prepared(root, tmp_path).directory) == whole


EDITED = """
from lrfer_bench.api import Protocol, register_protocol

BRIGHTER = {{6: {added}}}  # golden pictures have no scale 6


@register_protocol("edited")
class Edited(Protocol):
    name = "edited"
    summary = "every nth pixel"

    def degrade(self, hr, size, scale, seeds):
        low = hr[:, :, ::scale, ::scale][:, :, : size[0], : size[1]]
        return (low // 2 + BRIGHTER.get(scale, 0)).contiguous()
"""


def test_lr_images_of_an_edited_protocol_are_made_anew(root: Path, tmp_path: Path) -> None:
    file = tmp_path / "edited.py"
    x6 = Condition("edited@1", (6,))
    with registries.pristine():
        for added in (10, 50):
            file.write_text(EDITED.format(added=added))
            load_plugin(file)
            data = prepare(Toy(side=12), "toy", root, cache=tmp_path / "cache")
            low = np.array(lr_images(data, "test", x6))
            plain = np.array(data.faces.test.images[:, :, ::6, ::6]) // 2
            np.testing.assert_array_equal(low, plain + added)
