"""Accuracy against size in pixels, with interval bands and the oracle as a ceiling."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from lrfer_bench.reporting import chance, timing
from lrfer_bench.reporting.boards import Board
from lrfer_bench.reporting.copies import originals
from lrfer_bench.reporting.draw import (
    Key,
    canvas,
    dot,
    finish,
    lr_sizes,
    panel_title,
    percent_axis,
    size_axis,
    stroke,
    styled,
)  # fmt: skip
from lrfer_bench.reporting.lines import Line
from lrfer_bench.reporting.palette import ORACLE, Look, look_of
from lrfer_bench.scoring.bootstrap import Estimate

MOST_PANELS = 24
MOST_NAMED = 6
"""Of lines of models at sizes that they were not trained for: more are drawn without names."""
GUESS = Look("#6b6b6b", "", (1, 2))
MAJORITY = Look("#6b6b6b", "", (4, 2))
"""Of the lines that show what guessing reaches."""
ELSEWHERE = Look("#6b6b6b", "", (1.5, 1.5))
"""Of all lines of models at other sizes, in the legend."""


def curves(boards: Sequence[Board], looks: Mapping[str, Look], title: str = "") -> Figure:
    """A panel a board (at most 24, and the title says so), a line a method, and guessing."""
    shown = boards[:MOST_PANELS]
    alone = len(shown) == 1
    key = Key()
    with styled():
        panel, extra = ((5.2, 4.2), (1.9, 0.2)) if alone else ((3.9, 3.3), (2.0, 0.3))
        sheet = canvas(len(shown), min(3, len(shown)), panel, extra)
        for axes, board in zip(sheet.axes, shown, strict=True):
            _panel(axes, board, looks, key)
            axes.set_title(panel_title(board, alone))
        key.put(sheet.figure)
        subject = "Accuracy by size" if not alone else panel_title(shown[0], False)
        finish(sheet.figure, (title or subject) + _left(boards), shown)
    return sheet.figure


def _left(places: Sequence[object]) -> str:
    """What a title says where there is no room for all panels."""
    left = len(places) - MOST_PANELS
    return f"; {left} more panel{'s are' if left > 1 else ' is'} not drawn" if left > 0 else ""


def _panel(axes: Axes, board: Board, looks: Mapping[str, Look], key: Key) -> None:
    named = sum(line.off_scale for line in board.ranked) <= MOST_NAMED
    for line in board.ranked:
        if named or not line.off_scale:
            _curve(axes, board, line, look_of(line, looks), key)
        else:
            _nameless(axes, board, line, look_of(line, looks), key)
    ceiling = board.ceiling
    if ceiling is not None and ceiling.accuracy is not None:
        estimate = ceiling.accuracy
        axes.axhline(estimate.value, color=ORACLE.colour, linewidth=1.3, dashes=ORACLE.dash)
        if not math.isnan(estimate.low):
            axes.axhspan(estimate.low, estimate.high, color=ORACLE.colour, alpha=0.06, linewidth=0)
        key.add("oracle (sees HR)", ORACLE)
    guessing = chance.level(board)
    if guessing is not None:
        for value, look, name in (
            (guessing.majority, MAJORITY, "always the most frequent class"),
            (guessing.guess, GUESS, "guessing"),
        ):
            axes.axhline(value, color=look.colour, linewidth=1.0, dashes=look.dash)
            key.add(name, look)
    size_axis(axes, lr_sizes(board))
    percent_axis(axes)


def _points(board: Board, line: Line) -> list[tuple[int, Estimate]]:
    """(Size in pixels, accuracy) of a line, the smallest size first."""
    rows = [(scale, row.accuracy) for scale, row in line.rows.items() if scale in board.sizes]
    points = [(board.sizes[scale], found) for scale, found in rows if found is not None]
    return sorted(points, key=lambda point: point[0])


def _nameless(axes: Axes, board: Board, line: Line, look: Look, key: Key) -> None:
    """One of many models at sizes that they were not trained for: thin, in its method's colour."""
    points = _points(board, line)
    style = stroke(look, linewidth=0.8, markersize=3, alpha=0.5)
    axes.plot([size for size, _ in points], [e.value for _, e in points], **style)
    if points:
        key.add("at sizes not trained for", ELSEWHERE)


