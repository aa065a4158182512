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
    """
    name, bracket, rest = text.partition("[")
    if not bracket:
        return name, {}
    settings = {}
    for part in rest.removesuffix("]").split(","):
        setting, equals, value = part.partition("=")
        if not name or not rest.endswith("]") or not equals or not setting.strip():
            raise UserError(
                f'the method "{text}" is not understood: write NAME or "NAME[SETTING=VALUE,...]"'
            )
        settings[setting.strip()] = value.strip()
    return name, settings


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
    return name, {setting: _number_or_word(value) for setting, value in settings.items()}


def _number_or_word(value: str) -> float | str:
    try:
        return float(value)
    except ValueError:
        return value.lower()
