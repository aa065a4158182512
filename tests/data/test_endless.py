"""Bombs and endless files: each is one sentence, at once, whatever reads the file."""

from __future__ import annotations

import io
import os
import signal
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from lrfer_bench.api import picture_bytes, read_array, read_arrays
from lrfer_bench.data.sums import digest_of
from lrfer_bench.data.text import read_lines
from lrfer_bench.datasets import affectnet, fer2013_rows
from lrfer_bench.errors import DataError, UserError
from lrfer_bench.nets.weight_files import read_weights
from lrfer_bench.planning.run_file import _says
from lrfer_bench.plugins.contents import content_of
from lrfer_bench.plugins.existing import _named
from lrfer_bench.plugins.loading import load_plugin
from lrfer_bench.reporting.drawn import shows
from lrfer_bench.training.checkpoint import load_checkpoint

MB = 1 << 20


@pytest.fixture(autouse=True)
def in_time() -> Iterator[None]:
    """A reader that waits for ever fails after 20 s, rather than stopping all tests."""

    def fail(*_: Any) -> None:
        raise AssertionError("it waits for a file that never ends")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(20)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def sparse(path: Path) -> None:
    with open(path, "wb") as file:
        file.truncate(1 << 40)


ENDLESS: dict[str, Callable[[Path], Any]] = {
    "pipe": os.mkfifo, "device": lambda path: path.symlink_to("/dev/zero"), "terabyte": sparse,
    "folder": Path.mkdir,
}  # fmt: skip
READERS: dict[str, Callable[[Path], Any]] = {
    "array": lambda path: read_array(path, MB), "arrays": lambda path: read_arrays(path, MB),
    "annotation": affectnet._expression, "fer2013": fer2013_rows._read_npz, "text": read_lines,
    "picture": picture_bytes, "model": lambda path: _named(f"{path}:Net"),
    "weights": read_weights,
    "content": lambda path: content_of("x.weights", str(path), lambda file: (b"", "x")),
    "file": lambda path: content_of("x.weights", str(path)),
    "sum": digest_of, "plugin": load_plugin,
}  # fmt: skip
STREAMED = ("weights", "content", "file", "sum")
"""Read bit by bit, or mapped: a large file takes time and no memory."""


@pytest.mark.parametrize("kind", ENDLESS)
@pytest.mark.parametrize("reader", READERS)
def test_what_never_ends_is_not_begun(reader: str, kind: str, tmp_path: Path) -> None:
    if kind == "terabyte" and reader in STREAMED:
        pytest.skip("it is read bit by bit")
    path = tmp_path / "x.py"
    ENDLESS[kind](path)
    with pytest.raises((UserError, ValueError, IsADirectoryError)):
        READERS[reader](path)


def test_a_pipe_in_the_place_of_a_file_of_ours_is_set_aside_or_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert not shows([tmp_path / "pipe"], "mark")
    assert not _says(tmp_path / "pipe", "text")
    state, why = load_checkpoint(tmp_path / "pipe", "f" * 64)
    assert state is None and "regular" in why and not (tmp_path / "pipe").exists()


def npy(shape: tuple[int, ...], data: bytes = b"\0" * 8) -> bytes:
    """An array file whose header promises a shape."""
    buffer = io.BytesIO()
    about = {"descr": "<i8", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(buffer, about)
    return buffer.getvalue() + data


def packed(entries: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return buffer.getvalue()


LIARS = {
    "more than it holds": npy((1 << 50,)),
    "more than there is": npy((1 << 40, 1 << 40)),
    "no header": b"\x93NUMPY\x01\x00\xff\xff{",
    "an open bracket": b"\x93NUMPY\x01\x00\x10\x00" + b"(" * 16,
    "an object": b"\x93NUMPY\x01\x00\x50\x00"
    + b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(79) + b"\n",
    "another version": b"\x93NUMPY\x09\x00" + npy(())[8:], "empty": b"", "text": b"3",
}  # fmt: skip


@pytest.mark.parametrize("liar", LIARS)
def test_a_header_is_held_against_its_file(liar: str, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(LIARS[liar])
    with pytest.raises(ValueError):
        read_array(path, MB)
    with pytest.raises(DataError, match="copy it again"):
        affectnet._expression(path)
    path.write_bytes(packed({"emotion.npy": LIARS[liar]}))
    with pytest.raises(ValueError):
        read_arrays(path, MB)
    with pytest.raises(DataError, match="copy it again"):
        fer2013_rows._read_npz(path)


def test_an_archive_is_measured_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    zeros = b"\0" * (300 * MB)
    path.write_bytes(packed({"emotion.npy": npy((len(zeros) // 8,), zeros)}))
    assert path.stat().st_size < MB
    with pytest.raises(ValueError, match="unpacks to"):
        read_arrays(path, 64 * MB)
    with pytest.raises(DataError, match="unpacks to"):
        fer2013_rows._read_npz(path)
    cut = path.read_bytes()[:-40]
    path.write_bytes(cut)
    with pytest.raises(ValueError):
        read_arrays(path, 512 * MB)


def test_right_arrays_are_read(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "x.npz", a=np.arange(5), b=np.eye(2, dtype=np.float32))
    found = read_arrays(tmp_path / "x.npz", MB)
    assert set(found) == {"a", "b"} and (found["a"] == np.arange(5)).all()
    np.save(tmp_path / "x.npy", np.array("3"))
    assert affectnet._expression(tmp_path / "x.npy") == 3


@pytest.mark.parametrize("size", [(48 * 3, 48), (100_000, 48), (20, 48), (49, 48 * 2)])
def test_a_strip_of_faces_is_measured_first(size: tuple[int, int]) -> None:
    head = struct.pack(">IIBBBBB", *size, 8, 0, 0, 0, 0)
    buffer = io.BytesIO()
    Image.new("L", (48, 48)).save(buffer, "PNG")
    data = bytearray(buffer.getvalue())
    data[16 : 16 + len(head)] = head
    with pytest.raises((ValueError, OSError, SyntaxError)):
        fer2013_rows._strip(np.frombuffer(bytes(data), dtype=np.uint8))


def test_weights_take_no_more_than_their_file(tmp_path: Path) -> None:
    path = tmp_path / "x.pth"
    torch.save({"a": torch.zeros(1).expand(1 << 20, 1 << 20)}, path)  # 4 TB out of one number
    with pytest.raises(UserError, match="tensors of 4,398"):
        read_weights(path)
    torch.save({"a": torch.zeros(8 * MB)}, path)
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    path.write_bytes(packed(entries))
    assert path.stat().st_size < MB
    with pytest.raises(UserError, match="unpacks to"):
        read_weights(path)
    tied = torch.rand(1000)
    torch.save({"a": tied, "b": tied, "c": tied}, path)
    assert torch.equal(read_weights(path)["c"], tied)
