"""Preparing a data set, with its progress in a terminal."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lrfer_bench.data.cache import Prepared


def prepare_shown(
    name: str,
    root: Path | None,
    options: tuple[str, ...],
    cache: Path | None,
    anew: bool = False,
) -> Prepared:
    """Prepare a data set by name; in a terminal with a bar of the pictures that are read."""
    from lrfer_bench.data.cache import prepare
    from lrfer_bench.data.options import make_dataset
    from lrfer_bench.planning.settings import parse_options

    dataset = make_dataset(name, parse_options(options))
    if not sys.stderr.isatty():
        return prepare(dataset, name, root, cache=cache, anew=anew)
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress

    with Progress(
        *Progress.get_default_columns(), MofNCompleteColumn(), console=Console(stderr=True),
        transient=True,
    ) as progress:  # fmt: skip
        task = progress.add_task("pictures", total=None, visible=False)

        def tick(done: int, every: int) -> None:
            progress.update(task, completed=done, total=every, visible=True)

        return prepare(dataset, name, root, cache=cache, anew=anew, tick=tick)
