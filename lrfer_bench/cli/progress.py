"""One display for the whole plan: live on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import RenderableType

    from lrfer_bench.running.runner import Listener, Status

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
    """A line for each finished or failed cell and each note, and one on how things stand twice a minute."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def __call__(self, status: Status) -> None:
        for line in news(status):
            click.echo(line)
        now = time.monotonic()
        if now - self._last >= PLAIN_EVERY_SECONDS:
            self._last = now
            running = "; ".join(_running_line(label, progress) for label, progress in status.running.values())
            click.echo(f"{summary(status)} | {running}")


def news(status: Status) -> list[str]:
    """What just happened, in lines: a note, a finished or a failed cell."""
    lines = [f"note: {status.note}"] if status.note else []
    record = status.last
    if record is None:
        return lines
    cell = f"{record.method.name} {record.test.protocol} x{record.test.scale} seed {record.seed}"
    if record.failure:
        return [*lines, f"failed: {record.failure.sentence}"]
    assert record.metrics is not None
    clean = record.metrics.clean
    return [
        *lines,
        f"done: {cell}: accuracy {record.metrics.all.accuracy:.4f} ({clean.accuracy:.4f} without leaked rows)",
    ]


def summary(status: Status) -> str:
    """Cells done, running, failed; faces a second; time left."""
    todo = status.cells - status.kept
    parts = [f"{status.finished}/{todo} cells done", f"{status.trained}/{status.trainings} models trained"]
    if status.kept:
        parts.append(f"{status.kept} had a record")
    if status.failed:
        parts.append(f"{status.failed} failed")
    if status.faces_per_second:
        parts.append(f"{status.faces_per_second:.0f} faces/s")
    left = status.seconds_left()
    if left is not None:
        parts.append(f"about {duration(left)} left")
    return ", ".join(parts)


def duration(seconds: float) -> str:
    """
    >>> duration(42), duration(600), duration(9000)
    ('42 s', '10 min', '2 h 30 min')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def _running_line(label: str, progress: object) -> str:
    from lrfer_bench.training.loop import Progress

    if not isinstance(progress, Progress):
        return label
    losses = " ".join(f"{name} {value:.3f}" for name, value in progress.losses.items())
    return f"{label}: epoch {progress.epoch}/{progress.epochs}, {100 * progress.step / progress.steps:.0f} %, {losses}"


def _picture(status: Status) -> RenderableType:
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 1))
    for label, progress in status.running.values():
        done = progress.step / progress.steps if progress and progress.steps else 0.0
        line = _running_line(label, progress).partition(": ")[2]
        table.add_row(Text(label), ProgressBar(total=1.0, completed=done, width=24), Text(line, style="dim"))
    return Group(Text(summary(status), style="bold"), table)
