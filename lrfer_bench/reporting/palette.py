"""One look for each method, the same in every picture and on the page.

Marker and dash tell methods apart where colours do not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lrfer_bench.reporting.lines import Line

# Of each hue one that has a contrast of 4:1 or more on white, and one that has 6:1 on the page's
# dark ground. Hues that follow each other are at least 60 degrees apart.
COLOURS = (
    ("#0B62B0", "#5AA9F5"),  # blue
    ("#C85A00", "#F5923E"),  # orange
    ("#0B7F8A", "#3FBFCB"),  # teal
    ("#B3378F", "#E57FC6"),  # magenta
    ("#1B7F3B", "#4FBF72"),  # green
    ("#B4232A", "#F07A7A"),  # red
    ("#6B46C1", "#A98BF0"),  # purple
    ("#8A6D00", "#D1B03A"),  # gold
)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*")
DASHES: tuple[tuple[float, ...], ...] = ((), (5, 2), (6, 2, 1.5, 2), (3, 3), (1, 1.5))
NEAR = ((0, 2), (0, 6), (1, 5), (1, 7), (2, 4), (3, 5), (3, 6), (5, 7))
"""Pairs of COLOURS whose hues are less than 60 degrees apart."""


@dataclass(frozen=True)
class Look:
    """dash: on and off lengths in line widths, () is solid. dark: the colour on a dark ground."""

    colour: str
    marker: str
    dash: tuple[float, ...] = ()
    dark: str = ""


ORACLE = Look("#000000", "", (4, 3), "#ffffff")


def looks(methods: Sequence[str], fixed: Mapping[str, int] | None = None) -> dict[str, Look]:
    """A look for each method label.

    methods: best first. fixed: label -> the place in the palette that its card says; it has that
    look in every report. The others take what is left, in this order, and none of them has a hue
    like that of the method before or behind it, as far as the palette reaches.
    """
    taken: dict[str, int] = {}
    names = list(dict.fromkeys(methods))
    for name in names:
        slot = (fixed or {}).get(name)
        if slot is not None and slot not in taken.values():
            taken[name] = slot
    kept = set((fixed or {}).values())
    for k, name in enumerate(names):
        if name not in taken:
            beside = {taken[n] for n in names[max(k - 1, 0) : k + 2] if n in taken}
            taken[name] = _free({*taken.values(), *kept}, beside)
    return {name: _look(taken[name]) for name in names}


def _free(taken: set[int], beside: set[int]) -> int:
    """The first place that nobody has and whose hue is not that of a neighbour."""
    places = [slot for slot in range(len(taken) + 3 * len(COLOURS)) if slot not in taken]
    return next((slot for slot in places if not any(near(slot, b) for b in beside)), places[0])


def near(one: int, other: int) -> bool:
    """Whether two places of the palette have hues that are easily taken for each other."""
    a, b = sorted((one % len(COLOURS), other % len(COLOURS)))
    return a == b or (a, b) in NEAR


def _look(slot: int) -> Look:
    colour, round_ = slot % len(COLOURS), slot // len(COLOURS)
    light, dark = COLOURS[colour]
    marker = MARKERS[(colour + round_) % len(MARKERS)]
    return Look(light, marker, DASHES[round_ % len(DASHES)], dark)


def look_of(line: Line, looks: Mapping[str, Look]) -> Look:
    """A method's look; dotted, with a marker of its scale, where it was trained at another one."""
    if line.oracle or not line.off_scale:
        return ORACLE if line.oracle else looks[line.method]
    row = next(iter(line.rows.values()))
    return replace(
        looks[line.method],
        dash=(1.5, 1.5),
        marker=MARKERS[row.record.train.scales[0] % len(MARKERS)],
    )
