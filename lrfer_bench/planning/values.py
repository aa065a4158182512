"""Values of settings and options: from words of a command line, and in the type of a default.

One value has one spelling: 1, 1.0 and true differ in a key, so each setting takes one of them.
"""

from __future__ import annotations

import json
import math
import numbers
from collections.abc import Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from lrfer_bench.errors import UserError, check_unicode

DEEPEST = 16
WORDS: Mapping[str, Any] = {"true": True, "false": False, "none": None}
HOLDING = (list, tuple, dict)
"""What a command line writes as JSON."""


def as_default(what: str, value: Any, default: Any, declared: Any = None) -> Any:
    """A value in the type of its default: "0" where that is 1.0 becomes 0.0.

    what: how messages call the setting. declared: its annotation, which says whether none is
    allowed, and the type where the default is None. UserError for a value of another type.
    """
    kind = _kind(default, declared)
    optional = default is None or NoneType in _parts(declared)
    found = _read(value, kind, optional) if isinstance(value, str) else plain(value)
    check_bounds(what, found)
    if found is None and optional:
        return None
    if kind is bool:
        return _bool(what, value, found)
    if kind in (int, float):
        return _number(what, value, found, kind)
    if kind is str:
        return _text(what, value, found)
    if kind in HOLDING:
        return _holding(what, value, found, default, kind)
    return found


def _kind(default: Any, declared: Any) -> type | None:
    """What a setting takes: a type of JSON, or None where nothing tells it."""
    for kind in (bool, int, float, str, *HOLDING):
        if isinstance(default, kind):
            return kind
    parts = {get_origin(part) or part for part in _parts(declared)} - {NoneType}
    known = parts & {bool, int, float, str, *HOLDING}
    return known.pop() if default is None and len(parts) == len(known) == 1 else None


def _parts(declared: Any) -> tuple[Any, ...]:
    """The types of an annotation: int and NoneType of `int | None`."""
    return get_args(declared) if get_origin(declared) in (Union, UnionType) else (declared,)


def _read(text: str, kind: type | None, optional: bool) -> Any:
    """A word of a command line as a value of that kind, where it can be one.

    optional: none is a value of it, and so no text
    """
    nothing = text.lower() in ("none", "null")  # labels say null, as JSON does
    if kind is str:
        return None if optional and nothing else text
    found = None if nothing else value_of(text)
    if isinstance(found, str) and (kind is None or kind in HOLDING):
        try:
            held = json.loads(text)
        except (ValueError, RecursionError):
            return found
        return held if isinstance(held, HOLDING) else found
    return found


def plain(value: Any) -> Any:
    """A number of numpy as Python's own, a path as its text; all else as it is."""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, numbers.Real) and not isinstance(value, (int, float)):
        return int(value) if isinstance(value, numbers.Integral) else float(value)
    return value


def _bool(what: str, value: Any, found: Any) -> bool:
    if not isinstance(found, (bool, int, float)) or found not in (0, 1):
        raise UserError(f"{what} is {value!r}: it takes true or false")
    return bool(found)


def _number(what: str, value: Any, found: Any, kind: type) -> float:
    """Whole numbers as integers or as floats, as the setting has them."""
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        raise UserError(f"{what} is {value!r}: it takes a number")
    if kind is float:
        return float(found)
    if found != int(found):
        return found
    check_bounds(what, int(found))
    return int(found)


def _text(what: str, value: Any, found: Any) -> str:
    """A number is its text, as on a command line."""
    if isinstance(found, bool) or not isinstance(found, (str, int, float)):
        raise UserError(f"{what} is {value!r}: it takes a text")
    return str(found)


def _holding(what: str, value: Any, found: Any, default: Any, kind: type) -> Any:
    """A list, or a dict where the default is one; parts in the type of all parts of a default."""
    if not isinstance(found, dict if kind is dict else (list, tuple)):
        example = json.dumps(default or ({"name": 1} if kind is dict else [1, 2]))
        raise UserError(f"{what} is {value!r}: write it as JSON, such as {example}")
    if kind is dict:
        return found
    if default and len({type(part) for part in default}) == 1:
        found = [
            as_default(f"{what}[{place}]", part, default[0]) for place, part in enumerate(found)
        ]
    return kind(found)


def check_bounds(what: str, value: Any, depth: int = 0) -> None:
    """UserError for what no record could hold.

    That is an integer of 2**63 or more, a number that is not finite, a text that is not Unicode, a
    deep nesting, and what JSON has no word for, such as a dict whose names are no texts.
    """
    if isinstance(value, str):
        check_unicode(what, value)
    if isinstance(value, int) and abs(value) >= 2**63:
        digits = len(hex(value)) - 2
        raise UserError(f"{what} has {digits} hexadecimal digits: give a number below 2**63")
    if isinstance(value, float) and not math.isfinite(value):
        raise UserError(f"{what} is {value}: it takes a finite number")
    if depth > DEEPEST:
        raise UserError(f"{what} is nested deeper than {DEEPEST} times: give a simpler value")
    if isinstance(value, dict):
        _check_names(what, value, depth)
    if isinstance(value, HOLDING):
        for part in value.values() if isinstance(value, dict) else value:
            check_bounds(what, part, depth + 1)
    elif not (value is None or isinstance(value, (str, int, float))):
        kind = type(value).__name__
        raise UserError(f"{what} is a {kind}: give a number, a text, True, False, None or a list")


def _check_names(what: str, value: Mapping[Any, Any], depth: int) -> None:
    """As JSON, {1: 2} and {"1": 2} are one."""
    for name in value:
        if not isinstance(name, str):
            raise UserError(
                f'{what} has the name {name!r} in a dict: write names as texts, such as "{name}"'
            )
        check_bounds(what, name, depth)


def ordered(value: Any) -> Any:
    """A value with all dicts in the order of their names, as keys and records spell it.

    >>> ordered([{"b": 1, "a": {"d": 2, "c": 3}}])
    [{'a': {'c': 3, 'd': 2}, 'b': 1}]
    """
    if isinstance(value, dict):
        return {name: ordered(value[name]) for name in sorted(value)}
    return type(value)(map(ordered, value)) if type(value) in (list, tuple) else value


def quoted(text: str) -> str:
    """A text as a command line takes it: in quotes where its blanks at the ends would be lost."""
    return (
        json.dumps(text, ensure_ascii=False)
        if text != text.strip() or unquoted(text) != text
        else text
    )


def unquoted(text: str) -> str:
    """What stands in the double quotes around a word, if any, as JSON has it; else the word.

    >>> unquoted('" "'), unquoted("' '"), unquoted('5" wide')
    (' ', "' '", '5" wide')
    """
    if not (text.startswith('"') and text.endswith('"')):
        return text
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return found if isinstance(found, str) else text


def value_of(text: str) -> Any:
    """A word of a command line as a value: an integer, a number, true, false or none; all else
    stays text.

    >>> value_of("2"), value_of("0.5"), value_of("True"), value_of("none"), value_of("lean")
    (2, 0.5, True, None, 'lean')
    """
    if text.lower() in WORDS:
        return WORDS[text.lower()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
