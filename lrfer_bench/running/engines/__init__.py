"""Engines by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lrfer_bench.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from lrfer_bench.running.engines.base import Engine

ENGINES = ("local",)


def engine_of(
    name: str,
    workers: int | None,
    plugins: Sequence[str | Path],
    logs: Path,
    time_limit: float | None = None,
) -> Engine:
    """The engine of a name, not yet started; UserError with the nearest name."""
    if name != "local":
        raise UserError(f'there is no engine "{name}": {did_you_mean(name, ENGINES)}')
    from lrfer_bench.running.engines.local import LocalEngine

    return LocalEngine(workers, plugins, logs, time_limit)
