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

        def listen(now: Status) -> None:
            for line in news(now):
                console.print(line, markup=False, highlight=False)
            live.update(_picture(now))

        yield listen


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
            running = "; ".join(line for _, _, line in running_lines(status))
            echo(f"{summary(status)} | {running}")


def _picture(status: Status) -> RenderableType:
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 1))
    for label, progress, line in running_lines(status):
        done = progress.step / progress.steps if progress and progress.steps else 0.0
        line = line.removeprefix(label).removeprefix(": ").removeprefix(", ")
        table.add_row(
            Text(label), ProgressBar(total=1.0, completed=done, width=24), Text(line, style="dim")
        )
    return Group(Text(summary(status), style="bold"), table)
