"""A user's own training budget: a built-in preset with other values, known by name and content.

Its id is the name and eight digits of a hash of all its values ("mine@3fa2c1d0"), so that two files
of one name and other values are two presets, and never share a board or a key.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from lrfer_bench.contract.preset import Preset, preset_of
from lrfer_bench.contract.toml import read_toml, toml_value
from lrfer_bench.errors import UserError, did_you_mean

HEADER = "# A training budget of its own; lrfer-bench reads it by --preset FILE.\n"
NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,39}")
DIGITS = 8
OWN = re.compile(NAME.pattern + r"@[0-9a-f]{8}")
"""What an id of such a preset looks like."""

ALLOWED = [f.name for f in fields(Preset) if f.name not in ("name", "version", "draft")]
LIMITS: dict[str, tuple[float, float]] = {
    "epochs": (1, 100_000), "batch": (2, 65_536), "lr": (1e-9, 1e3), "muon_lr": (1e-9, 1e3),
    "norm_bias_lr": (1e-3, 1e4), "weight_decay": (0, 1), "label_smoothing": (0, 0.999),
    "dropout": (0, 0.999), "ema": (0, 0.999999), "ema_every": (1, 10_000), "shift": (0, 64),
    "warm_up": (0.001, 0.999),
}  # fmt: skip
"""The least and the most that each number may be."""


def chosen_preset(word: str, changes: Mapping[str, Any] | None = None) -> Preset:
    """The preset of a name, an id, or a TOML file, with changes such as {"epochs": 5} if any.

    ~ is the user's own folder, as in every other path: shells leave it in --preset=~/mine.toml.
    What the preset has already is no change: it goes on to share its boards and models.
    """
    word = os.path.expanduser(word)
    preset = read_preset(Path(word)) if word.endswith(".toml") else preset_of(word)
    changes = {
        name: value
        for name, value in (changes or {}).items()
        if value is not None and value != getattr(preset, name, None)
    }
    if not changes:
        return preset
    # cut, as a name has 40 letters at most
    return own_preset(
        f"{preset.name[:36]}-own", preset, changes, where="--" + " and --".join(changes)
    )


def read_preset(path: Path) -> Preset:
    """The preset of a TOML file: `base = "cpu"`, then what differs; `name` is the file's own.

    UserError, one sentence with the file's name, for one that cannot be read, an unknown field and
    a value that is not possible.
    """
    values = read_toml(path, f"the preset file {path}")
    base, name = values.pop("base", None), values.pop("name", path.stem.partition("@")[0])
    if not isinstance(base, str):
        raise UserError(f'the preset file {path} names no base: write base = "cpu" for instance')
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise UserError(
            f"the preset file {path} has the name {name!r}: write name = with small letters, "
            "digits, - and _"
        )
    return own_preset(name, preset_of(base), values, where=str(path))


def own_preset(name: str, base: Preset, values: Mapping[str, Any], where: str) -> Preset:
    """base with other values, under a name of its own. where: what a complaint names."""
    for field in values:
        if field not in ALLOWED:
            raise UserError(
                f'{where}: a preset has no "{field}": {did_you_mean(field, ALLOWED)}; '
                f"lrfer-bench presets show {base.id} lists them"
            )
    changed = _checked(base, values, where)
    # content() leaves out what version 1 of all presets does, so a later field moves no id
    whole = {k: v for k, v in changed.content().items() if k not in ("name", "version")}
    digest = hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()
    summary = str(values.get("summary", f"{base.id} with {', '.join(values) or 'nothing changed'}"))
    return replace(changed, name=name, version=digest[:DIGITS], summary=summary)


def _checked(base: Preset, values: Mapping[str, Any], where: str) -> Preset:
    """base with these values, each of its field's type and within its limits."""
    types, checked = get_type_hints(Preset), {}
    for field, value in values.items():
        try:
            checked[field] = TypeAdapter(types[field]).validate_python(value, strict=True)
        except ValidationError as error:
            why = error.errors()[0]["msg"]
            raise UserError(f"{where}: {field} is {value!r}: {why[:1].lower()}{why[1:]}") from error
    preset = replace(base, draft=False, **checked)  # its content is its version: it never changes
    for field, (least, most) in LIMITS.items():
        if not least <= getattr(preset, field) <= most:
            raise UserError(
                f"{where}: {field} is {getattr(preset, field)}: it goes from {least:g} to {most:g}"
            )
    return preset


def preset_text(preset: Preset, base: str = "cpu@1") -> str:
    """The TOML file of a preset, every field written out, so that it reads the same for ever."""
    values = {"base": base, "name": preset.name}
    values |= {field: getattr(preset, field) for field in ALLOWED}
    return HEADER + "".join(f"{field} = {toml_value(value)}\n" for field, value in values.items())
