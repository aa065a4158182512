"""Settings: what a method's __init__ takes, and how words of a command line become values."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lrfer_bench.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from lrfer_bench.contract.method import Method

DEEPEST = 16
WORDS: Mapping[str, Any] = {"true": True, "false": False, "none": None}


def settings_of(cls: type[Method]) -> dict[str, Any]:
    """The settings of a method and their defaults, read from its __init__."""
    parameters = list(inspect.signature(cls.__init__).parameters.values())[2:]
    named = [p for p in parameters if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return {p.name: None if p.default is p.empty else p.default for p in named}


def complete_settings(name: str, cls: type[Method], given: Mapping[str, Any]) -> dict[str, Any]:
    """Defaults overlaid with what the user gave, strings turned into the default's type.

    UserError for an unknown name, a value of another type, and numbers that are not finite.
    """
    settings = settings_of(cls)
    for setting, value in given.items():
        if setting not in settings:
            raise UserError(
                f'method "{name}" has no setting "{setting}": {did_you_mean(setting, settings)}'
            )
        settings[setting] = _as_default(f"{name}.{setting}", value, settings[setting])
    return settings


def _as_default(what: str, value: Any, default: Any) -> Any:
    """A value in the type of its default: "0" where that is 1.0 becomes 0.0.

    Values from Python pass as they are, but integers become floats where floats are meant: 1 and
    1.0 are one setting and have to give one key.
    """
    found = value
    if isinstance(value, str) and not isinstance(default, str):
        found = value_of(value)
        if isinstance(default, bool) and not (found is None or isinstance(found, bool)):
            raise UserError(f"{what} is {value!r}: it takes true or false")
        if isinstance(found, str) and default is not None:
            raise UserError(f"{what} is {value!r}: it takes a number")
    check_bounds(what, found)
    if isinstance(default, float) and isinstance(found, int) and not isinstance(found, bool):
        found = float(found)
    if isinstance(found, float) and not math.isfinite(found):
        raise UserError(f"{what} is {found}: it takes a finite number")
    return found


def check_bounds(what: str, value: Any, depth: int = 0) -> None:
    """UserError for what no record could hold: an integer of 2**63 or more, a deep nesting."""
    if isinstance(value, int) and abs(value) >= 2**63:
        digits = len(hex(value)) - 2
        raise UserError(f"{what} has {digits} hexadecimal digits: give a number below 2**63")
    if depth > DEEPEST:
        raise UserError(f"{what} is nested deeper than {DEEPEST} times: give a simpler value")
    if isinstance(value, (list, tuple, dict)):
        for part in value.values() if isinstance(value, dict) else value:
            check_bounds(what, part, depth + 1)


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


def parse_settings(texts: Sequence[str]) -> dict[str, dict[str, str]]:
    """("gmenet.kd_weight=0", ...) -> {"gmenet": {"kd_weight": "0"}}; UserError for another form."""
    settings: dict[str, dict[str, str]] = {}
    for text in texts:
        left, equals, value = text.partition("=")
        method, dot, setting = left.strip().rpartition(".")
        if not equals or not dot or not method or not setting:
            raise UserError(f'--set "{text}" is not understood: write --set METHOD.SETTING=VALUE')
        settings.setdefault(method, {})[setting] = value.strip()
    return settings


def parse_options(pairs: Iterable[str]) -> dict[str, Any]:
    """["size=112", "colour=grey"] -> {"size": 112, "colour": "grey"}.

    Raises UserError for a pair without a name or "=".
    """
    options: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or not name:
            raise UserError(f'"{pair}" is not a data option: write name=value, such as size=112')
        if name in options:
            raise UserError(f'the data option "{name}" is given twice: give it once')
        options[name] = value_of(text.strip())
        check_bounds(name, options[name])
    return options


def names(what: str, text: str) -> list[str]:
    """ "a, b[c=1,d=2]" -> ["a", "b[c=1,d=2]"]; UserError where nothing is named."""
    parts = split_labels(text)
    if not parts:
        raise UserError(f"{what} names nothing: give one or more names with commas between")
    return parts


def integers(what: str, text: str) -> list[int]:
    """ "2,4,8" -> [2, 4, 8]; UserError for anything but integers."""
    try:
        return [int(part) for part in names(what, text)]
    except ValueError:
        parts = [re.fullmatch("[xX]?([0-9]+)[xX]?", part) for part in names(what, text)]
        near = ",".join(part[1] for part in parts if part)
        hint = f"; did you mean {near}?" if all(parts) else ""
        raise UserError(
            f'{what} is "{text}": give integers with commas between, such as 2,4,8{hint}'
        ) from None


def split_labels(text: str) -> list[str]:
    """Labels with commas between; a comma within brackets belongs to its label.

    >>> split_labels("direct, gmenet[attention=none,kd_weight=0]")
    ['direct', 'gmenet[attention=none,kd_weight=0]']
    """
    found, word, depth = [], "", 0
    for letter in text:
        depth += (letter == "[") - (letter == "]")
        if letter == "," and depth <= 0:
            found.append(word)
            word = ""
        else:
            word += letter
    return [label.strip() for label in (*found, word) if label.strip()]
