"""Odd input is one sentence: no traceback, no hang, no memory eaten."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import in_process
import numpy as np
import pytest
import registries
from folders import TINY
from PIL import Image

from lrfer_bench.contract.cards import DatasetCard, MethodCard, read_card
from lrfer_bench.contract.faceset import FaceSet, Split
from lrfer_bench.data.images import open_image
from lrfer_bench.data.tree import read_tree
from lrfer_bench.errors import DataError, UserError
from lrfer_bench.planning.settings import complete_settings
from lrfer_bench.plugins.loading import load_plugin
from lrfer_bench.plugins.registry import PLUGIN_ERRORS


@pytest.fixture(autouse=True)
def as_a_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LRFER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("LRFER_PLUGINS", "")
    with registries.kept():
        yield


LONG = "a" * 300
TINYFACES = ["--plugin", TINY, "--dataset", "tinyfaces"]


@pytest.mark.parametrize(
    "words",
    [
        ["report", "--results", LONG],
        ["run", *TINYFACES, "--methods", "linear", "--results", LONG],
        ["run", "--plugin", f"{LONG}.py"],
        ["run", "--dataset", "folder", "--data-root", LONG],
        ["run", "--dataset", "fer2013", "--data-root", f"{LONG}/x"],
        ["merge", LONG],
        ["predict", "--results", LONG, "x.png"],
        ["plan", *TINYFACES, "--methods", "linear", "--seeds", "9" * 400],
        ["plan", *TINYFACES, "--methods", "linear", "--scales", "9" * 5000],
        ["plan", *TINYFACES, "--methods", "gmenet", "--set", f"gmenet.kd_weight={'9' * 400}"],
        ["plan", *TINYFACES, "--methods", f"gmenet[kd_weight={'9' * 400}]"],
        ["plan", "--dataset", "folder", "--data-root", ".", "--data-option", f"size={'9' * 400}"],
    ],
    ids=lambda words: " ".join(map(str, words))[-60:],
)
def test_it_is_one_sentence(words: list[str]) -> None:
    said = in_process.lrfer(*words)
    assert said.status == 2 and said.err.strip() and "Traceback" not in said.err
    assert len(said.err.strip().splitlines()) <= 3


@pytest.mark.parametrize(
    "value", [10**400, -(2**63), [[10**30]], {"a": {"b": 2**64}}, float("inf"), float("nan")]
)
def test_a_setting_that_no_record_can_hold_is_refused(value: Any) -> None:
    class Some:
        def __init__(self, task: object, x: object = None) -> None: ...

    with pytest.raises(UserError, match=r"some\.x"):
        complete_settings("some", Some, {"x": value})  # type: ignore[arg-type]


def test_a_setting_that_is_nested_deep_is_refused() -> None:
    class Some:
        def __init__(self, task: object, x: object = None) -> None: ...

    deep: list[Any] = []
    for _ in range(900):
        deep = [deep]
    with pytest.raises(UserError, match="nested deeper"):
        complete_settings("some", Some, {"x": deep})  # type: ignore[arg-type]


CARDS = [
    "summary = 3", "summary = ['a']", "summary = ''\nyear = 'x'", "summary = ''\nyear = true",
    "summary = ''\ntitle = 1", "summary = ''\nstated = 'x'", "summary = ''\nstated = [1]",
    "summary = ''\nsettings = 'x'", "summary = ''\nsettings = [1]", "summary = ''\nlisted = 1",
    "x = " + "[" * 5000, "\udcff", "summary = ''\nauthors = ['a']",
]  # fmt: skip


@pytest.mark.parametrize("text", CARDS, ids=lambda text: repr(text)[:40])
def test_a_card_of_wrong_types_is_one_sentence(text: str, tmp_path: Path) -> None:
    (tmp_path / "x.card.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(UserError, match=r"x\.card\.toml"):
        read_card(tmp_path / "x.card.toml", MethodCard)


def test_built_in_cards_are_of_the_right_types() -> None:
    from folders import ROOT

    for folder, kind in (("methods", MethodCard), ("datasets", DatasetCard)):
        cards = list((ROOT / folder).glob("*.card.toml"))
        assert len(cards) > 3 and all(read_card(card, kind).summary for card in cards)


@pytest.mark.parametrize("error", ["BaseException('x')", "SystemExit(3)", "GeneratorExit()", "E()"])
def test_a_plugin_that_raises_anything_is_left_out(error: str, tmp_path: Path) -> None:
    file = tmp_path / "p.py"
    file.write_text(f"class E(BaseException): pass\nraise {error}\n")
    load_plugin(file)
    assert "p.py:2" in PLUGIN_ERRORS.pop(str(file))


def png_header(side: int) -> bytes:
    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    chunk = b"IHDR" + head
    size, crc = struct.pack(">I", len(head)), struct.pack(">I", zlib.crc32(chunk))
    return b"\x89PNG\r\n\x1a\n" + size + chunk + crc


def endless(path: Path) -> None:
    with open(path, "wb") as file:
        file.truncate(1 << 40)


def zero(path: Path) -> None:
    path.symlink_to("/dev/zero")


MAKERS: tuple[Callable[[Path], Any], ...] = (
    os.mkfifo, zero, endless, Path.mkdir,
    lambda path: path.write_bytes(b"P5 100000 100000 255\n" + b"\0" * 100),
    lambda path: path.write_bytes(b"P5 9999999999999999999999 1 255\n"),
    lambda path: path.write_bytes(png_header(100_000)), lambda path: path.write_bytes(b""),
    lambda path: path.write_bytes(png_header(8)), lambda path: path.symlink_to("nowhere"),
    lambda path: Image.new("L", (6400, 6400)).save(path, "PNG"),
)  # fmt: skip


@pytest.mark.parametrize("make", MAKERS)
def test_a_picture_is_measured_before_it_is_unpacked(
    make: Callable[[Path], Any], tmp_path: Path
) -> None:
    make(tmp_path / "x.png")
    with pytest.raises(DataError, match=r"x\.png"):
        open_image(tmp_path / "x.png")


@pytest.mark.parametrize("name", [b"\xff", b"a\x1b[2J", b"a\nb"])
def test_class_folders_that_no_record_can_hold_are_refused_at_once(
    name: bytes, tmp_path: Path
) -> None:
    folder = tmp_path / "train" / os.fsdecode(name)
    folder.mkdir(parents=True)
    (folder / "a.png").write_bytes(b"")
    with pytest.raises(DataError, match="rename it"):
        read_tree(tmp_path / "train")


@pytest.mark.parametrize("name", [b"\xff", b"a\x1b[2J", b"a\nb"])
def test_such_names_of_pictures_are_kept_as_they_are(name: bytes, tmp_path: Path) -> None:
    picture = tmp_path / "train" / "happy" / f"{os.fsdecode(name)}.png"
    picture.parent.mkdir(parents=True)
    Image.new("L", (48, 48)).save(picture)
    assert open_image(picture).size == (48, 48)
    read_tree(tmp_path / "train")


@pytest.mark.parametrize("label", ["a\udcff", "a\x1b", " ", ""])
def test_class_names_of_any_loader_are_checked(label: str) -> None:
    split = Split(np.zeros((2, 1, 8, 8), np.uint8), np.array([0, 1]))
    faces = FaceSet("x", (label, "b"), {"train": split, "val": split, "test": split})
    with pytest.raises(DataError, match="has a class named"):
        faces.check()


@pytest.mark.parametrize(
    "words",
    [
        ["run", "--config", "~nobody-of-that-name/run.toml"],
        ["run", "--settings", "~nobody-of-that-name.toml"],
        ["evaluate", "~nobody-of-that-name.py:Net", "--weights", "net.pth"],
        ["plan", "--methods", "direct", "--set", "direct.weights=~nobody-of-that-name.pth"],
        [
            "plan",
            "--dataset",
            "fer2013",
            "--methods",
            "direct",
            "--data-root",
            "~nobody-of-that-name",
        ],
        ["plan", "--methods", "direct", "--test-protocols", ""],
        ["plan", "--methods", "direct", "--test-scales", ""],
    ],
    ids=lambda words: words[-2] + words[-1],
)
def test_a_home_of_nobody_and_an_empty_list_are_sentences(words: list[str]) -> None:
    said = in_process.lrfer(*words)
    assert said.status == 2 and "Traceback" not in said.err
    word = "nobody-of-that-name" if words[-1] else "names nothing"
    assert word in said.err and "correct it there" not in said.err


@pytest.mark.parametrize(
    "words", [["datasets", "verify", "synthface"], ["plan", "--methods", "direct"]]
)
def test_a_cache_in_the_home_of_nobody_is_a_folder_like_any_other(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LRFER_CACHE", "~nobody-of-that-name/cache")
    said = in_process.lrfer(*words)
    assert said.status == 0, said.err
    assert (tmp_path / "~nobody-of-that-name" / "cache").is_dir()
