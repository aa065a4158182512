"""Caches on odd file systems and shared by a group: modes are the umask's, reading is enough."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from toy import Toy

from lrfer_bench.contract.condition import Condition
from lrfer_bench.data import cache as cache_module
from lrfer_bench.data import lowres, signature
from lrfer_bench.data.cache import prepare
from lrfer_bench.data.lowres import lr_images
from lrfer_bench.errors import MachineError, UserError
from lrfer_bench.files import write_atomically

X2 = Condition("bicubic@1", (2,))


@pytest.fixture
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.mark.parametrize("umask", [0o002, 0o022, 0o077], indirect=True, ids=oct)
def test_modes_are_those_of_the_umask(umask: int, root: Path, tmp_path: Path) -> None:
    prepared = prepare(Toy(), "toy", root, cache=tmp_path / "cache")
    lr_images(prepared, "test", X2)
    write_atomically(tmp_path / "cache" / "any" / "file", b"")
    made = [tmp_path / "cache", *(tmp_path / "cache").rglob("*")]
    assert len(made) > 15
    for path in made:
        expected = (0o777 if path.is_dir() else 0o666) & ~umask
        assert path.stat().st_mode & 0o777 == expected, path


def test_nothing_is_written_by_chmod(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CIFS, exFAT and mounted buckets refuse it."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "chmod", refuse)
    monkeypatch.setattr(os, "fchmod", refuse)
    prepared = prepare(Toy(), "toy", root, cache=tmp_path)
    assert lr_images(prepared, "test", X2).shape == (4, 1, 4, 4)


def test_a_cache_that_may_not_be_written_is_read(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tests may run as root, whom no mode stops: the refusal is made."""
    first = prepare(Toy(), "toy", root, cache=tmp_path / "cache")
    expected = np.array(lr_images(first, "test", X2))
    shutil.rmtree(first.directory / "lr")
    shutil.rmtree(tmp_path / "cache" / "signatures")  # as when another user's files are elsewhere
    before = set((tmp_path / "cache").rglob("*"))

    def refuse(path: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(cache_module, "replacing", refuse)
    monkeypatch.setattr(lowres, "replacing", refuse)
    again = prepare(Toy(), "toy", root, cache=tmp_path / "cache")
    assert again.fingerprint == first.fingerprint and again.faces.notes == ("a toy",)
    np.testing.assert_array_equal(lr_images(again, "test", X2), expected)
    assert set((tmp_path / "cache").rglob("*")) == before
    with pytest.raises(UserError, match=r"cannot be written.*Permission denied"):
        monkeypatch.setattr(cache_module, "own_folder", refuse)
        prepare(Toy(side=4), "toy", root, cache=tmp_path / "cache")


def test_a_full_disk_still_stops(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared = prepare(Toy(), "toy", root, cache=tmp_path)

    def full(path: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(lowres, "replacing", full)
    with pytest.raises(MachineError, match="No space left"):
        lr_images(prepared, "test", X2)


def test_a_file_whose_time_and_size_stay_is_read_again(root: Path, tmp_path: Path) -> None:
    """A corrected list, unpacked from an archive that keeps times."""
    one = prepare(Toy(), "toy", root, cache=tmp_path)
    times = (root / "seed.txt").stat()
    (root / "seed.txt").write_text("2")
    os.utime(root / "seed.txt", ns=(times.st_atime_ns, times.st_mtime_ns))
    two = prepare(Toy(), "toy", root, cache=tmp_path)
    assert two.fingerprint != one.fingerprint
    assert two.fingerprint == prepare(Toy(), "toy", root, cache=tmp_path / "other").fingerprint


def test_anew_reads_what_looks_the_same(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signature, "_stamp", lambda path, status: [str(path)])
    one = prepare(Toy(), "toy", root, cache=tmp_path)
    (root / "seed.txt").write_text("2")
    assert prepare(Toy(), "toy", root, cache=tmp_path).fingerprint == one.fingerprint
    two = prepare(Toy(), "toy", root, cache=tmp_path, anew=True)
    assert two.fingerprint != one.fingerprint
    assert prepare(Toy(), "toy", root, cache=tmp_path).fingerprint == two.fingerprint
