"""Settings files: TOML with the settings of methods, as `tune` writes them and `run` takes them.

    [settings.kd]          # as --set kd.kd_weight=2.5 --set kd.variant=dkd
    kd_weight = 2.5
    variant = "dkd"

    [trials]               # optional: how many trials of a tuning chose them
    kd = 8

    [code]                 # optional: of plugin files, whose settings the tuning chose
    mine = "0a1b2c3d4e5f"

    [versions]             # optional: of the methods, whose settings the tuning chose
    kd = "1"

A file may name more methods than a run asks for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lrfer_bench.contract.toml import read_toml, toml_value
from lrfer_bench.errors import UserError
from lrfer_bench.files import at_home

PARTS = ("settings", "trials", "code", "versions")


@dataclass(frozen=True)
class SettingsFile:
    """settings: method -> setting -> value; trials: method -> number of trials, where it is known.

    name: how messages call the file; code: method -> the hash of the plugin file that was tuned
    versions: method -> the version of it that was tuned, where it is known
    """

    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    trials: Mapping[str, int] = field(default_factory=dict)
    name: str = ""
    code: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)


def read_settings_file(path: Path) -> SettingsFile:
    """UserError for a file that cannot be read, is not TOML, or has another content than above."""
    called = f"the settings file {path}"
    content = read_toml(at_home(path), called, "--settings")
    fault = _fault(content)
    if fault:
        raise UserError(f"the settings file {path} {fault}")
    return SettingsFile(name=str(path), **content)


def _fault(content: Mapping[str, Any]) -> str:
    for part in content:
        if part not in PARTS:
            return f'has a part "{part}": write [settings.METHOD], [trials], [code]'
    settings, trials = content.get("settings", {}), content.get("trials", {})
    if not isinstance(settings, dict) or not all(
        isinstance(own, dict) for own in settings.values()
    ):
        return "has settings without a method: write [settings.METHOD] above them"
    try:
        json.dumps(settings)  # dates are all that TOML has and JSON has no word for
    except TypeError:
        return "has a date or a time among its settings, which no setting takes: write a text"
    if not isinstance(trials, dict):
        return "has trials without a method: write [trials] and below it METHOD = 8"
    for method, count in trials.items():
        if type(count) is not int or count < 0:
            return f"has trials.{method} = {count!r}: write how many trials there were, such as 8"
    for part, word in (("code", "HASH"), ("versions", "VERSION")):
        texts = content.get(part, {})
        if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
            return f'has {part} without a method: write [{part}] and below it METHOD = "{word}"'
    return ""


def settings_toml(file: SettingsFile, comment: str) -> str:
    """The text that read_settings_file() reads: the same values again. comment: its first lines."""
    lines = [f"# {line}" for line in comment.splitlines()]
    for method, settings in file.settings.items():
        lines += ["", f"[settings.{_key(method)}]"]
        lines += [f"{_key(name)} = {_value(value)}" for name, value in settings.items()]
    lines += ["", "[trials]"]
    lines += [f"{_key(method)} = {count}" for method, count in file.trials.items()]
    for part, texts in (("code", file.code), ("versions", file.versions)):
        if texts:
            lines += ["", f"[{part}]"]
            lines += [f"{_key(method)} = {toml_value(text)}" for method, text in texts.items()]
    return "\n".join(lines) + "\n"


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else toml_value(name)


def _value(value: Any) -> str:
    """None is a word, as with --set."""
    return toml_value("none" if value is None else value)
