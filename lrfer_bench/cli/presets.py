"""lrfer-bench presets list|show"""

from __future__ import annotations

import click

from lrfer_bench.cli.help import Group
from lrfer_bench.contract.preset import PRESETS, preset_of


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
        "lrfer-bench presets show cpu",
    ),
)
def list_presets() -> None:
    """Every preset with its version and one line."""
    for preset in PRESETS.values():
        click.echo(f"{preset.id:<10} {preset.summary}")


@presets.command(
    "show",
    examples=(
        "lrfer-bench presets show quick",
        "lrfer-bench presets show cpu",
    ),
)
@click.argument("name")
def show_preset(name: str) -> None:
    """Everything a preset fixes. Any change of it makes new keys, so old and new results are never mixed."""
    preset = preset_of(name)
    click.echo(f"{preset.id}: {preset.summary}")
    for field, value in preset.content().items():
        if field not in ("name", "version"):
            click.echo(f"  {field}: {value}")
