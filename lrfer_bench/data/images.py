"""Picture files to uint8 arrays, with faults named. Needs numpy and Pillow only."""

from __future__ import annotations

import io
import re
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from lrfer_bench.data.reading import Stack, noticed, told
from lrfer_bench.data.unread import TURNED, unread
from lrfer_bench.errors import DataError, UserError
from lrfer_bench.files import is_momentary, not_now, read_limited
from lrfer_bench.machine.limits import usable_cores

ENDINGS = frozenset(
    {
        ".png",
        ".jpg",
        ".jpeg",
        ".bmp",
        ".webp",
        ".gif",
        ".tif",
        ".tiff",
        ".pgm",
        ".ppm",
        ".jfif",
        ".jpe",
    }
)
GREY_MODES = frozenset({"1", "L", "LA"})
MOST_PIXELS = 40_000_000
"""No picture of a face has more; it is looked up in the header, before anything is unpacked."""
TOO_LARGE = f"has more than {MOST_PIXELS // 1_000_000} million pixels"
SMALLER = "make it smaller, or cut the face out"
OF_A_LIST = "copy it as published, or take its lines out of the list"
MOST_BYTES = 1 << 28
MOST_SIDE = 4096
COLOURS = ("auto", "grey", "rgb")
SHOWN = 10
"""Bad pictures that one message names."""
PLAIN_MODES = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr"})
DEEP = re.compile(";(?:16|32)[A-Z]")
"""In Pillow's name of a raw mode, such as "RGB;16B": of such channels it keeps the high byte."""
ORIENTATION = ExifTags.Base.Orientation
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF's Orientation -> what sets a picture upright."""
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Crop:
    """A part of a picture; box(width, height) of it is (left, top, right, bottom) in pixels."""

    path: Path
    box: Callable[[int, int], Box]


Source = Path | Crop
"""Where a face is: a whole picture, or a part of one."""
Decoded = tuple["NDArray[np.uint8] | BadPicture", tuple[str, ...]]
"""A face, and what of its file it does not show (see data/unread.py)."""


def check_options(size: object, colour: object) -> None:
    """UserError when size is not a positive integer (or None), or colour is unknown."""
    if isinstance(size, int) and size > MOST_SIDE:
        raise UserError(f"the option size is more than {MOST_SIDE} pixels: give a smaller one")
    if size is not None and (not isinstance(size, int) or isinstance(size, bool) or size < 1):
        raise UserError(f'the option size is "{size}": give a whole number of pixels, 1 or more')
    if colour not in COLOURS:
        raise UserError(f'the option colour is "{colour}": give one of {", ".join(COLOURS)}')


class BadPicture(DataError):
    """One picture that cannot be used: which, what is wrong with it, what to do."""

    def __init__(self, path: Path, what: str, advice: str) -> None:
        super().__init__(f"the picture {path} {what}: {advice}")
        self.path, self.what, self.advice = path, what, advice


def open_image(path: Path) -> Image.Image:
    """Decode a whole picture, upright.

    Raises BadPicture, a DataError, for one that cannot be decoded or has more than 8 bits a
    channel.
    """
    with _bombs_are_faults():
        return _open(path)[0]


def picture_bytes(path: Path) -> bytes:
    """A picture file as it is. BadPicture for one that cannot be read, or is too large for one."""
    try:
        return read_limited(path, MOST_BYTES)
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and is_momentary(error):
            raise not_now(path, error) from error
        why = getattr(error, "strerror", None) or error
        raise BadPicture(path, f"cannot be read ({why})", "copy it again or take it out") from error


@contextmanager
def _bombs_are_faults() -> Iterator[None]:
    """Pillow only warns of some pictures with too many pixels. Not to be entered by threads."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def _open(path: Path) -> tuple[Image.Image, tuple[str, ...]]:
    """A picture, upright, and what of its file it does not show."""
    try:
        with Image.open(io.BytesIO(read_limited(path, MOST_BYTES))) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise BadPicture(path, TOO_LARGE, SMALLER)
            deep = picture.mode.startswith(("I", "F")) or DEEP.search(str(picture.tile))
            if deep:
                raise BadPicture(path, "has more than 8 bits a channel", "convert it to 8 bits")
            picture.load()
            turn = _turn_of(picture)
            turned = picture.copy() if turn is None else picture.transpose(turn)
            upright = _in_a_plain_mode(turned)
            rest = unread(picture) + (TURNED,) * (turn is not None)
    except FileNotFoundError as error:
        raise BadPicture(path, "is missing", "check its name, or copy it again") from error
    except (BadPicture, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise BadPicture(path, TOO_LARGE, SMALLER) from error
    except Exception as error:  # a damaged file can raise anything in Pillow's many readers
        if isinstance(error, OSError) and is_momentary(error):
            raise not_now(path, error) from error
        why = str(error) or type(error).__name__
        if isinstance(error, UnidentifiedImageError):  # whose text names an object of Python
            why = "it is of no kind of picture that is known"
        raise BadPicture(path, f"cannot be decoded ({why})", "copy it again or take it out") from (
            error
        )
    return upright, rest


def _turn_of(picture: Image.Image) -> Image.Transpose | None:
    """What sets a picture upright, as its Orientation tag says.

    Pillow's own exif_transpose() writes all other metadata anew, and fails where one is odd.
    """
    try:
        return TURNS.get(picture.getexif().get(ORIENTATION, 1))
    except Exception:  # viewers show such a picture as it is stored
        return None


def _in_a_plain_mode(picture: Image.Image) -> Image.Image:
    """Kinds of pixels such as LAB become RGB; ValueError for those of which Pillow cannot do it."""
    picture.info.pop("transparency", None)  # no pixel rests on it, and Pillow warns of some
    return picture if picture.mode in PLAIN_MODES else picture.convert("RGB")


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
        except Exception:
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
    Raises a DataError that names the bad files; where they differ in size it ends with advice.
    """
    return read_splits({"": paths}, colour, size, shape=shape, advice=advice)[""]


