"""A results folder from somebody else runs no code, whatever it names and holds."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import py_compile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import made_records
import numpy as np
import pytest
import registries

import lrfer_bench
from lrfer_bench.errors import UserError
from lrfer_bench.plugins.kept import keep, kept_plugin
from lrfer_bench.plugins.loading import load_plugin

Hostile = Callable[[Path, Path, str], str]
"""Puts a program into a results folder; the source that the record is to name."""


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def put(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def another_content(root: Path, outside: Path, text: str) -> str:
    put(root / "plugins" / ("0" * 12) / "mine.py", text)
    return f"mine.py sha256:{'0' * 12}"


def right_content(root: Path, outside: Path, text: str) -> str:
    put(root / "plugins" / digest(text) / "mine.py", text)
    return f"mine.py sha256:{digest(text)}"


def absolute_path(root: Path, outside: Path, text: str) -> str:
    return f"{put(outside / 'x.py', text)} sha256:{digest(text)}"


def path_upwards(root: Path, outside: Path, text: str) -> str:
    put(root.parent / "x.py", text)
    (root / "plugins" / digest(text)).mkdir(parents=True)
    return f"../../../x.py sha256:{digest(text)}"


def digest_upwards(root: Path, outside: Path, text: str) -> str:
    put(root.parent / "x.py", text)
    return "x.py sha256:../.."


def no_digest(root: Path, outside: Path, text: str) -> str:
    put(root / "plugins" / "x.py", text)
    return "x.py sha256:"


def link_to_a_file(root: Path, outside: Path, text: str) -> str:
    target = put(outside / "x.py", text)
    (root / "plugins" / digest(text)).mkdir(parents=True)
    (root / "plugins" / digest(text) / "x.py").symlink_to(target)
    return f"x.py sha256:{digest(text)}"


def link_to_a_folder(root: Path, outside: Path, text: str) -> str:
    put(outside / "x.py", text)
    (root / "plugins").mkdir(parents=True)
    (root / "plugins" / digest(text)).symlink_to(outside)
    return f"x.py sha256:{digest(text)}"


def a_package(root: Path, outside: Path, text: str) -> str:
    put(root / "plugins" / digest(text) / "x" / "__init__.py", text)
    return f"x sha256:{digest(text)}"


def a_pipe(root: Path, outside: Path, text: str) -> str:
    (root / "plugins" / digest(text)).mkdir(parents=True)
    os.mkfifo(root / "plugins" / digest(text) / "x.py")
    return f"x.py sha256:{digest(text)}"


WAYS = (
    another_content, right_content, absolute_path, path_upwards, digest_upwards, no_digest,
    link_to_a_file, link_to_a_folder, a_package, a_pipe,
)  # fmt: skip


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LRFER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("LRFER_PLUGINS", "")
    with registries.kept():
        yield


@pytest.fixture
def flag(tmp_path: Path) -> Path:
    return tmp_path / "it_ran"


def program(flag: Path) -> str:
    return f"open({str(flag)!r}, 'w').close()\n"


def ask(root: Path, source: str, **words: Any) -> None:
    labels = np.arange(20) % 7
    record = made_records.save(root, labels > 2, labels, method="not-here", source=source)
    with pytest.raises(UserError):
        lrfer_bench.load_model(record.key, root, **words)


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_run(way: Hostile, tmp_path: Path, flag: Path) -> None:
    root = tmp_path / "theirs"
    ask(root, way(root, tmp_path / "outside", program(flag)))
    assert not flag.exists()


@pytest.mark.parametrize("way", WAYS)
def test_trust_reaches_the_named_content_only(way: Hostile, tmp_path: Path, flag: Path) -> None:
    root = tmp_path / "theirs"
    ask(root, way(root, tmp_path / "outside", program(flag)), trust_plugins=True)
    assert flag.exists() == (way is right_content)


def test_what_was_kept_here_is_found_again_and_runs(tmp_path: Path, flag: Path) -> None:
    root = tmp_path / "mine"
    file = keep(program(flag).encode(), "mine", root)
    ask(root, f"mine.py sha256:{digest(program(flag))}")
    assert flag.exists() and file.read_text() == program(flag)


def test_another_users_note_in_a_shared_cache_counts_for_nothing(
    tmp_path: Path, flag: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(program(flag).encode(), "mine", tmp_path / "mine")
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    with pytest.raises(UserError, match="trust-plugins"):
        kept_plugin(tmp_path / "mine", f"mine.py sha256:{digest(program(flag))}")


def test_a_program_laid_in_the_place_of_mine_is_set_aside(tmp_path: Path, flag: Path) -> None:
    mine = b"x = 1\n"
    place = tmp_path / "plugins" / hashlib.sha256(mine).hexdigest()[:12] / "mine.py"
    put(place, program(flag))
    assert keep(mine, "mine", tmp_path).read_bytes() == mine
    assert place.with_name("mine.py.changed").read_text() == program(flag)


@pytest.mark.parametrize("mode", ["CHECKED_HASH", "UNCHECKED_HASH", "TIMESTAMP"])
def test_a_compiled_file_beside_it_is_not_run_in_its_place(
    tmp_path: Path, flag: Path, mode: str
) -> None:
    """Python would run an unchecked one without a look at the source."""
    file = put(tmp_path / "harmless.py", "x = 1\n")
    evil = put(tmp_path / "evil.py", program(flag).ljust(6))
    compiled = importlib.util.cache_from_source(str(file))
    how = py_compile.PycInvalidationMode[mode]
    py_compile.compile(str(evil), compiled, dfile=str(file), invalidation_mode=how)
    before = Path(compiled).read_bytes()
    load_plugin(file)
    assert not flag.exists() and Path(compiled).read_bytes() == before
