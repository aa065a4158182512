"""A training budget of a method's own: its setting `epochs`, which the harness reads.

A method with this setting can be trained for longer, or shorter, than the preset says:
`direct[epochs=3x]` is a row of its own, under a key of its own. The method does nothing with it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from lrfer_bench.contract.preset import Preset
from lrfer_bench.errors import UserError

SETTING = "epochs"
AS_PRESET = "1x"
"""The preset's own budget. It is in no key, so a method can get this setting later on."""


def with_budget(name: str, settings: Mapping[str, Any], preset: Preset) -> dict[str, Any]:
    """The settings with one spelling for each budget: 3, "3" and "3.0" are "3"; "3.0x" is "3x".

    What comes to the preset's own number of epochs is "1x". UserError for anything else.
    """
    if SETTING not in settings:
        return dict(settings)
    value = str(settings[SETTING]).strip().lower()
    factor = value.endswith("x")
    try:
        number = float(value.removesuffix("x"))
        epochs = _epochs(value, preset)
    except (ValueError, OverflowError):
        number = epochs = 0
    if epochs < 1 or not (factor or number == epochs):
        raise UserError(
            f'{name}.{SETTING} is "{settings[SETTING]}": write a factor of the preset\'s epochs, '
            "such as 3x, or a number of epochs"
        )
    spelled = AS_PRESET if epochs == preset.epochs else f"{number:g}{'x' if factor else ''}"
    return {**settings, SETTING: spelled}


def budgeted(preset: Preset, settings: Mapping[str, Any]) -> Preset:
    """The preset with the epochs that these settings ask for, or as it is."""
    value = settings.get(SETTING, AS_PRESET)
    return (
        preset if value == AS_PRESET else dataclasses.replace(preset, epochs=_epochs(value, preset))
    )


def fault(default: Any) -> str:
    """What is wrong with this default of a setting `epochs`, or ""."""
    if isinstance(default, str) and default.endswith("x"):
        return ""
    return (
        f'its setting "{SETTING}" is {default!r}, but this name is for the training budget: '
        f'write "{AS_PRESET}" (the preset\'s) or "2x", or give the setting another name'
    )


def _epochs(value: str, preset: Preset) -> int:
    number = float(value.removesuffix("x"))
    return round(number * preset.epochs) if value.endswith("x") else int(number)
