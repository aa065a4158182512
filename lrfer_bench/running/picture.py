"""How a run looks while it goes on, drawn by rich: in a terminal and in a notebook.

rich is imported late: without a terminal or a notebook nobody needs it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lrfer_bench.data.reading import Tick
from lrfer_bench.running.status import Status, duration, how_far, news, running_jobs, summary

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

    from lrfer_bench.running.status import Listener
    from lrfer_bench.training.loop import Progress

REDRAW_SECONDS = 0.25
"""Hundreds of workers tell their progress more often than a screen can show it."""

BAR, LONGEST_LABEL = 12, 44


@contextmanager
def live(
    status: Status, console: Console, lines: Callable[[Status], list[str]] = news
) -> Iterator[Listener]:
    """A listener that draws the run; on leaving, the last state stays on the screen.

    lines: what is printed above the picture, and stays there.
    """
    from rich.live import Live

    with Live(picture(status), console=console, refresh_per_second=4) as shown:
        drawn = 0.0

        def listen(now: Status) -> None:
            nonlocal drawn
            for line in lines(now):
                console.print(line, markup=False, highlight=False)
            if time.monotonic() - drawn >= REDRAW_SECONDS:
                shown.update(picture(now))
                drawn = time.monotonic()

        try:
            yield listen
        finally:
            shown.update(picture(status))


@contextmanager
def bar_of_reading(console: Console) -> Iterator[Tick]:
    """A bar of the pictures of a data set that are read; it is gone at the end."""
    from rich.progress import MofNCompleteColumn, Progress

    columns = (*Progress.get_default_columns(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("pictures", total=None, visible=False)

        def tick(done: int, every: int) -> None:
            progress.update(task, completed=done, total=every, visible=True)

        yield tick


def picture(status: Status) -> RenderableType:
    """An overall bar with the time gone and left, the counts, and a line a running job."""
    from rich.console import Group
    from rich.text import Text

    jobs, more = running_jobs(status)
    parts: list[RenderableType] = [_overall(status), Text(summary(status, left=False))]
    if jobs:
        parts.append(_workers(jobs))
    if more:
        parts.append(Text(more, style="dim"))
    return Group(*parts)


def _overall(status: Status) -> Table:
    from rich.progress_bar import ProgressBar
    from rich.text import Text

    left = status.seconds_left()
    words = [f"{100 * status.share:.0f} %", f"{duration(status.seconds_gone)} gone"]
    if left is not None:
        words.append(f"about {duration(left)} left")
    line = _grid()
    line.add_column(ratio=1)
    line.add_column(no_wrap=True)
    line.add_row(
        ProgressBar(total=1.0, completed=status.share), Text(", ".join(words), style="bold")
    )
    return line


def _workers(jobs: Sequence[tuple[str, Progress | None, str]]) -> Table:
    """One line each: what does not fit is cut, so the picture never jumps."""
    from rich.progress_bar import ProgressBar
    from rich.text import Text

    lines = _grid()
    lines.add_column(no_wrap=True, overflow="ellipsis", ratio=1, max_width=LONGEST_LABEL)
    lines.add_column(width=BAR)
    lines.add_column(no_wrap=True)
    for label, progress, still in jobs:
        done = progress.step / progress.steps if progress and progress.steps else 0.0
        lines.add_row(
            Text(label), ProgressBar(total=1.0, completed=done), Text(still or how_far(progress))
        )
    return lines


def _grid() -> Table:
    from rich.table import Table

    return Table.grid(padding=(0, 1), expand=True)
