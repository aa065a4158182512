"""Whether a picture on disk shows these very records, so that it need not be drawn again.

Each picture has the digest of all that it depends on in its own metadata, so nothing else has to be
kept, and a picture that was copied or deleted is treated as what it is. Needs no matplotlib.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import metadata, resources
from pathlib import Path

from lrfer_bench.files import check_regular
from lrfer_bench.reporting.boards import Board
from lrfer_bench.reporting.palette import Look

HEAD = 4096
"""Bytes of a PNG or SVG among which its metadata stand."""


def shows(files: Iterable[Path], mark: str) -> bool:
    """Whether all these files are there and have this digest in their heads."""
    return all(mark.encode() in _head(path) for path in files)


def _head(path: Path) -> bytes:
    try:
        check_regular(path)
        with path.open("rb") as file:
            return file.read(HEAD)
    except (OSError, ValueError):
        return b""


def digest(name: str, boards: Sequence[Board], looks: Mapping[str, Look], title: str = "") -> str:
    """A hash of all that a picture depends on: records, order, looks and the code that draws."""
    lines = [name, title, _code(), *(_said(board, looks) for board in boards)]
    return hashlib.sha256("\n".join(lines).encode("utf-8", "replace")).hexdigest()


def _said(board: Board, looks: Mapping[str, Look]) -> str:
    """Numbers follow from records and code; where logits are missing there are no bounds."""
    lines = [board.title, str(board.sizes)]
    for line in board.lines:
        lines.append(f"{line.label} {line.rank} {looks.get(line.method)} {line.holes}")
        for scale, row in line.rows.items():
            records = [f"{r.record.key} {r.record.content_sha256}" for r in row.results]
            lines.append(f"{scale} {row.part} {row.counted} {row.accuracy} {records}")
    return "\n".join(lines)


@cache
def _code() -> str:
    """A hash of the code of this room and of the one that counts, and matplotlib's version."""
    found = hashlib.sha256(metadata.version("matplotlib").encode())
    for package in ("lrfer_bench.reporting", "lrfer_bench.scoring"):
        files = sorted(resources.files(package).iterdir(), key=lambda file: file.name)
        for file in files:
            if file.name.endswith(".py"):
                found.update(file.read_bytes())
    return found.hexdigest()
