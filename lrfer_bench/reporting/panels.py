"""Reliability diagrams, recall of each class over size, learning curves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from lrfer_bench.reporting.boards import Board
from lrfer_bench.reporting.copies import own_lines
from lrfer_bench.reporting.counts import class_recall, reliability_points
from lrfer_bench.reporting.draw import (
    Key,
    canvas,
    cut,
    finish,
    lr_sizes,
    more_methods,
    percent_axis,
    plain,
    shorten,
    size_axis,
    stroke,
    styled,
)  # fmt: skip
from lrfer_bench.reporting.frame import Result
from lrfer_bench.reporting.lines import Line
from lrfer_bench.reporting.palette import ORACLE, Look, look_of
from lrfer_bench.reporting.rows import Row

MOST_METHODS = 10


def reliability(board: Board, looks: Mapping[str, Look]) -> Figure | None:
    """Share right against mean confidence, a panel a scale; None without logits.

    Bins of fewer than ten answers are not drawn.
    """
    lines = [line for line in board.ranked if any(row.tested for row in line.shown)]
    lines, left = shorten(lines, MOST_METHODS)
    scales = [s for s in board.sizes if any(s in e.rows and e.rows[s].tested for e in lines)]
    if not scales:
        return None
    key = Key()
    with styled():
        sheet = canvas(len(scales), min(3, len(scales)), (3.1, 3.2), (1.9, 0.3))
        for axes, scale in zip(sheet.axes, scales, strict=True):
            axes.plot([0, 1], [0, 1], color="#888888", linewidth=1, dashes=(2, 2))
            for line in lines:
                row = line.rows.get(scale)
                if row is not None and row.tested:
                    _reliability_line(axes, row, look_of(line, looks))
                    key.add(line.label, look_of(line, looks))
            axes.set_title("HR" if scale == 1 else f"x{scale} ({board.sizes[scale]} px)")
            axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="confidence in the class said, in %")
            axes.set_aspect("equal")
            axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:g}")
            percent_axis(axes, "right, in %")
        key.put(sheet.figure)
        more = f"; {more_methods(left)} not drawn" if left else ""
        finish(
            sheet.figure,
            f"{board.title}\nreliability: below the diagonal is too sure{more}",
            [board],
        )
    return sheet.figure


def _reliability_line(axes: Axes, row: Row, look: Look) -> None:
    points = reliability_points(row)
    axes.plot([x for x, _ in points], [y for _, y in points], **stroke(look, markersize=4))


def recall(board: Board, looks: Mapping[str, Look]) -> Figure:
    """Recall of each class against size, a panel a class; mean over seeds."""
    key = Key()
    sizes = lr_sizes(board)
    with styled():
        columns = min(4, len(board.classes))
        sheet = canvas(len(board.classes), columns, (2.6, 2.4), (1.9, 0.3))
        own = own_lines(board.ranked)
        for k, (axes, name) in enumerate(zip(sheet.axes, board.classes, strict=True)):
            for line in [*own, *(e for e in board.lines if e.oracle)]:
                _recall_line(axes, board, line, k, look_of(line, looks), key)
            axes.set_title(plain(cut(name, 24)))
            axes.set_ylim(0, 1)
            size_axis(axes, sizes, label=k >= len(board.classes) - columns)
            axes.set_xlabel("size in pixels" if k >= len(board.classes) - columns else "")
            percent_axis(axes, "recall in %" if k % columns == 0 else None)
        key.put(sheet.figure)
        finish(sheet.figure, f"{board.title}\nrecall of each class", [board])
    return sheet.figure


def _recall_line(axes: Axes, board: Board, line: Line, k: int, look: Look, key: Key) -> None:
    points = sorted((board.sizes[s], r) for s, row in line.rows.items() if s in board.sizes
                    if row.counted and (r := class_recall(row, k)) is not None)  # fmt: skip
    if line.oracle and points:
        axes.axhline(points[-1][1], color=ORACLE.colour, linewidth=1.2, dashes=ORACLE.dash)
        key.add("oracle (sees HR)", ORACLE)
    elif points:
        axes.plot(
            [size for size, _ in points],
            [r for _, r in points],
            **stroke(look, markersize=4, linewidth=1.3),
        )
        key.add(line.label, look)


def learning(board: Board) -> Figure | None:
    """Validation accuracy (above) and training loss (below) by epoch; a column a method.

    Trainings that failed end in a cross. None when no result has a history.
    """
    found = {line.label: runs for line in board.lines if (runs := _trainings(line))}
    first, left = shorten((line for line in board.lines if line.label in found), MOST_METHODS)
    lines = [(line, found[line.label]) for line in first]
    if not lines:
        return None
    scales = sorted({scale for _, runs in lines for scale, _ in runs if scale})
    ramp = colormaps["viridis"]
    colours = {
        scale: ramp(0.85 * k / max(len(scales) - 1, 1)) for k, scale in enumerate(scales)
    } | {0: "#555555"}
    with styled():
        sheet = canvas(2 * len(lines), len(lines), (2.5, 2.2), (1.2, 0.4))
        for k, (line, runs) in enumerate(lines):
            above, below = sheet.axes[k], sheet.axes[k + len(lines)]
            above.set_title(
                plain(cut(line.label, 28)),
                fontsize=8.5,
            )
            for scale, result in runs:
                _learning_lines(above, below, result, colours[scale])
            percent_axis(above, "val. accuracy in %" if k == 0 else None)
            for axes in (above, below):
                axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            below.set_xlabel("epoch")
            below.set_ylabel("training loss" if k == 0 else "")
        met = {scale for _, runs in lines for scale, _ in runs}
        handles = [
            Line2D([], [], color=colours[s], label=trained_at(s)) for s in (*scales, 0) if s in met
        ]
        sheet.figure.legend(
            handles=handles, loc="outside right upper", title="trained at", fontsize=8
        )
        more = f" ({more_methods(left)} not drawn)" if left else ""
        finish(sheet.figure, f"{board.title}\nlearning curves, a line a training{more}", [board])
    return sheet.figure


def trained_at(scale: int) -> str:
    return {0: "several", 1: "HR"}.get(scale, f"x{scale}")


def _trainings(line: Line) -> list[tuple[int, Result]]:
    """Each training once, with its scale, or 0 for several scales."""
    found: dict[tuple[str, tuple[int, ...], int], tuple[int, Result]] = {}
    for row in line.rows.values():
        for result in row.results:
            scales = tuple(result.record.train.scales)
            if result.record.history and scales:
                key = (result.record.train.protocol, scales, result.record.seed)
                found.setdefault(key, (scales[0] if len(scales) == 1 else 0, result))
    return list(found.values())


def _learning_lines(above: Axes, below: Axes, result: Result, colour: object) -> None:
    history = result.record.history
    style: dict[str, Any] = {"color": colour, "linewidth": 1.1}
    known = [(e.epoch, e.val_accuracy) for e in history if e.val_accuracy is not None]
    if known:
        above.plot([x for x, _ in known], [y for _, y in known], **style)
    totals = [(e.epoch, sum(e.losses.values())) for e in history if e.losses]
    if totals:
        below.plot([x for x, _ in totals], [y for _, y in totals], **style)
    if not result.finished:
        for axes, points in ((above, known), (below, totals)):
            if points:
                axes.plot(*points[-1], marker="x", markersize=8, **style)
