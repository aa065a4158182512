"""The contact sheet of the docs: a row a class, several people, HR beside x2, x4 and x8.

`python -m lrfer_bench.datasets.synthface_render.sheet` draws it anew to
docs/images/synthface_sheet.png, from the shipped set; of each person's two photographs of a class
the stronger one is shown.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib import font_manager
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from lrfer_bench.api import write_atomically

from .expressions import CLASSES, draw_expression
from .shipped import SEED, shipped_faces, unpack

SPLIT = "test"
PEOPLE = (53, 376, 251)
SCALES = (1, 2, 4, 8)
TILE, STEP, GAP, LEFT, TOP = 96, 100, 16, 104, 66

INK, FAINT, PAPER = (30, 30, 34), (110, 110, 116), (255, 255, 255)


def contact_sheet(people: Sequence[int] = PEOPLE, split: str = SPLIT) -> Image.Image:
    """An RGB picture; people are identity numbers of the split."""
    images = unpack()[split].images
    where = {
        (face.identity, face.label, face.take): row for row, face in enumerate(shipped_faces(split))
    }
    block = STEP * len(SCALES)
    width, height = LEFT + len(people) * (block + GAP), TOP + len(CLASSES) * STEP + 6
    sheet = Image.new("RGB", (width, height), PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.text(
        (8, 6), "SynthFace: synthetic faces, rendered at 48 x 48 pixels", fill=INK, font=_font(22)
    )
    for column, person in enumerate(people):
        x = LEFT + column * (block + GAP)
        for number, scale in enumerate(SCALES):
            title = "HR" if scale == 1 else f"x{scale}"
            pen.text(
                (x + number * STEP + 4, TOP - 24),
                f"{title}  {48 // scale} px",
                fill=FAINT,
                font=_font(15),
            )
        for row, label in enumerate(CLASSES):
            image = images[where[person, label, _stronger(person, label)]][0]
            for number, scale in enumerate(SCALES):
                sheet.paste(shown(image, scale), (x + number * STEP, TOP + row * STEP))
    for row, label in enumerate(CLASSES):
        pen.text((8, TOP + row * STEP + TILE // 2 - 10), label, fill=INK, font=_font(19))
    return sheet


def shown(image: NDArray[np.uint8], scale: int) -> Image.Image:
    """One face at a scale, enlarged to TILE by repeating its pixels."""
    picture = Image.fromarray(image)
    side = -(-image.shape[0] // scale)
    small = picture.resize((side, side), Image.Resampling.BICUBIC) if scale > 1 else picture
    return small.resize((TILE, TILE), Image.Resampling.NEAREST).convert("RGB")


def _stronger(person: int, label: str) -> int:
    return max((0, 1), key=lambda take: draw_expression(SEED, person, label, take).strength)


def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(font_manager.findfont("DejaVu Sans"), size)


def main(arguments: Sequence[str]) -> None:
    import io

    path = Path(arguments[0] if arguments else "docs/images/synthface_sheet.png")
    buffer = io.BytesIO()
    contact_sheet().save(buffer, "png", optimize=True)
    write_atomically(path, buffer.getvalue())


if __name__ == "__main__":
    main(sys.argv[1:])
