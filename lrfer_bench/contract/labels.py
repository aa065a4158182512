"""A method with settings of its own, as tables and command lines write it: gmenet[kd_weight=0]."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from lrfer_bench.errors import UserError


def label_of(name: str, settings: Mapping[str, Any]) -> str:
    """A method with the settings its user changed.

    >>> label_of("gmenet", {"kd_weight": 0})
    'gmenet[kd_weight=0]'
    """
    parts = [
        f"{key}={value if isinstance(value, str) else json.dumps(value)}"
        for key, value in sorted(settings.items())
    ]
    return f"{name}[{','.join(parts)}]" if parts else name


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
