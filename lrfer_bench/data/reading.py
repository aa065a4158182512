"""How load() reads much: faces one after another, what is large into a file, somebody told.

prepare() says where that file may lie; a load() of its own keeps all in memory. Needs numpy only.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lrfer_bench.contract.faceset import Split, blocks
from lrfer_bench.files import own_folder, unwritable_cache

IN_MEMORY = 1 << 28
"""Bytes of faces that are kept in memory; a larger stack goes into a file."""

Tick = Callable[[int, int], None]
"""tick(done, all): how many of the pictures of a data set are read."""

Watch = Callable[[], AbstractContextManager["Tick | None"]]
"""Shows how a data set is prepared: a context manager that gives the tick, or None for silence."""

unwatched: Watch = nullcontext


@dataclass
class _Reading:
    """parent: where a folder for large stacks is made. folder: that one, once there is one.

    noticed: kind of picture -> how many faces come from such (see data/unread.py)
    """

    parent: Path
    tick: Tick | None = None
    folder: Path | None = None
    noticed: Counter[str] = field(default_factory=Counter)


_READING: ContextVar[_Reading | None] = ContextVar("reading", default=None)


@contextmanager
def reading(parent: Path, tick: Tick | None = None) -> Iterator[Counter[str]]:
    """Inside, large stacks go into files below parent; they are gone when the block ends.

    Gives the counts of noticed().
    """
    now = _Reading(parent, tick)
    token = _READING.set(now)
    try:
        yield now.noticed
    finally:
        _READING.reset(token)
        if now.folder is not None:
            shutil.rmtree(now.folder, ignore_errors=True)


def told(done: int, every: int) -> None:
    """Tell listeners how far a load() is."""
    now = _READING.get()
    if now is not None and now.tick is not None:
        now.tick(done, every)


def noticed(kinds: Iterable[str]) -> None:
    """Count a face whose picture is of these kinds, for the notes of the data set."""
    now = _READING.get()
    if now is not None:
        now.noticed.update(kinds)


def own_file(images: NDArray[Any]) -> Path | None:
    """The .npy file of a large stack that holds just this array, to be moved; None for others."""
    now, path = _READING.get(), getattr(images, "filename", None)
    if now is None or now.folder is None or path is None or Path(path).parent != now.folder:
        return None
    if not Path(path).exists():
        return None  # moved already, as two splits hold the same array: it is written again
    whole = int(getattr(images, "offset", 0)) + images.nbytes == os.stat(path).st_size
    return Path(path) if whole and images.flags.c_contiguous else None


class Stack:
    """uint8 [count, C, H, W] that is filled in order: in memory, or in a file where it is large."""

    def __init__(self, count: int, shape: tuple[int, ...]) -> None:
        now = _READING.get()
        self._filled = 0
        self._file: _File | None = None
        if now is None or count * int(np.prod(shape)) <= IN_MEMORY:
            self._array = np.empty((count, *shape), dtype=np.uint8)
        else:
            self._file = _File(now, (count, *shape))

    def add(self, faces: NDArray[np.uint8]) -> None:
        """faces: uint8 [n, C, H, W], the next n."""
        if self._file is not None:
            self._file.write(faces)
        else:
            self._array[self._filled : self._filled + len(faces)] = faces
        self._filled += len(faces)

    def close(self) -> NDArray[np.uint8]:
        """The whole of it; read-only where it is in a file."""
        return self._array if self._file is None else self._file.close()


class _File:
    """A .npy file that is written face by face.

    Like any file, not through a memory map: pages that are written there count as our memory.
    """

    def __init__(self, now: _Reading, shape: tuple[int, ...]) -> None:
        self._cache = now.parent.parent
        with self._named():
            if now.folder is None:
                now.parent.mkdir(parents=True, exist_ok=True)
                now.folder = own_folder(now.parent)
            self._path = now.folder / f"{len(os.listdir(now.folder))}.npy"
            self._file = open(self._path, "wb")  # noqa: SIM115
            head = {"descr": "|u1", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(self._file, head)

    def write(self, faces: NDArray[np.uint8]) -> None:
        with self._named():
            self._file.write(np.ascontiguousarray(faces).data)

    def close(self) -> NDArray[np.uint8]:
        with self._named(), self._file:
            self._file.flush()
            os.fsync(self._file.fileno())
        faces: NDArray[np.uint8] = np.load(self._path, mmap_mode="r", allow_pickle=False)
        return faces

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise unwritable_cache(self._cache, error) from error


def take(split: Split, mask: NDArray[np.bool_]) -> Split:
    """The faces of a split where mask, bool [N], holds; of any size, as it never copies all."""
    stack = Stack(int(mask.sum()), split.images.shape[1:])
    start = 0
    for block in blocks(split.images):
        stack.add(block[mask[start : start + len(block)]])
        start += len(block)
    soft = None if split.soft is None else split.soft[mask]
    rows = None if split.rows is None else split.rows[mask]
    return Split(stack.close(), split.labels[mask], soft, rows)
