"""Malformed inputs of every kind: each is one sentence, or is taken because it is right.

$LRFER_ASSAULT_INPUTS inputs (60 if it is not set; docs/reliability.md has a figure): no
traceback, no hang over 10 s, no memory over 1 GB.
"""

from __future__ import annotations

import io
import os
import random
import resource
import signal
import struct
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import made_records
import numpy as np
import pytest
import registries
from folders import PLUGINS
from in_process import Said, lrfer
from PIL import Image

pytestmark = pytest.mark.slow

INPUTS = int(os.environ.get("LRFER_ASSAULT_INPUTS", "60"))
GIGABYTE_KB = 1 << 20
Mutator = Callable[[bytes, random.Random], bytes]


def cut(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def noise(data: bytes, rng: random.Random) -> bytes:
    return rng.randbytes(rng.choice((0, 1, 7, 300, 5000)))


def flipped(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(min(20, len(changed))):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def inserted(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data) + 1)
    odd = rng.choice((b"\0" * 9, b"\xff\xfe", b"\xef\xbb\xbf", b"9" * 400, b"NaN", b"\x1b[2J",
                      b"=cmd()", b"\r", b"[" * 5000, b"-1e999", "\u202e".encode()))  # fmt: skip
    return data[:at] + odd + data[at:]


def doubled(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data) + 1)
    return data + data[start:] * rng.choice((1, 3))


def numbers(data: bytes, rng: random.Random) -> bytes:
    """Every digit of one kind becomes something else, so that sizes and counts are wrong."""
    digit, other = rng.sample("0123456789", 2)
    return data.replace(digit.encode(), rng.choice((other, "-", "1e9", "")).encode())


MUTATORS: tuple[Mutator, ...] = (cut, noise, flipped, inserted, doubled, numbers)


def spoil_file(path: Path, rng: random.Random) -> None:
    path.write_bytes(rng.choice(MUTATORS)(path.read_bytes(), rng))


def picture() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.arange(48 * 48, dtype=np.uint8).reshape(48, 48)).save(buffer, "png")
    return buffer.getvalue()


