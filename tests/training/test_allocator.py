"""Keeping freed memory: where it can be had, and that it moves no bit of a training."""

from __future__ import annotations

import ctypes
import platform
import subprocess
import sys

import pytest

from lrfer_bench.training import allocator

TRAINING = """
import hashlib, sys
from lrfer_bench.training.allocator import give_back, keep_freed_memory
if sys.argv[1] == "keep":
    assert keep_freed_memory()
import torch
torch.set_num_threads(1)
from made import made_faces, tiny_preset
from small_models import fitted
outcome = fitted("direct", made_faces(28), preset=tiny_preset(epochs=2))
give_back()
for model in outcome.models.values():
    print(hashlib.sha256(model.weights).hexdigest())
"""

glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library than glibc")


@glibc
def test_a_training_has_the_same_bits_with_and_without() -> None:
    found = []
    for word in ("keep", "give back"):
        done = subprocess.run(
            [sys.executable, "-c", TRAINING, word],
            capture_output=True, text=True, check=False, env={"PYTHONPATH": ":".join(sys.path)},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        found.append(done.stdout)
    assert found[0] == found[1] and len(found[0].split()) == 1


def test_where_there_is_no_mallopt_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    assert not allocator.keep_freed_memory()
    allocator.give_back()
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.delattr(ctypes, "CDLL")
    assert not allocator.keep_freed_memory()


def test_an_older_glibc_is_asked_for_less(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []

    def mallopt(option: int, value: int) -> int:
        asked.append((option, value))
        return int(value != 1 << 30)

    monkeypatch.setattr(allocator, "_from_c_library", lambda name: mallopt)
    assert allocator.keep_freed_memory()
    assert asked == [(-3, 1 << 30), (-3, 32 << 20), (-1, 2**31 - 1)]
