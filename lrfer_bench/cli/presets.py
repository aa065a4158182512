"""lrfer-bench presets list|show"""

from __future__ import annotations

from typing import Any

import click

from lrfer_bench.cli import completing
from lrfer_bench.cli.data import JSON, echo_json
from lrfer_bench.cli.echo import echo
from lrfer_bench.cli.help import Group
from lrfer_bench.contract.own_preset import chosen_preset
from lrfer_bench.contract.preset import PRESETS, Preset, preset_of


@click.group(
    cls=Group,
    examples=(
        "lrfer-bench presets list",
        "lrfer-bench presets show cpu",
    ),
)
def presets() -> None:
    """List the training budgets, show one."""


@presets.command(
    "list",
    examples=(
        "lrfer-bench presets list",
        "lrfer-bench presets show cpu@1",
    ),
)
@JSON
def list_presets(as_json: bool) -> None:
    """Every version of every preset with one line.

    A name without a version (--preset cpu) is the newest final one, marked *.
    """
    if as_json:
        echo_json([_as_data(preset) for preset in PRESETS.values()])
        return
    for preset in PRESETS.values():
        newest = preset_of(preset.name) is preset
        draft = " (draft: its numbers may still change)" if preset.draft else ""
        echo(f"{preset.id:<8} {'*' if newest else ' '} {preset.summary}{draft}")
    echo("* the version that a name alone stands for")


@presets.command(
    "show",
    examples=(
        "lrfer-bench presets show quick",
        "lrfer-bench presets show cpu@1",
    ),
)
@click.argument("name", shell_complete=completing.one(completing.presets))
@JSON
def show_preset(name: str, as_json: bool) -> None:
    """Everything a preset fixes, by name (the newest version), id (cpu@1) or TOML file.

    A final preset never changes: other numbers are another version, so old and new results are
    never mixed.
    """
    preset = chosen_preset(name)
    if as_json:
        echo_json(_as_data(preset))
        return
    echo(f"{preset.id}: {preset.summary}")
    for field, value in preset.settings().items():
        if field not in ("name", "version"):
            echo(f"  {field}: {value}")
    if preset.id not in PRESETS:
        return
    versions = [other.id for other in PRESETS.values() if other.name == preset.name]
    echo(f"versions: {', '.join(versions)}; --preset {preset.name} is {preset_of(preset.name).id}")


def _as_data(preset: Preset) -> dict[str, Any]:
    newest = preset.id in PRESETS and preset_of(preset.name) is preset
    about = {"id": preset.id, "summary": preset.summary, "draft": preset.draft, "newest": newest}
    return {**about, **preset.settings()}
