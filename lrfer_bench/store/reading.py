"""Reading JSON that somebody else may have written: bounded in size, depth and numbers."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from lrfer_bench.files import read_limited

MOST_BYTES = 64 << 20
DEEPEST = 32
LARGEST = 2**63
"""Integers in a record are smaller, seeds among them, and so are the floats of its numbers."""


def read_json(path: Path) -> Any:
    """The content of a JSON file.

    ValueError for a file that is not a regular one, is too large, or is not complete JSON; for NaN,
    infinity and integers of LARGEST or more; and for what is nested deeper than DEEPEST.
    """
    text = read_limited(path, MOST_BYTES).decode("utf-8")
    try:
        content = json.loads(text, parse_constant=_no_number)
    except RecursionError as error:
        raise ValueError(f"it is nested deeper than {DEEPEST}") from error
    check_bounds(content)
    return content


def _no_number(word: str) -> float:
    raise ValueError(f"it holds {word}, which is not a number")


def check_bounds(content: Any) -> None:
    """ValueError for a number, text or depth that no file of ours has. Without recursion."""
    level, depth = [content], 0
    while level:
        if depth > DEEPEST:
            raise ValueError(f"it is nested deeper than {DEEPEST}")
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                below.extend(value)
                below.extend(value.values())
            elif isinstance(value, list):
                below.extend(value)
            elif isinstance(value, int) and abs(value) >= LARGEST:
                raise ValueError("it holds an integer of 2**63 or more")
            elif isinstance(value, float) and not math.isfinite(value):
                raise ValueError("it holds a number that is not finite")
            elif isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
                raise ValueError("it holds a text that is not Unicode")
        level, depth = below, depth + 1
