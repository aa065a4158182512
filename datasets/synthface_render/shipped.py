"""The shipped set: packing it, reading it, and whether this machine would make it again.

`python -m lrfer_bench.datasets.synthface_render.shipped` makes the file anew (minutes); the card's
fingerprint then has to be brought up to date with what it prints.
"""

from __future__ import annotations

import hashlib
import io
import sys
import zipfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lrfer_bench.api import SPLITS, DataError, FaceSet, Split, write_atomically

from .expressions import CLASSES
from .generate import Face, faces
from .photograph import LEVELS
from .seeds import generator

SEED, IDENTITIES, SIZE = 0, 450, 48
PATH = Path(__file__).resolve().parent.parent / "synthface_data" / "synthface48.npz"
ROWS, COLUMNS = 35, 20
"""Faces of one strip, a PNG: a wide one compresses better than a column of single faces."""

STEP = 256 // LEVELS
"""Every grey value is a multiple of it; the strips hold the quotients, which compress better."""


def shipped_faces(split: str) -> list[Face]:
    """The faces of one split in the order they are stored."""
    return [face for face in faces(SEED, IDENTITIES) if face.split == split]


def pack(images: dict[str, NDArray[np.uint8]], canary_digest: str) -> bytes:
    """The npz file's bytes.

    images: split -> uint8 [N, SIZE, SIZE], N a multiple of ROWS * COLUMNS
    Labels and identities are not stored: they follow from shipped_faces().
    """
    arrays: dict[str, NDArray[np.uint8]] = {
        "canary": np.frombuffer(bytes.fromhex(canary_digest), dtype=np.uint8)
    }
    for split, stack in images.items():
        for number, start in enumerate(range(0, len(stack), ROWS * COLUMNS)):
            part = stack[start : start + ROWS * COLUMNS].reshape(ROWS, COLUMNS, SIZE, SIZE) // STEP
            file = io.BytesIO()
            Image.fromarray(part.transpose(0, 2, 1, 3).reshape(ROWS * SIZE, COLUMNS * SIZE)).save(
                file, "png", optimize=True
            )
            arrays[f"{split}_{number:02d}"] = np.frombuffer(file.getvalue(), dtype=np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def unpack(path: Path = PATH) -> dict[str, Split]:
    """All splits; DataError when the file is missing or damaged."""
    try:
        with np.load(path, allow_pickle=False) as z:
            strips = {name: z[name].tobytes() for name in z.files}
        stacks = {
            split: np.concatenate(
                [_strip(strips[name]) for name in sorted(strips) if name.startswith(split + "_")]
            )
            for split in SPLITS
        }
    except (OSError, ValueError, KeyError, SyntaxError, zipfile.BadZipFile) as error:
        raise DataError(
            f"SynthFace's file {path} cannot be read ({error}): install lrfer-bench again"
        ) from error
    return {split: _labelled(path, split, stack) for split, stack in stacks.items()}


def _strip(data: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(data)) as picture:
        pixels = np.asarray(picture)
    faces_apart = pixels.reshape(ROWS, SIZE, COLUMNS, SIZE).transpose(0, 2, 1, 3)
    return faces_apart.reshape(-1, SIZE, SIZE) * np.uint8(STEP)


def _labelled(path: Path, split: str, stack: NDArray[np.uint8]) -> Split:
    wanted = shipped_faces(split)
    if len(stack) != len(wanted):
        raise DataError(
            f"SynthFace's file {path} holds {len(stack)} {split} faces, not {len(wanted)}: "
            "install lrfer-bench again"
        )
    labels = np.array([CLASSES.index(face.label) for face in wanted], dtype=np.int64)
    return Split(stack[:, None], labels, rows=np.arange(len(wanted), dtype=np.int64))


def canary() -> str:
    """sha256 of a few numbers made by the functions the renderer rests on.

    Where it differs from the shipped one, this machine's numpy rounds differently and faces may
    differ by a grey level.
    """
    rng = generator("canary")
    draws = np.concatenate(
        [
            rng.standard_normal(5000),
            rng.random(5000),
            rng.beta(1.9, 1.6, 500),
            rng.dirichlet([0.35] * 3),
        ]
    )
    x = 12 * draws
    parts = [
        draws, np.sin(x), np.cos(x), np.exp(-x * x), np.sqrt(np.abs(x)), np.arctan2(x, draws[::-1]),
        np.arccos(np.clip(draws, -1, 1)), np.abs(x) ** (1 / 2.2),
        np.add.reduceat(x, np.arange(0, len(x), 7)),
        x[:10000].reshape(50, 4, 50).mean(axis=1).ravel(),
    ]  # fmt: skip
    return hashlib.sha256(
        b"".join(np.ascontiguousarray(part, dtype="<f8").tobytes() for part in parts)
    ).hexdigest()


def shipped_canary(path: Path = PATH) -> str:
    """The canary of the machine that made the shipped set."""
    with np.load(path, allow_pickle=False) as z:
        return bytes(z["canary"].tobytes()).hex()


def _render(face: Face) -> NDArray[np.uint8]:
    return face.render(SIZE)[0]


def build(path: Path = PATH, workers: int = 2) -> None:
    """Render the whole shipped set and put the file in place."""
    images = {}
    with ProcessPoolExecutor(workers) as pool:
        for split in SPLITS:
            images[split] = np.stack(list(pool.map(_render, shipped_faces(split), chunksize=28)))
    write_atomically(path, pack(images, canary()))


def main(arguments: Sequence[str]) -> None:
    """Build the file, to the path given or to its place in the package."""
    path = Path(arguments[0]) if arguments else PATH
    build(path)
    fingerprint = FaceSet("synthface", CLASSES, unpack(path)).fingerprint()
    print(f"{path}: {path.stat().st_size} bytes, fingerprint {fingerprint}")


if __name__ == "__main__":
    main(sys.argv[1:])