def _curve(axes: Axes, board: Board, line: Line, look: Look, key: Key) -> None:
    points = _points(board, line)
    if not points:
        return
    sizes = [size for size, _ in points]
    thin = {"linewidth": 1.0, "markersize": 4} if line.off_scale else {}
    axes.plot(sizes, [e.value for _, e in points], **stroke(look, **thin))
    key.add(line.label, look)
    if any(math.isnan(e.low) for _, e in points):
        return
    lows, highs = [e.low for _, e in points], [e.high for _, e in points]
    if len(points) == 1:  # a band of one size has no width: a bar
        axes.plot([sizes[0]] * 2, [lows[0], highs[0]], color=look.colour, linewidth=1.6, alpha=0.6)
    else:
        axes.fill_between(sizes, lows, highs, color=look.colour, alpha=0.14, linewidth=0)


def pareto(
    boards: Sequence[Board], looks: Mapping[str, Look], cost: str, title: str = ""
) -> Figure:
    """Accuracy against a cost ("macs" or "latency_ms") with the Pareto front.

    One panel for each board and scale.
    """
    places = [(board, scale) for board in boards for scale in board.lr_scales]
    panels = places[:MOST_PANELS]
    names = {"macs": "MACs for one face", "latency_ms": "latency for one face in ms"}
    key = Key()
    with styled():
        sheet = canvas(max(len(panels), 1), min(3, max(len(panels), 1)), (3.4, 3.1), (1.9, 0.2))
        for axes, (board, scale) in zip(sheet.axes, panels, strict=False):
            _scatter(axes, board, scale, cost, looks, key)
            place = f"x{scale} ({board.sizes[scale]} px)"
            axes.set_title(
                place if len(boards) == 1 else f"{panel_title(board, False)}\n{place}", fontsize=9
            )
            axes.set_xlabel(names[cost])
            percent_axis(axes)
        if key.handles:
            key.put(sheet.figure)
        subject = title or (
            "What accuracy costs" if len(boards) != 1 else f"{boards[0].title}: what accuracy costs"
        )
        if cost == "latency_ms" and not all(timing.comparable(board) for board in boards):
            subject += "\nlatencies beside other work or on different hardware: no front"
        finish(sheet.figure, subject + _left(places), list(boards))
    return sheet.figure


def _scatter(
    axes: Axes, board: Board, scale: int, cost: str, looks: Mapping[str, Look], key: Key
) -> None:
    points = []
    # a model that is tested at its own scale stands in two lines, and is one mark
    for line in originals([line for line in board.ranked if scale in line.rows], [scale]):
        row = line.rows[scale]
        if row.accuracy is None or not row.means.get(cost):
            continue
        x, estimate, look = row.means[cost], row.accuracy, look_of(line, looks)
        if not math.isnan(estimate.low):
            axes.plot(
                [x, x], [estimate.low, estimate.high], color=look.colour, alpha=0.45, linewidth=1.2
            )
        axes.plot([x], [estimate.value], **dot(look, markersize=7))
        key.add(line.label, look)
        points.append((x, estimate.value))
    front = pareto_front(points) if cost != "latency_ms" or timing.comparable(board) else []
    if front:
        axes.plot(
            [x for x, _ in front],
            [y for _, y in front],
            color="#888888",
            linewidth=1,
            zorder=1,
            drawstyle="steps-post",
        )
    _cost_axis(axes, [x for x, _ in points])


def _cost_axis(axes: Axes, costs: Sequence[float]) -> None:
    """A log axis that has labelled ticks also where it spans less than a decade."""
    axes.set_xscale("log")
    if not costs:
        return
    low, high = min(costs) / 1.25, max(costs) * 1.25
    axes.set_xlim(low, high)
    if high / low > 3:
        axes.xaxis.set_minor_locator(LogLocator(subs=(2, 3, 5)))
    axes.xaxis.set_major_formatter(lambda value, _: _engineering(value))
    axes.xaxis.set_minor_formatter(lambda value, _: _engineering(value) if high / low < 100 else "")
    axes.tick_params(axis="x", which="both", labelsize=7.5)


def _engineering(value: float) -> str:
    for limit, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= limit:
            return f"{value / limit:g}{unit}"
    return f"{value:g}"


def pareto_front(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Points (cost, score) that no other beats in both, by cost.

    >>> pareto_front([(1, 0.5), (2, 0.4), (3, 0.7)])
    [(1, 0.5), (3, 0.7)]
    """
    front: list[tuple[float, float]] = []
    for cost, score in sorted(points, key=lambda p: (p[0], -p[1])):
        if not front or score > front[-1][1]:
            front.append((cost, score))
    return front
