"""What all pictures share: figures without global state, saving, legends, axes over sizes."""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lrfer_bench.files import write_atomically
from lrfer_bench.reporting.boards import Board
from lrfer_bench.reporting.copies import own_lines
from lrfer_bench.reporting.lines import Line
from lrfer_bench.reporting.palette import Look

DPI = 160
LEGEND = 1.9
LEAST_WIDTH = 5.0
"""Inches: what a legend takes at the right, and what the shortest title needs."""
NAME_LETTERS = 40
"""Of a name in a legend: they leave the panels their room."""
PANEL_LETTERS = 44
"""What fits over a panel in one line of its title."""
STYLE: Any = {
    "font.size": 9, "axes.titlesize": 9.5, "axes.spines.top": False, "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd", "grid.linewidth": 0.6, "axes.axisbelow": True, "legend.frameon": False,
    "svg.hashsalt": "lrfer-bench", "axes.formatter.use_mathtext": False,
    "savefig.facecolor": "white",
}  # fmt: skip


@dataclass
class Canvas:
    """A figure with its axes, row by row; spare axes are switched off."""

    figure: Figure
    axes: list[Axes]
    columns: int


def canvas(
    panels: int, columns: int, size: tuple[float, float], extra: tuple[float, float] = (0.0, 0.0)
) -> Canvas:
    """Axes for panels in a grid; size in inches of one panel, extra for legends."""
    rows = math.ceil(panels / columns)
    width = columns * size[0] + extra[0]
    figure = Figure(
        figsize=(max(width, LEAST_WIDTH), rows * size[1] + extra[1]), layout="constrained"
    )
    FigureCanvasAgg(figure)
    grid = figure.subplots(rows, columns, squeeze=False).ravel().tolist()
    for spare in grid[panels:]:
        spare.set_axis_off()
    return Canvas(figure, grid[:panels], columns)


ENDINGS: Mapping[str, Mapping[str, Any]] = {
    "png": {"dpi": DPI},
    "svg": {"metadata": {"Date": None}},
}


def save(
    figure: Figure, path: Path, endings: Sequence[str] = tuple(ENDINGS), mark: str = ""
) -> list[Path]:
    """Write path.png and path.svg; without dates, so that the same records give the same bytes.

    mark: stands in their metadata as a description.
    """
    written = []
    for ending in endings:
        buffer = io.BytesIO()
        options = dict(ENDINGS[ending])
        if mark:
            options["metadata"] = {**options.get("metadata", {}), "Description": mark}
        with matplotlib.rc_context(STYLE):
            # Laid out once, by itself: with a layout engine left, matplotlib draws each file twice.
            engine = figure.get_layout_engine()
            if engine is not None:
                engine.execute(figure)
            figure.set_layout_engine(None)
            figure.savefig(buffer, format=ending, **options)
        target = path.with_name(f"{path.name}.{ending}")
        write_atomically(target, buffer.getvalue(), "choose another --out")
        written.append(target)
    return written


def plain(text: str) -> str:
    """Text that matplotlib draws as it is, also with dollars and a leading underscore."""
    return ("\u2009" if text.startswith("_") else "") + text.replace("$", r"\$")


@dataclass
class Key:
    """Legend lines met while drawing; each label once, in the order of first sight."""

    handles: dict[str, Line2D] = field(default_factory=dict)

    def add(self, label: str, look: Look) -> None:
        self.handles.setdefault(label, Line2D([], [], **stroke(look)))

    def put(self, figure: Figure) -> None:
        """At the right of the panels; the figure grows where they are not as high as its names."""
        names = [plain(label) for label in distinct(self.handles)]
        handles = list(self.handles.values())
        legend = figure.legend(handles, names, loc="outside right upper", fontsize=8.5)
        needed = legend.get_window_extent().height / figure.dpi + 0.1
        figure.set_figheight(max(figure.get_figheight(), needed))


