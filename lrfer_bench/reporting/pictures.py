"""Which pictures a report has, and where they go."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from matplotlib.figure import Figure

from lrfer_bench.reporting import critical, curves, matrices, panels
from lrfer_bench.reporting.boards import Board
from lrfer_bench.reporting.draw import ENDINGS, save
from lrfer_bench.reporting.drawn import digest, shows
from lrfer_bench.reporting.palette import Look

Tell = Callable[[str], None]
Looks = Mapping[str, Look]


@dataclass(frozen=True)
class Job:
    """One picture. name: its file without ending; mark: a digest of all that it shows."""

    name: str
    draw: Callable[[], Figure | None]
    mark: str


def picture_jobs(
    boards: Sequence[Board], looks: Looks, everything: bool, title: str = ""
) -> list[Job]:
    """The pictures of a report, the curves first.

    everything: also accuracy against cost, the critical differences over data sets (where there are
    five), and under pictures/ those of each board.
    """
    shown = [board for board in boards if any(line.shown for line in board.lines)]
    if not shown:
        return []
    return [*_curves(shown, looks, title), *(_others(shown, looks) if everything else ())]


def write_pictures(
    jobs: Sequence[Job], out: Path, redraw: bool = True, tell: Tell = lambda text: None
) -> list[Path]:
    """Write PNG and SVG of each picture; returns the files, also those that stay as they are.

    redraw: also draw what an earlier report drew from the same records (see drawn.py).
    """
    files: list[Path] = []
    for k, job in enumerate(jobs):
        targets = [out / f"{job.name}.{ending}" for ending in ENDINGS]
        if not redraw and shows(targets, job.mark):
            files += targets
            continue
        tell(f"picture {k + 1} of {len(jobs)}: {job.name}")
        figure = job.draw()
        files += save(figure, out / job.name, mark=job.mark) if figure is not None else []
    return files


def _curves(boards: Sequence[Board], looks: Looks, title: str) -> Iterator[Job]:
    draw = partial(curves.curves, boards, looks, title=title)
    yield Job("curves", draw, digest("curves", boards, looks, title))
    if any(board.leak_free for board in boards):
        clean = _leak_free(boards)
        draw = partial(curves.curves, clean, looks)
        yield Job("curves-clean", draw, digest("curves-clean", clean, looks))


def _leak_free(boards: Sequence[Board]) -> list[Board]:
    """The boards without leaked rows; one where no row leaks is its own."""
    return [board.leak_free or board for board in boards]


def _others(boards: Sequence[Board], looks: Looks) -> Iterator[Job]:
    """All but the curves, each also for the track without leaked rows where there is one."""
    tracks = {"": list(boards)}
    if any(board.leak_free for board in boards):
        tracks["-clean"] = _leak_free(boards)
    for ending, shown in tracks.items():
        for short, cost in (("macs", "macs"), ("latency", "latency_ms")):
            name = f"pareto-{short}{ending}"
            draw = partial(curves.pareto, shown, looks, cost)
            yield Job(name, draw, digest(name, shown, looks))
        for found in critical.across(shown):
            name = f"{found.slug}{ending}"
            yield Job(name, partial(critical.diagram, found, looks), digest(name, shown, looks))
    for board in boards:
        yield from _of_board(board, looks)
        yield _job(board, looks, "learning", partial(panels.learning, board))
        if board.leak_free:
            yield from _of_board(board.leak_free, looks)


def _of_board(board: Board, looks: Looks) -> Iterator[Job]:
    for name, draw in (
        ("confusion", partial(matrices.confusion_sheet, board)),
        ("confusion-difference", partial(matrices.difference_sheet, board)),
        ("reliability", partial(panels.reliability, board, looks)),
        ("recall", partial(panels.recall, board, looks)),
    ):
        yield _job(board, looks, name, draw)


def _job(board: Board, looks: Looks, name: str, draw: Callable[[], Figure | None]) -> Job:
    name = f"pictures/{board.slug}/{name}"
    return Job(name, draw, digest(name, [board], looks))
