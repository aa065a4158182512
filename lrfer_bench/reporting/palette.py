"""One look for each method, the same in every picture and on the page.

Marker and dash tell methods apart where colours do not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

# Okabe and Ito's colours for the colour-blind, without yellow (too pale on white) and black (the
# oracle's).
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A5C3E")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*")
DASHES: tuple[tuple[float, ...], ...] = ((), (5, 2), (6, 2, 1.5, 2), (3, 3))


@dataclass(frozen=True)
class Look:
    """dash: on and off lengths in line widths, () is solid."""

    colour: str
    marker: str
    dash: tuple[float, ...] = ()


ORACLE = Look("#000000", "", (4, 3))


def looks(methods: Iterable[str]) -> dict[str, Look]:
    """A look for each method label, from a hash of its name; a taken colour gives way to the next.

    The first seven have colours of their own, solid lines; the next seven the same colours,
    dashed, other markers.
    """
    taken: dict[int, str] = {}
    for name in sorted(set(methods)):
        start = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") % len(COLOURS)
        block = len(taken) // len(COLOURS) * len(COLOURS)
        slot = next(
            s for k in range(len(COLOURS)) if (s := block + (start + k) % len(COLOURS)) not in taken
        )
        taken[slot] = name
    return {name: _look(slot) for slot, name in taken.items()}


def _look(slot: int) -> Look:
    dash = DASHES[slot // len(COLOURS) % len(DASHES)]
    return Look(COLOURS[slot % len(COLOURS)], MARKERS[slot % len(MARKERS)], dash)
