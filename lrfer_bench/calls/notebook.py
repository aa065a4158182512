"""How calls from Python tell what happens: rich's picture in a notebook, lines everywhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING

from lrfer_bench.data.reading import Watch, unwatched
from lrfer_bench.running.picture import bar_of_reading, live
from lrfer_bench.running.status import Listener, Status, news

if TYPE_CHECKING:
    from rich.console import Console

    from lrfer_bench.running.session import Display

Tell = Callable[[str], None]


def notebook_console() -> Console | None:
    """A console that draws into the cell of a notebook; None where Python runs elsewhere.

    rich redraws there through ipywidgets: without it, lines are all there is.
    """
    from rich.console import Console

    console = Console()
    return console if console.is_jupyter and find_spec("ipywidgets") else None


def display_of(tell: Tell | None) -> Display:
    """A display for a run: in a notebook the picture, unless the caller brings their own tell."""
    console = notebook_console() if tell is print else None
    return partial(live, console=console) if console else partial(_lines, tell)


def watch_of(tell: Tell | None) -> Watch:
    """The same for the preparing of a data set: nothing where there is no notebook."""
    console = notebook_console() if tell is print else None
    return partial(bar_of_reading, console) if console else unwatched


def shown(tell: Tell | None) -> tuple[Display, Watch]:
    """Both."""
    return display_of(tell), watch_of(tell)


@contextmanager
def _lines(tell: Tell | None, status: Status) -> Iterator[Listener]:
    def listen(now: Status) -> None:
        for line in news(now):
            if tell is not None:
                tell(line)

    yield listen
