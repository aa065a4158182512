"""Which pictures a report has, and where they go.

Imports matplotlib only where a picture has to be drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lrfer_bench.reporting.boards import Board
from lrfer_bench.reporting.drawn import digest, shows
from lrfer_bench.reporting.palette import Look

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENDINGS = ("png", "svg")
FEWEST_DATASETS = 5
"""Boards of fewer data sets have no diagram of critical differences."""
Tell = Callable[[str], None]
Looks = Mapping[str, Look]


@dataclass(frozen=True)
class Job:
    """One picture. name: its file without ending; mark: a digest of all that it shows."""

    name: str
    draw: Callable[[], Figure | None]
    mark: str


def _late(place: str, *given: Any, **more: Any) -> Callable[[], Figure | None]:
    """A function that draws: "MODULE:FUNCTION" of this room, imported when it is called."""

    def draw() -> Figure | None:
        module, _, name = place.partition(":")
        figure: Figure | None = getattr(import_module(f"lrfer_bench.reporting.{module}"), name)(
            *given, **more
        )
        return figure

    return draw


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
        from lrfer_bench.reporting.draw import save

        tell(f"picture {k + 1} of {len(jobs)}: {job.name}")
        figure = job.draw()
        files += save(figure, out / job.name, mark=job.mark) if figure is not None else []
    return files


def _curves(boards: Sequence[Board], looks: Looks, title: str) -> Iterator[Job]:
    draw = _late("curves:curves", boards, looks, title=title)
    yield Job("curves", draw, digest("curves", boards, looks, title))
    if any(board.leak_free for board in boards):
        clean = _leak_free(boards)
        draw = _late("curves:curves", clean, looks)
        yield Job("curves-clean", draw, digest("curves-clean", clean, looks))


def _leak_free(boards: Sequence[Board]) -> list[Board]:
    """The boards without leaked rows: where none leaks the board itself, where all do no board."""
    return [board.leak_free or board for board in boards if not board.leaks_wholly]


def _others(boards: Sequence[Board], looks: Looks) -> Iterator[Job]:
    """All but the curves, each also for the track without leaked rows where there is one."""
    tracks = {"": list(boards)}
    if any(board.leak_free for board in boards):
        tracks["-clean"] = _leak_free(boards)
    for ending, shown in tracks.items():
        for short, cost in (("macs", "macs"), ("latency", "latency_ms")):
            name = f"pareto-{short}{ending}"
            draw = _late("curves:pareto", shown, looks, cost)
            yield Job(name, draw, digest(name, shown, looks))
        yield from _across(shown, looks, ending)
    for board in boards:
        yield from _of_board(board, looks)
        yield _job(board, looks, "learning", _late("panels:learning", board))
        if board.leak_free:
            yield from _of_board(board.leak_free, looks)


def _across(boards: Sequence[Board], looks: Looks, ending: str) -> Iterator[Job]:
    if len({board.dataset for board in boards}) < FEWEST_DATASETS:
        return
    from lrfer_bench.reporting.critical import across

    for found in across(boards):
        name = f"{found.slug}{ending}"
        draw = _late("critical:diagram", found, looks)
        yield Job(name, draw, digest(name, boards, looks))


def _of_board(board: Board, looks: Looks) -> Iterator[Job]:
    for name, draw in (
        ("confusion", _late("matrices:confusion_sheet", board)),
        ("confusion-difference", _late("matrices:difference_sheet", board)),
        ("reliability", _late("panels:reliability", board, looks)),
        ("recall", _late("panels:recall", board, looks)),
    ):
        yield _job(board, looks, name, draw)


def _job(board: Board, looks: Looks, name: str, draw: Callable[[], Figure | None]) -> Job:
    name = f"pictures/{board.slug}/{name}"
    return Job(name, draw, digest(name, [board], looks))
