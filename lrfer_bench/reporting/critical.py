"""The critical-difference diagram over data sets (Demšar, 2006); see docs/statistics.md."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lrfer_bench.reporting import numbers
from lrfer_bench.reporting.boards import Board, slug
from lrfer_bench.reporting.copies import originals
from lrfer_bench.reporting.draw import canvas, finish, plain, stroke, styled
from lrfer_bench.reporting.lines import Line
from lrfer_bench.reporting.palette import Look
from lrfer_bench.reporting.ranking import score_of
from lrfer_bench.scoring.friedman import Friedman, comparable, friedman
from lrfer_bench.scoring.paired import SIGNIFICANT

STEP = 0.24
"""Inches from line to line."""


@dataclass(frozen=True)
class Across:
    """Boards that differ in their data set only, and the methods that are finished on all."""

    boards: tuple[Board, ...]
    methods: tuple[str, ...]
    left_out: int
    test: Friedman

    @property
    def slug(self) -> str:
        first = self.boards[0]
        scales = "-".join(f"x{scale}" for scale in first.lr_scales)
        name = f"critical-{first.protocol}-{first.test_protocol}-{first.budget}-{scales}"
        return slug(name)


def across(boards: Sequence[Board]) -> Iterator[Across]:
    """One for each protocol pair, preset, track and set of scales that 5 data sets or more share.

    One number a data set goes in, the area (or the accuracy where there is one scale): scales are
    never taken for data sets. A data set that stands there in two versions is left out, for these
    two are not independent.
    """
    alike: dict[tuple[object, ...], list[Board]] = defaultdict(list)
    for board in boards:
        alike[(board.protocol, board.test_protocol, board.budget, tuple(board.lr_scales))].append(
            board
        )
    for group in alike.values():
        names = Counter(_name(board) for board in group)
        single = [board for board in group if names[_name(board)] == 1]
        lines = [_lines(board) for board in single]
        everywhere = [
            label for label in (lines[0] if lines else {}) if all(label in found for found in lines)
        ]
        if comparable([_name(board) for board in single], everywhere):
            scores = [[score_of(found[label]) for label in everywhere] for found in lines]
            met = {label for found in lines for label in found}
            yield Across(
                tuple(single), tuple(everywhere), len(met) - len(everywhere), friedman(scores)
            )


def _name(board: Board) -> str:
    """The data set's own name: the label also tells versions apart."""
    return next(row.record.dataset.name for line in board.lines for row in line.rows.values())


def _lines(board: Board) -> dict[str, Line]:
    whole = [line for line in board.ranked if line.mean is not None and line.whole]
    return {line.label: line for line in originals(whole, board.lr_scales)}


def diagram(found: Across, looks: Mapping[str, Look]) -> Figure:
    """Average ranks on an axis, best at the left; a bar joins methods that are not told apart."""
    test = found.test
    order = sorted(range(len(found.methods)), key=lambda k: test.ranks[k])
    groups = test.groups
    with styled():
        height = STEP * (len(order) + len(groups) + 4)
        board = canvas(1, 1, (7.2, height), (0.0, 0.9))
        axes = board.axes[0]
        _frame(axes, len(order), len(groups))
        _scale_bar(axes, test)
        for place, k in enumerate(order):
            _method(axes, found, k, -len(groups) - 0.75 - place, looks)
        for place, group in enumerate(groups):
            ends = test.ranks[group[0]], test.ranks[group[-1]]
            axes.plot(
                (ends[0] - 0.05, ends[1] + 0.05),
                [-place - 0.75] * 2,
                color="black",
                linewidth=3.5,
                solid_capstyle="butt",
            )
        finish(board.figure, _title(found), found.boards)
    return board.figure


def _frame(axes: Axes, methods: int, groups: int) -> None:
    """Ranks along the top; below it the bars, then a line a method."""
    axes.set_xlim(1 - 0.15, methods + 0.15)
    axes.set_ylim(-methods - groups - 0.3, 1.8)
    axes.set_xticks(range(1, methods + 1))
    axes.xaxis.set_ticks_position("top")
    axes.xaxis.set_label_position("top")
    axes.set_xlabel("average rank (1 is the best)")
    axes.set_yticks([])
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.spines["top"].set_visible(True)
    axes.grid(False)


def _scale_bar(axes: Axes, test: Friedman) -> None:
    """How long the critical difference is, where Friedman's test allows to use it."""
    if not test.p < SIGNIFICANT:
        return
    end = min(1 + test.difference, axes.get_xlim()[1])
    axes.annotate(
        "",
        (1, 0.75),
        (end, 0.75),
        arrowprops={"arrowstyle": "|-|", "shrinkA": 0, "shrinkB": 0, "mutation_scale": 3},
    )
    axes.text(
        (1 + end) / 2,
        0.95,
        f"critical difference {test.difference:.2f}",
        ha="center",
        va="bottom",
        fontsize=8,
    )


def _method(axes: Axes, found: Across, k: int, height: float, looks: Mapping[str, Look]) -> None:
    rank, label = found.test.ranks[k], found.methods[k]
    line = _lines(found.boards[0])[label]
    axes.plot((rank, rank), (1.8, height), color="#999999", linewidth=0.7, zorder=1)
    axes.plot([rank], [height], **stroke(looks[line.method]))
    # To the left, where the lines of better methods have ended above: no name is crossed by a line.
    axes.annotate(
        plain(f"{label}  {rank:.2f}"),
        (rank, height),
        (-7, 0),
        textcoords="offset points",
        ha="right",
        va="center",
        fontsize=8.5,
    )


def _title(found: Across) -> str:
    first, test = found.boards[0], found.test
    trained = (
        ""
        if first.protocol in (first.test_protocol, "hr")
        else f"trained on {first.protocol}, tested on "
    )
    p = numbers.p_text(test.p)
    p = f"p {p}" if p[0] in "<>" else f"p = {p}"
    verdict = (
        "a bar joins methods that Nemenyi's test at 5 % does not tell apart"
        if test.p < SIGNIFICANT
        else "it finds no difference, so no pair is tested"
    )
    count = found.left_out
    more = f"; {count} method{'s are' if count > 1 else ' is'} not finished on all" if count else ""
    return (
        f"Friedman's test (Iman and Davenport's F): {p}; {verdict}\n"
        f"{test.datasets} data sets · {trained}{first.test_protocol} · "
        f"preset {first.budget}{more}"
    )
