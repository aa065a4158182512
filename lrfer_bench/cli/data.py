"""`--json`: what a command prints as a table, as data for a program."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from typing import TYPE_CHECKING, Any

import click

from lrfer_bench.cli.echo import echo

if TYPE_CHECKING:
    import pandas as pd

JSON = click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
"""For every sub-command that prints a table."""


def echo_json(data: object) -> None:
    """Print data as JSON; NaN and infinity, which JSON lacks, become null."""
    echo(json.dumps(plain(data), indent=1))  # nothing left to escape: json writes ASCII


def rows_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """A DataFrame as a list of rows."""
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def plain(value: Any) -> Any:
    """Data as json writes them: dataclasses as objects, tuples as lists, numpy's numbers as ours.

    >>> plain({"a": (1, float("nan")), 2: Path("x")})
    {'a': [1, None], '2': 'x'}
    """
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(each) for each in value]
    if hasattr(value, "tolist"):  # numpy's arrays and numbers
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)
