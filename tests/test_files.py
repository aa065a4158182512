"""A file is whole or not there."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from lrfer_bench.errors import UserError
from lrfer_bench.files import check_free, replacing, write_atomically


def test_what_was_there_stays_when_writing_fails(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file"
    write_atomically(path, b"old")
    with pytest.raises(RuntimeError), replacing(path) as file:
        file.write(b"half of")
        raise RuntimeError
    assert path.read_bytes() == b"old" and [p.name for p in path.parent.iterdir()] == ["file"]
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new" and path.stat().st_mode & 0o777 == 0o644


def test_the_new_name_reaches_the_disk_after_the_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[bool, list[str]]] = []

    def fsync(handle: int) -> None:
        folder = stat.S_ISDIR(os.fstat(handle).st_mode)
        synced.append((folder, [path.name for path in tmp_path.iterdir()]))

    monkeypatch.setattr(os, "fsync", fsync)
    write_atomically(tmp_path / "file", b"new")
    assert [folder for folder, _ in synced] == [False, True] and synced[1][1] == ["file"]


def test_the_sentence_says_what_and_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UserError, match=r"under.*choose another --folder"):
        write_atomically(tmp_path / "file" / "under", b"", "choose another --folder")


def test_a_file_that_is_there_is_kept_unless_forced(tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_text("mine")
    (tmp_path / "link.onnx").symlink_to(tmp_path / "nowhere")
    for name in ("a.onnx", "link.onnx"):
        with pytest.raises(UserError, match=r"choose another --images, .* --force"):
            check_free(tmp_path / name, force=False, option="--images")
        check_free(tmp_path / name, force=True)
    with pytest.raises(UserError, match="folder: give --out"):
        check_free(tmp_path, force=True)
    check_free(tmp_path / "new.onnx", force=False)