def distinct(labels: Iterable[str]) -> list[str]:
    """Labels that a legend has room for, each still another one.

    >>> distinct(["kd", "m[" + 50 * "a" + "]", "m[" + 50 * "a" + "b]"])[1:]
    ['m[aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa… 1', 'm[aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa… 2']
    """
    labels = list(labels)
    short = [cut(label, NAME_LETTERS) for label in labels]
    return [
        f"{name} {short[: k + 1].count(name)}" if short.count(name) > 1 else name
        for k, name in enumerate(short)
    ]


def cut(text: str, letters: int) -> str:
    """
    >>> cut("a long name", 7)
    'a long…'
    """
    return text if len(text) <= letters else text[: letters - 1] + "…"


def stroke(look: Look, **more: Any) -> dict[str, Any]:
    """Options for Axes.plot."""
    options: dict[str, Any] = {
        "color": look.colour,
        "marker": look.marker or None,
        "markersize": 5.5,
        "linewidth": 1.6,
    }
    options |= {"markeredgecolor": "white", "markeredgewidth": 0.5}
    if look.dash:
        options["dashes"] = look.dash
    return options | more


def dot(look: Look, **more: Any) -> dict[str, Any]:
    """Options for Axes.plot: stroke() without its line."""
    options = stroke(look, **more)
    options.pop("dashes", None)  # matplotlib before 3.9 cannot draw dashes of no width
    return options | {"linestyle": "none"}


def size_axis(axes: Axes, sizes: Mapping[int, int], label: bool = True) -> None:
    """A log2 axis of sizes in pixels, each tick with its scale."""
    axes.set_xscale("log", base=2)
    points = sorted({px: scale for scale, px in sizes.items()}.items())
    axes.set_xticks(
        [px for px, _ in points], [f"{px}\n{'HR' if s == 1 else f'x{s}'}" for px, s in points]
    )
    axes.minorticks_off()
    if label:
        axes.set_xlabel("size of the face in pixels (and scale)")


def lr_sizes(board: Board) -> dict[int, int]:
    """Sizes that some LR method was tested at: the axis of a curve."""
    met = {scale for line in board.ranked for scale, row in line.rows.items() if row.counted}
    return {scale: px for scale, px in board.sizes.items() if scale in met} or board.sizes


def finish(figure: Figure, title: str, boards: Sequence[Board]) -> None:
    """Put a title; it says synthetic when all boards are. Where some are, their panels say it."""
    mark = (
        " (synthetic faces)"
        if all(b.synthetic for b in boards) and "(synthetic)" not in title
        else ""
    )
    # Left, and no wider than what a legend at the right leaves free.
    room = figure.get_figwidth() - (LEGEND if figure.legends else 0.2)
    lines = [textwrap.fill(text, max(24, int(room * 12.5))) for text in (title + mark).split("\n")]
    figure.suptitle(plain("\n".join(lines)), fontsize=10.5, x=0.012, ha="left")


def styled() -> Any:
    """The context in which pictures are drawn."""
    return matplotlib.rc_context(STYLE)


def percent_axis(axes: Axes, label: str | None = "accuracy in %") -> None:
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:g}")
    if label:
        axes.set_ylabel(label)


def panel_title(board: Board, alone: bool) -> str:
    """The board's title in lines that fit over a panel."""
    if alone:
        return ""
    lines = board.title.replace(" · ", "\n", 1).split("\n")
    return plain("\n".join(textwrap.fill(line, PANEL_LETTERS) for line in lines))


def shorten(lines: Iterable[Line], most: int) -> tuple[list[Line], int]:
    """The first lines of a board, and how many methods were left out.

    The same models at sizes that they were not trained for are no further methods.
    """
    found = own_lines(lines)
    return found[:most], max(0, len(found) - most)


def more_methods(left: int) -> str:
    """
    >>> more_methods(1), more_methods(2)
    ('1 more method is', '2 more methods are')
    """
    return f"{left} more method{' is' if left == 1 else 's are'}"
