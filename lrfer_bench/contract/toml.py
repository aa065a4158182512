"""TOML: read with one sentence for each thing that can go wrong in a user's file, and written."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

from lrfer_bench.errors import UserError, is_unicode
from lrfer_bench.files import read_limited

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MOST_BYTES = 4 << 20


def parse_toml(path: Path) -> dict[str, Any]:
    """The content of a TOML file. ValueError where it is none, or too large or too deep for one.

    Raises OSError as well.
    """
    text = read_limited(path, MOST_BYTES).decode("utf-8-sig")
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def read_toml(path: Path, called: str, option: str = "") -> dict[str, Any]:
    """The content of a TOML file; UserError where it cannot be read or is not TOML.

    called: what messages call the file. option: the one that named it, for advice.
    """
    check, fix = (f"; check {option}", "; fix it") if option else ("", "")
    try:
        return parse_toml(path)
    except OSError as error:
        reason = error.strerror or error
        raise UserError(f"{called} cannot be read: {reason}{check}") from error
    except ValueError as error:  # wrong TOML, or no text at all
        raise UserError(f"{called} is not TOML: {error}{fix}") from error


def path_text(path: Path) -> str:
    """An absolute path as a text that TOML can hold; path_of() reads it.

    A name whose bytes are no UTF-8 is written as the address of its file.

    >>> path_text(Path("/caf\\udce9/mine.py")), path_text(Path("/café"))
    ('file:///caf%E9/mine.py', '/café')
    """
    return str(path) if is_unicode(str(path)) else path.as_uri()


def path_of(text: str) -> Path:
    """The path that path_text() wrote, or that a person wrote.

    >>> path_of("file:///caf%E9/mine.py") == Path("/caf\\udce9/mine.py"), str(path_of("a%20b"))
    (True, 'a%20b')
    """
    if text.startswith("file:///"):
        return Path(os.fsdecode(unquote_to_bytes(text.removeprefix("file://"))))
    return Path(text)


def toml_value(value: Any) -> str:
    """A text, number, list, dict, true or false as TOML has it.

    Texts as JSON has them, but letters beyond ASCII as they are: TOML has no pairs of UTF-16.
    Raises TypeError for what TOML has no word for, such as None.

    >>> toml_value("größer"), toml_value([1, True]), toml_value({"a b": 1.5})
    ('"größer"', '[1, true]', '{"a b" = 1.5}')
    """
    if isinstance(value, dict):
        if not all(isinstance(name, str) for name in value):
            raise TypeError(f"a key of {value!r} is not a text")
        parts = (f"{_text(name)} = {toml_value(part)}" for name, part in value.items())
        return "{" + ", ".join(parts) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    if isinstance(value, (bool, str)):
        return _text(value)
    if isinstance(value, (int, float)):
        return (int if isinstance(value, int) else float).__repr__(value)  # numpy's say their type
    raise TypeError(f"TOML has no word for {value!r}")


def _text(value: str | bool) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
