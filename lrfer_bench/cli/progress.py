"""One display for the whole plan: live on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from lrfer_bench.cli.echo import echo
from lrfer_bench.running.status import news, running_lines, summary

if TYPE_CHECKING:
    from rich.console import RenderableType

    from lrfer_bench.running.status import Listener, Status

PLAIN_EVERY_SECONDS = 30.0
LIVE_EVERY_SECONDS = 0.25


@contextlib.contextmanager
def show(status: Status) -> Iterator[Listener]:
    """A listener for Runner.run; on leaving, the last state stays on the screen."""
    if not sys.stdout.isatty():
        yield _Plain()
        return
    from rich.console import Console
    from rich.live import Live

    console = Console()
    with Live(_picture(status), console=console, refresh_per_second=4) as live:
        drawn = 0.0

        def listen(now: Status) -> None:
            nonlocal drawn
            for line in news(now):
                console.print(line, markup=False, highlight=False)
            # hundreds of workers tell their progress more often than a screen can show it
            if time.monotonic() - drawn >= LIVE_EVERY_SECONDS:
                live.update(_picture(now))
                drawn = time.monotonic()

        try:
            yield listen
        finally:
            live.update(_picture(status))


class _Plain:
    """A line for each finished or failed cell and each note, and twice a minute the state."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def __call__(self, status: Status) -> None:
        for line in news(status):
            echo(line)
        now = time.monotonic()
        if now - self._last >= PLAIN_EVERY_SECONDS:
            self._last = now
            jobs, more = running_lines(status)
            running = "; ".join([*(line for _, _, line in jobs), *([more] if more else [])])
            echo(f"{summary(status)} | {running}")


def _picture(status: Status) -> RenderableType:
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 1))
    jobs, more = running_lines(status)
    for label, progress, line in jobs:
        done = progress.step / progress.steps if progress and progress.steps else 0.0
        line = line.removeprefix(label).removeprefix(": ").removeprefix(", ")
        table.add_row(
            Text(label), ProgressBar(total=1.0, completed=done, width=24), Text(line, style="dim")
        )
    rest = [Text(more, style="dim")] if more else []
    return Group(Text(summary(status), style="bold"), table, *rest)
