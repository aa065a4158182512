"""The presets of a results folder's records: a user's own ones lie in its presets/ as files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from lrfer_bench.contract.own_preset import OWN, chosen_preset, preset_text, read_preset
from lrfer_bench.contract.preset import Preset, preset_of
from lrfer_bench.errors import UserError
from lrfer_bench.files import read_limited, set_aside, write_atomically

MOST_BYTES = 1 << 16


def keep_preset(root: Path, preset: Preset) -> None:
    """Write a user's own preset beside the records that name it; built-in ones need no file.

    A file of its name that is another preset by now is set aside.
    """
    if not OWN.fullmatch(preset.id):
        return
    path = _file(root, preset.id)
    if os.path.lexists(path):
        with suppress(UserError):
            preset_of_record(root, preset.id)
            return
        # or every record that this run writes could not be used; another run may be faster
        with suppress(FileNotFoundError):
            set_aside(path, "changed")
    write_atomically(path, preset_text(preset).encode())


def preset_of_record(root: Path, name: str) -> Preset:
    """The preset that a record of this folder names, exactly.

    UserError for one that this version does not have, and for a file that is missing or was edited.
    """
    if not OWN.fullmatch(name):
        preset = preset_of(name)
        if preset.id != name:
            raise UserError(f"it names no version of its preset: {name}")
        return preset
    path = _file(root, name)
    try:
        read_limited(path, MOST_BYTES)  # somebody else's file: perhaps a pipe, perhaps endless
        preset = read_preset(path)
    except FileNotFoundError as error:
        raise UserError(f"the preset file {path} is missing: copy presets/ as well") from error
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"the preset file {path} cannot be used: {error}") from error
    if preset.id != name:
        raise UserError(f"{path} was edited: it is {preset.id} now, and its records cannot be used")
    return preset


def preset_in(root: Path, word: str, changes: Mapping[str, Any] | None = None) -> Preset:
    """chosen_preset(), which takes the id of a preset that is kept in this results folder, too."""
    if OWN.fullmatch(word):
        preset_of_record(root, word)  # its complaint, where it is missing or was edited
        word = str(_file(root, word))
    return chosen_preset(word, changes)


def _file(root: Path, name: str) -> Path:
    return root / "presets" / f"{name}.toml"