def bomb() -> bytes:
    """A PNG of a few bytes that says it has 60,000 x 60,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"0" * 99))


def csv() -> bytes:
    pixels = " ".join(str(k % 256) for k in range(48 * 48))
    rows = [f"{k % 7},{pixels},{use}" for use in ("Training", "PublicTest", "PrivateTest")
            for k in range(14)]  # fmt: skip
    return ("emotion,pixels,Usage\n" + "\n".join(rows) + "\n").encode()


OPTIONS = """--scales --seeds --methods --protocol --dataset --preset --workers --set --epochs --lr
--batch --data-option --engine --settings --config"""
VALUES = ("", " ", "0", "-1", "2,,4", "9" * 400, "1e400", "nan", "x" * 5000, "../..", "e\u202e",
          "2;4", "[", "direct[", "direct[a=", "gmenet[kd_weight=1e999]", "--help",
          "\x1b[2J")  # fmt: skip


class Inputs:
    """One malformed input after another, each with the command that meets it."""

    def __init__(self, folder: Path, trained: Path) -> None:
        self.folder, self.trained = folder, trained

    def file(self, name: str, content: bytes, rng: random.Random, spoil: bool = True) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(rng.choice(MUTATORS)(content, rng) if spoil else content)
        return path

    def record(self, rng: random.Random) -> list[object]:
        record = made_records.save(self.folder / "a", np.arange(40) < 20, np.arange(40) % 3,
                                   classes="abc")  # fmt: skip
        path = self.folder / "a" / "records" / f"{record.stem}.json"
        spoil_file(path, rng)
        return rng.choice((
            ["report", "--results", self.folder / "a", "--pictures", "none", "--no-page",
             "--out", self.folder / "out"],
            ["merge", "--results", self.folder / "b", self.folder / "a"],
        ))  # fmt: skip

    def logits(self, rng: random.Random) -> list[object]:
        record = made_records.save(self.folder / "a", np.arange(40) < 20, np.arange(40) % 3,
                                   classes="abc")  # fmt: skip
        path = self.folder / "a" / "logits" / f"{record.stem}.npz"
        spoil_file(path, rng)
        return ["merge", "--results", self.folder / "b", self.folder / "a"]

    def model(self, rng: random.Random) -> list[object]:
        copy = self.folder / "results"
        os.makedirs(copy / "models")
        for part in ("records", "logits", "models"):
            (copy / part).mkdir(exist_ok=True)
            for path in (self.trained / part).iterdir():
                (copy / part / path.name).write_bytes(path.read_bytes())
        path = rng.choice(sorted((copy / "models").iterdir()))
        spoil_file(path, rng)
        face = self.file("face.png", picture(), rng, spoil=False)
        return ["predict", "--plugin", PLUGINS / "tiny.py", "--results", copy, "--method", "linear",
                "--scale", "2", face]  # fmt: skip

    def face(self, rng: random.Random) -> list[object]:
        face = self.file("face.png", bomb() if rng.random() < 0.1 else picture(), rng)
        return ["predict", "--plugin", PLUGINS / "tiny.py", "--results", self.trained, "--method",
                "linear", "--scale", "2", face]  # fmt: skip

    def table(self, rng: random.Random) -> list[object]:
        path = self.file("fer2013.csv", csv(), rng)
        return ["datasets", "prepare", "fer2013", "--data-root", path]

    def tree(self, rng: random.Random) -> list[object]:
        for split in ("train", "test"):
            for label in ("happy", "sad"):
                for k in range(3):
                    spoil = rng.random() < 0.2
                    self.file(f"tree/{split}/{label}/{k}.png", picture(), rng, spoil)
        return ["datasets", "prepare", "folder", "--data-root", self.folder / "tree"]

    def toml(self, rng: random.Random) -> list[object]:
        option, text = rng.choice((
            ("--preset", b'name = "mine"\nbase = "quick"\nepochs = 3\nbatch = 32\n'),
            ("--config", b'methods = ["oracle"]\nscales = [2, 4]\npreset = "quick"\n'),
            ("--settings", b"[settings.gmenet]\nkd_weight = 2.0\n"),
        ))  # fmt: skip
        return ["plan", option, self.file("mine.toml", text, rng), "--methods", "oracle"]

    def words(self, rng: random.Random) -> list[object]:
        option = rng.choice(OPTIONS.split())
        return ["plan", option, rng.choice(VALUES), "--results", self.folder / "r"]


KINDS = ("record", "logits", "model", "face", "table", "tree", "toml", "words")


@pytest.fixture(scope="module")
def tally() -> Iterator[Counter[str]]:
    counted: Counter[str] = Counter()
    yield counted
    print(f"\nmalformed inputs: {dict(sorted(counted.items()))}, {sum(counted.values())} in all")


def too_slow(*about: Any) -> None:
    raise TimeoutError("it took more than 10 s")


@pytest.mark.parametrize("number", range(INPUTS))
def test_it_is_a_sentence_or_is_right(
    number: int, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    tally: Counter[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("LRFER_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    kind, rng = KINDS[number % len(KINDS)], random.Random(number)
    words = getattr(Inputs(tmp_path, trained), kind)(rng)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    alarm = signal.signal(signal.SIGALRM, too_slow)
    signal.alarm(60 if os.environ.get("LRFER_ASSAULT_BUSY") else 10)
    try:
        with registries.kept():
            said: Said = lrfer(*words)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, alarm)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert said.status in (0, 1, 2), said
    assert "Traceback" not in said.err + said.out
    assert said.status == 0 or said.err.strip() or said.out.strip(), "it failed without a word"
    assert grown < GIGABYTE_KB
    tally[f"{kind}: {'taken' if said.status == 0 else 'a sentence'}"] += 1