def read_splits(
    paths: Mapping[str, Sequence[Source]],
    colour: str,
    size: int | None,
    *,
    shape: tuple[int, ...] | None = None,
    advice: str,
) -> dict[str, NDArray[np.uint8]]:
    """read_images() of several splits that are of one size: split -> uint8 [N, C, H, W].

    A Crop stands for a part of a picture, resized to size. Bad files of all splits are named in one
    DataError. All cores decode; faces that are too many for memory go into a file (see
    data/reading.py).
    """
    if not all(paths.values()):
        raise DataError("there is no picture to read: check --data-root")
    every, done = sum(map(len, paths.values())), 0
    found: dict[str, NDArray[np.uint8]] = {}
    bad: list[BadPicture] = []
    cores = usable_cores()
    with _bombs_are_faults(), ThreadPoolExecutor(cores) as pool:
        for split, files in paths.items():
            stack: Stack | None = None
            for source, (face, rest) in zip(
                files, _decoded(pool, 2 * cores, files, colour, size), strict=True
            ):
                done += 1
                told(done, every)
                noticed(rest)
                if isinstance(face, BadPicture):
                    bad.append(face)
                    continue
                shape = shape or face.shape
                if face.shape != shape:
                    bad.append(_of_other_size(_file(source), face.shape, shape, advice))
                elif not bad:  # after a fault the others are only looked at
                    stack = stack or Stack(len(files), shape)
                    stack.add(face[None])
            if stack is not None and not bad:
                found[split] = stack.close()
    if bad:
        raise _all_of(bad)
    return found


def _decoded(
    pool: ThreadPoolExecutor, ahead: int, paths: Sequence[Source], colour: str, size: int | None
) -> Iterator[Decoded]:
    """Faces in the order of paths, of which `ahead` are decoded before they are asked for."""

    def decode(source: Source) -> Decoded:
        try:
            picture, rest = _open(_file(source))
        except BadPicture as error:
            moves = isinstance(source, Crop) and error.advice == SMALLER  # it has a box in pixels
            return BadPicture(error.path, error.what, OF_A_LIST) if moves else error, ()
        box = source.box(*picture.size) if isinstance(source, Crop) else None
        if box is None:
            rest = tuple(kind for kind in rest if kind != TURNED)  # nothing rests on the turn
        try:
            return to_array(picture, colour, size, box), rest
        except ValueError as error:  # a box that is not inside its picture
            what = (
                "cannot be converted" if box is None else f"has a box {box} that cannot be cut out"
            )
            return BadPicture(_file(source), f"{what} ({error})", "correct it"), ()

    waiting: deque[Future[Decoded]] = deque()
    for path in paths:
        waiting.append(pool.submit(decode, path))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _file(source: Source) -> Path:
    return source.path if isinstance(source, Crop) else source


def _of_other_size(
    path: Path, found: tuple[int, ...], wanted: tuple[int, ...], advice: str
) -> BadPicture:
    what = f"is {found[2]} x {found[1]} pixels, not {wanted[2]} x {wanted[1]}"
    return BadPicture(path, what, advice)


def _all_of(bad: list[BadPicture]) -> DataError:
    """One sentence for all: one fault is said as it is, of many the first ten and the count.

    A picture that holds several faces is one.
    """
    bad = list({(one.path, one.what): one for one in bad}.values())
    if len(bad) == 1:
        return bad[0]
    shown = "; ".join(f"{one.path} {one.what}" for one in bad[:SHOWN])
    more = f"; and {len(bad) - SHOWN:,} more" if len(bad) > SHOWN else ""
    advice = ", and ".join(dict.fromkeys(one.advice for one in bad))
    return DataError(f"{len(bad):,} pictures cannot be used ({shown}{more}): {advice}")
