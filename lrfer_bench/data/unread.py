"""What a picture file holds and a face does not show: it is counted, and said in a note."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from PIL import Image

FRAMES = "with several frames, of which the first was read"
TRANSPARENT = "with transparent pixels, whose colours were read as they are stored"
TURNED = "with a box and an Orientation tag, whose box was taken after the turn"
"""Whether a list means its boxes before or after, it does not say."""


def unread(picture: Image.Image) -> tuple[str, ...]:
    """FRAMES, TRANSPARENT or both, of a picture as Pillow opened and loaded it.

    It may end on another frame: what is needed of it has to be copied before.
    """
    try:
        transparent = _is_transparent(picture)
        # a .jpg of a telephone may hold a smaller copy or a map of depths behind the photograph
        moves = picture.format != "MPO" and bool(getattr(picture, "is_animated", False))
    except Exception:  # the face itself could be read, so that an odd rest of its file is no fault
        return ()
    return (FRAMES,) * moves + (TRANSPARENT,) * transparent


def _is_transparent(picture: Image.Image) -> bool:
    if "A" in picture.getbands():
        alpha = picture.getchannel("A")
    elif "transparency" in picture.info:
        alpha = picture.convert("RGBA").getchannel("A")
    else:
        return False
    return bool(np.asarray(alpha).min() < 255)


def remarks_on(counts: Mapping[str, int]) -> tuple[str, ...]:
    """A note for each kind. counts: kind -> how many faces come from such pictures."""
    return tuple(f"Pictures {what}: {count:,}." for what, count in counts.items())
