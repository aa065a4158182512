"""A method with settings of its own, as tables and command lines write it: gmenet[kd_weight=0]."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from lrfer_bench.errors import UserError

CONTENT = re.compile("sha256:[0-9a-f]{64}")
"""A file that a setting names, as keys and records know it: by its content."""


def label_of(name: str, settings: Mapping[str, Any], whole: bool = False) -> str:
    """A method with the settings its user changed.

    A file's content is shown by the head of its hash; whole: by all of it, for a label that is
    planned again.

    >>> label_of("gmenet", {"kd_weight": 0})
    'gmenet[kd_weight=0]'
    >>> label_of("direct", {"weights": "sha256:" + 64 * "a"})
    'direct[weights=sha256:aaaaaaaaaaaa]'
    """
    parts = [f"{key}={_said(value, whole)}" for key, value in sorted(settings.items())]
    return f"{name}[{','.join(parts)}]" if parts else name


def _said(value: Any, whole: bool) -> str:
    if not isinstance(value, str):
        return json.dumps(value)
    return value if whole or not CONTENT.fullmatch(value) else value[: len("sha256:") + 12]


def parse_label(text: str) -> tuple[str, dict[str, str]]:
    """The name and settings of a label; UserError where it is none.

    >>> parse_label("gmenet[attention=none,kd_weight=0]")
    ('gmenet', {'attention': 'none', 'kd_weight': '0'})
    >>> parse_label("mine[widths=[4, 4],depth=2]")
    ('mine', {'widths': '[4, 4]', 'depth': '2'})
    """
    name, bracket, rest = text.partition("[")
    if not bracket:
        return name, {}
    settings, left, comma = {}, rest.removesuffix("]"), ","
    while comma:
        setting, equals, behind = left.partition("=")
        value, comma, left = _value_and_rest(behind)
        if (
            not name
            or not rest.endswith("]")
            or not equals
            or "," in setting
            or not setting.strip()
        ):
            raise UserError(
                f'the method "{text}" is not understood: write NAME or "NAME[SETTING=VALUE,...]"'
            )
        if setting.strip() in settings:
            raise UserError(f'the method "{text}" has {setting.strip()} twice: give it once')
        settings[setting.strip()] = value.strip()
    return name, settings


def _value_and_rest(text: str) -> tuple[str, str, str]:
    """A value, the comma behind it or "", and what follows; commas in a JSON list are its own."""
    text = text.lstrip()
    value = held_at(text, 0)
    behind = text[len(value) :].lstrip()
    if value and behind[:1] in ("", ","):
        return value, behind[:1], behind[1:]
    return text.partition(",")


def held_at(text: str, place: int) -> str:
    """The list or dict in JSON that stands at a place of a text; "" where none does.

    >>> held_at('m[marks=["a]", "b"],n=1]', 8)
    '["a]", "b"]'
    """
    if not text.startswith(("[", "{"), place):
        return ""
    try:
        _, end = json.JSONDecoder().raw_decode(text, place)
    except (ValueError, RecursionError):
        return ""
    return text[place:end]


def same_label(one: str, other: str) -> bool:
    """Whether two labels mean one row: numbers count by value, the order of settings does not.

    >>> same_label("gmenet[kd_weight=0,attention=none]", "gmenet[attention=none,kd_weight=0.0]")
    True
    """
    return one == other or _meaning(one) == _meaning(other)


def _meaning(label: str) -> tuple[str, dict[str, Any]]:
    try:
        name, settings = parse_label(label)
    except UserError:
        return label, {}
    return name, {setting: _value(text) for setting, text in settings.items()}


def _value(text: str) -> Any:
    """A number or list by its value, all else as a word."""
    try:
        return json.loads(text) if text.startswith(("[", "{")) else float(text)
    except (ValueError, RecursionError):
        return text.lower()
