"""Picture files to uint8 arrays, with faults named. Needs numpy and Pillow only."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from lrfer_bench.errors import DataError, UserError
from lrfer_bench.files import is_momentary, not_now, read_limited

ENDINGS = frozenset(
    {".png", ".jpg", ".jpeg", ".bmp", ".webp", ".gif", ".tif", ".tiff", ".pgm", ".ppm"}
)
GREY_MODES = frozenset({"1", "L", "LA"})
MOST_PIXELS = 40_000_000
"""No picture of a face has more; it is looked up in the header, before anything is unpacked."""
MOST_BYTES = 1 << 28
MOST_SIDE = 4096
COLOURS = ("auto", "grey", "rgb")
FAULTS = (OSError, ValueError, SyntaxError, EOFError)
Box = tuple[float, float, float, float]


def check_options(size: object, colour: object) -> None:
    """UserError when size is no whole number above 0 (or None), or colour no known one."""
    if isinstance(size, int) and size > MOST_SIDE:
        raise UserError(f"the option size is more than {MOST_SIDE} pixels: give a smaller one")
    if size is not None and (not isinstance(size, int) or isinstance(size, bool) or size < 1):
        raise UserError(f'the option size is "{size}": give a whole number of pixels, 1 or more')
    if colour not in COLOURS:
        raise UserError(f'the option colour is "{colour}": give one of {", ".join(COLOURS)}')


def open_image(path: Path) -> Image.Image:
    """Decode a whole picture, upright.

    Raises DataError for one that cannot be decoded or has more than 8 bits a channel.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(read_limited(path, MOST_BYTES))) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    raise ValueError(f"it has {picture.width} x {picture.height} pixels")
                picture.load()
                upright = ImageOps.exif_transpose(picture)
    except FileNotFoundError as error:
        raise DataError(f"the picture {path} is missing: copy the data set again") from error
    except (*FAULTS, Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        if isinstance(error, OSError) and is_momentary(error):
            raise not_now(path, error) from error
        raise DataError(
            f"the picture {path} cannot be decoded ({error}): copy it again or take it out"
        ) from error
    if upright.mode.startswith(("I", "F")):
        raise DataError(
            f"the picture {path} has more than 8 bits a pixel (mode {upright.mode}): convert it to "
            "8 bits"
        )
    return upright


def to_array(
    picture: Image.Image, colour: str, size: int | None = None, box: Box | None = None
) -> NDArray[np.uint8]:
    """uint8 [C, H, W] of a picture, or of the part in box (left, top, right, bottom).

    colour: "grey" (ITU-R 601 luma) or "rgb". size: resized to size x size by Pillow's antialiased
            bicubic.
    """
    picture = picture.convert("L" if colour == "grey" else "RGB")
    if size is not None and (box is not None or picture.size != (size, size)):
        picture = picture.resize((size, size), Image.Resampling.BICUBIC, box=box)
    elif box is not None:
        picture = picture.crop(tuple(round(edge) for edge in box))  # type: ignore[arg-type]
    array = np.asarray(picture, dtype=np.uint8)
    return array[None] if array.ndim == 2 else np.ascontiguousarray(array.transpose(2, 0, 1))


def resolve_colour(colour: str, paths: Sequence[Path]) -> str:
    """What "auto" means for these files: "grey" when all are stored as grey, else "rgb".

    It reads headers only.
    """
    if colour != "auto":
        return colour
    for path in paths:
        try:
            with Image.open(io.BytesIO(read_limited(path, MOST_BYTES))) as picture:
                if picture.mode not in GREY_MODES:
                    return "rgb"
        except FAULTS:
            continue  # read_images names the fault
    return "grey"


def read_images(
    paths: Sequence[Path],
    colour: str,
    size: int | None,
    *,
    shape: tuple[int, ...] | None = None,
    advice: str,
) -> NDArray[np.uint8]:
    """uint8 [N, C, H, W] of files that are all of one size, or of any when size is given.

    shape: what [C, H, W] has to be, when something else has settled it, such as another split.
    Raises DataError that names the first file of another size and ends with advice.
    """
    images: NDArray[np.uint8] | None = None
    for index, path in enumerate(paths):
        array = to_array(open_image(path), colour, size)
        shape = shape or array.shape
        if images is None:
            images = np.empty((len(paths), *shape), dtype=np.uint8)
        if array.shape != shape:
            raise DataError(
                f"the picture {path} is {array.shape[2]} x {array.shape[1]} pixels, "
                f"not {shape[2]} x {shape[1]}: {advice}"
            )
        images[index] = array
    if images is None:
        raise DataError("there is no picture to read: check --data-root")
    return images
