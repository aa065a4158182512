"""The strip of faces on the page: `python tests/support/strip.py` writes its pictures anew."""

from __future__ import annotations

import io

import numpy as np
from folders import ROOT
from numpy.typing import NDArray
from PIL import Image

SHOWN = ("happy", "surprise")
FOLDER = ROOT / "lrfer_bench" / "reporting" / "templates"


def faces() -> NDArray[np.uint8]:
    """The first test face of SynthFace of each class shown, one above the other: [96, 48]."""
    from lrfer_bench.datasets.synthface import SynthFace

    whole = SynthFace().load(None)
    found = whole.splits["test"]
    classes = [whole.classes.index(name) for name in SHOWN]
    places = [int(np.flatnonzero(found.labels == k)[0]) for k in classes]
    return np.concatenate([found.images[k, 0] for k in places])


def small(hr: NDArray[np.uint8], px: int) -> NDArray[np.uint8]:
    """The faces at px pixels, as the protocol bicubic@1 makes them: byte for byte Pillow's."""
    halves = np.split(hr, len(SHOWN))
    sizes = [Image.fromarray(f).resize((px, px), Image.Resampling.BICUBIC) for f in halves]
    return np.concatenate([np.asarray(face) for face in sizes])


def png(pixels: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def pixels(png: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(png)))


if __name__ == "__main__":
    from lrfer_bench.reporting.page import FACES

    for side in FACES:
        (FOLDER / f"face{side}.png").write_bytes(png(small(faces(), side)))
