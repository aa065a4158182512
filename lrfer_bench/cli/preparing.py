"""Preparing a data set, with its progress in a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lrfer_bench.data.cache import Prepared
    from lrfer_bench.data.reading import Tick


@contextmanager
def watched() -> Iterator[Tick | None]:
    """In a terminal a bar of the pictures that are read; elsewhere nothing."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console

    from lrfer_bench.running.picture import bar_of_reading

    with bar_of_reading(Console(stderr=True)) as tick:
        yield tick


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
    with watched() as tick:
        return prepare(dataset, name, root, cache=cache, anew=anew, tick=tick)
