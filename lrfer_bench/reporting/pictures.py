"""Which pictures a report has, and where they go."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from matplotlib.figure import Figure

from lrfer_bench.reporting import critical, curves, matrices, panels
from lrfer_bench.reporting.boards import Board
from lrfer_bench.reporting.draw import save
from lrfer_bench.reporting.palette import Look

Job = tuple[str, Callable[[], Figure | None]]


def write_pictures(
    boards: Sequence[Board],
    looks: Mapping[str, Look],
    out: Path,
    everything: bool,
    title: str = "",
    tell: Callable[[str], None] = lambda text: None,
) -> list[Path]:
    """Write PNG and SVG of each picture; returns the files.

    everything: also accuracy against cost, the critical differences over data sets (where there are
    five), and under pictures/ those of each board.
    """
    shown = [board for board in boards if any(line.shown for line in board.lines)]
    if not shown:
        return []
    jobs = list(_curves(shown, looks, title))
    if everything:
        jobs += _costs(shown, looks)
        jobs += _across(shown, looks)
        for board in shown:
            jobs += _of_board(board, looks)
    files: list[Path] = []
    for name, draw in jobs:
        tell(name)
        figure = draw()
        if figure is not None:
            files += save(figure, out / name)
    return files


def _curves(boards: Sequence[Board], looks: Mapping[str, Look], title: str) -> Iterator[Job]:
    yield "curves", partial(curves.curves, boards, looks, title=title)
    if any(board.leaks for board in boards):
        yield "curves-clean", partial(curves.curves, boards, looks, clean=True)


def _costs(boards: Sequence[Board], looks: Mapping[str, Look]) -> Iterator[Job]:
    yield "pareto-macs", partial(curves.pareto, boards, looks, "macs")
    yield "pareto-latency", partial(curves.pareto, boards, looks, "latency_ms")


def _across(boards: Sequence[Board], looks: Mapping[str, Look]) -> Iterator[Job]:
    for found in critical.across(boards):
        yield found.slug, partial(critical.diagram, found, looks)


def _of_board(board: Board, looks: Mapping[str, Look]) -> Iterator[Job]:
    folder = f"pictures/{board.slug}"
    yield f"{folder}/confusion", partial(matrices.confusion_sheet, board)
    yield f"{folder}/confusion-difference", partial(matrices.difference_sheet, board)
    yield f"{folder}/reliability", partial(panels.reliability, board, looks)
    yield f"{folder}/recall", partial(panels.recall, board, looks)
    yield f"{folder}/learning", partial(panels.learning, board)
