"""Confusion matrices, method by scale, and where methods differ."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lrfer_bench.reporting import numbers
from lrfer_bench.reporting.boards import Board
from lrfer_bench.reporting.counts import shares
from lrfer_bench.reporting.draw import canvas, cut, finish, more_methods, plain, shorten, styled
from lrfer_bench.reporting.lines import Line
from lrfer_bench.reporting.rows import Row

MOST_METHODS = 8
MOST_NUMBERED = 8


def confusion_sheet(board: Board) -> Figure:
    """A row a method (eight at most, best first), a column a scale; in % of the true class."""
    lines, left = shorten([e for e in board.lines if e.shown], MOST_METHODS)
    return _sheet(
        board,
        lines,
        None,
        _with_rest(f"{board.title}\nconfusion: true class (rows), said (columns), in %", left),
    )


def difference_sheet(board: Board) -> Figure | None:
    """The same, minus the matrix of the board's first method at that scale; None for one method."""
    lines = [line for line in board.ranked if line.shown]
    if len(lines) < 2:
        return None
    best, (others, left) = lines[0], shorten(lines[1:], MOST_METHODS)
    return _sheet(
        board,
        others,
        best,
        _with_rest(f"{board.title}\nconfusion minus that of {best.label}, in points", left),
    )


def _with_rest(title: str, left: int) -> str:
    return f"{title} ({more_methods(left)} on the page)" if left else title


def _sheet(board: Board, lines: list[Line], best: Line | None, title: str) -> Figure:
    """A row for each line, over the scales that comparable ones have; an oracle's matrix first."""
    scales = [
        s
        for s in board.sizes
        if any(e.has(s) for e in lines if not e.oracle) and (best is None or best.has(s))
    ]
    scales = scales or [1]
    side = 0.9 + 0.27 * len(board.classes)
    with styled():
        sheet = canvas(len(lines) * len(scales), len(scales), (side, side), (0.5, 0.5))
        for k, line in enumerate(lines):
            places = [1] if line.oracle and set(line.rows) == {1} else scales
            row_axes = sheet.axes[k * len(scales) : (k + 1) * len(scales)]
            for axes in row_axes[len(places) :]:
                axes.set_axis_off()
            bottom = k == len(lines) - 1 or (lines[k + 1].oracle and not line.oracle)
            for j, (axes, scale) in enumerate(zip(row_axes, places, strict=False)):
                _matrix(axes, board, line.rows.get(scale), best.rows.get(scale) if best else None)
                axes.set_title(
                    plain(f"{cut(line.label, 26)} · {'HR' if scale == 1 else f'x{scale}'}"),
                    fontsize=8.5,
                )
                _class_names(axes, board, rows=j == 0, columns=bottom)
        finish(sheet.figure, title, [board])
    return sheet.figure


def _matrix(axes: Axes, board: Board, row: Row | None, best: Row | None) -> None:
    axes.grid(False)
    if row is None or not row.counted or (best is not None and not best.counted):
        axes.text(
            0.5,
            0.5,
            "missing" if row is None else row.status,
            ha="center",
            transform=axes.transAxes,
            color="#777777",
        )
        axes.set_frame_on(False)
        axes.set_xlim(-0.5, len(board.classes) - 0.5)
        axes.set_ylim(len(board.classes) - 0.5, -0.5)
        return
    values = shares(row) - (shares(best) if best is not None else 0)
    if best is None:
        axes.imshow(values, cmap="Blues", vmin=0, vmax=1)
    else:
        axes.imshow(values, cmap="PuOr", vmin=-0.3, vmax=0.3)
    if len(board.classes) <= MOST_NUMBERED:
        _numbers(axes, values, 0.6 if best is None else 0.2, signed=best is not None)


def _numbers(axes: Axes, values: NDArray[np.float64], dark: float, signed: bool) -> None:
    for (i, j), value in np.ndenumerate(values):
        text = numbers.points(value) if signed else numbers.whole(value)
        if not np.isnan(value) and (text != "0" or i == j):
            colour = "white" if abs(value) > dark else "black"
            label = axes.text(j, i, text, ha="center", va="center", fontsize=6.5, color=colour)
            label.set_in_layout(False)


def _class_names(axes: Axes, board: Board, rows: bool, columns: bool) -> None:
    places = range(len(board.classes))
    names = [plain(cut(name, 24)) for name in board.classes]
    axes.set_yticks(places, names if rows else [], fontsize=7)
    axes.set_xticks(
        places,
        names if columns else [],
        fontsize=7,
        rotation=60,
        ha="right",
        rotation_mode="anchor",
    )
    axes.tick_params(length=0)
