"""One display for the whole plan: live on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from lrfer_bench.cli.echo import echo
from lrfer_bench.errors import escaped
from lrfer_bench.running.status import failure_lines, news, running_lines, summary

if TYPE_CHECKING:
    from lrfer_bench.running.status import Listener, Status

PLAIN_EVERY_SECONDS = 30.0


@contextlib.contextmanager
def show(status: Status, verbose: bool | None = None) -> Iterator[Listener]:
    """A listener for Runner.run; on leaving, the last state stays on the screen.

    verbose: True tells each epoch as well, False tells failures and notes only, on the errors'
    stream.
    """
    if verbose is False:
        yield _quiet
        return
    epochs = Epochs() if verbose else None

    def lines(now: Status) -> list[str]:
        return [*(epochs(now) if epochs else []), *news(now)]

    if not sys.stdout.isatty():
        yield _Plain(lines)
        return
    from rich.console import Console

    from lrfer_bench.running.picture import live

    with live(status, Console(), lines) as listener:
        yield listener


def _quiet(status: Status) -> None:
    for line in failure_lines(status):
        echo(line, err=True)


class Epochs:
    """A line for each epoch that a running training has ended since the last look."""

    def __init__(self) -> None:
        self._told: dict[str, int] = {}

    def __call__(self, status: Status) -> list[str]:
        lines = []
        for key, (label, progress) in status.running.items():
            if progress is None or progress.val_score is None:
                continue
            if self._told.get(key, 0) < progress.epoch:
                self._told[key] = progress.epoch
                losses = "".join(f", {name} {loss:.4f}" for name, loss in progress.losses.items())
                lines.append(
                    f"{label}: epoch {progress.epoch}/{progress.epochs}{losses}, "
                    f"validation {progress.val_score:.4f}, {progress.faces_per_second:.0f} faces/s"
                )
        return [escaped(line) for line in lines]


class _Plain:
    """A line for each finished or failed cell and each note, and twice a minute the state."""

    def __init__(self, lines: Callable[[Status], list[str]]) -> None:
        self._lines = lines
        self._last = time.monotonic()

    def __call__(self, status: Status) -> None:
        for line in self._lines(status):
            echo(line)
        now = time.monotonic()
        if now - self._last >= PLAIN_EVERY_SECONDS:
            self._last = now
            jobs, more = running_lines(status)
            running = "; ".join([*(line for _, _, line in jobs), *([more] if more else [])])
            echo(f"{summary(status)} | {running}")
