"""Options that several sub-commands share, and how their texts become values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from lrfer_bench.errors import UserError

Command = TypeVar("Command", bound=Callable[..., Any])

DEFAULT_METHODS = "oracle,bicubic,direct,multires"
DEFAULT_RESULTS = "results"


def names(what: str, text: str) -> list[str]:
    """ "a, b" -> ["a", "b"]; nothing named is a UserError."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        raise UserError(f"{what} names nothing: give one or more names with commas between")
    return parts


def numbers(what: str, text: str) -> list[int]:
    """ "2,4,8" -> [2, 4, 8]; anything but whole numbers is a UserError."""
    try:
        return [int(part) for part in names(what, text)]
    except ValueError:
        raise UserError(f'{what} is "{text}": give whole numbers with commas between, such as 2,4,8') from None


def method_settings(texts: Sequence[str]) -> dict[str, dict[str, str]]:
    """("gmenet.kd_weight=0", ...) -> {"gmenet": {"kd_weight": "0"}}"""
    settings: dict[str, dict[str, str]] = {}
    for text in texts:
        left, equals, value = text.partition("=")
        method, dot, setting = left.strip().rpartition(".")
        if not equals or not dot or not method or not setting:
            raise UserError(f'--set "{text}" is not understood: write --set METHOD.SETTING=VALUE')
        settings.setdefault(method, {})[setting] = value.strip()
    return settings


PLUGIN = click.option(
    "--plugin", "plugins", multiple=True, type=click.Path(path_type=Path),
    help="File with methods, data sets or protocols of your own; may be repeated. Also: LRFER_PLUGINS.",
)  # fmt: skip
"""For every sub-command that takes a name; its files go to registry.load_plugins."""


def echo_left_out(reasons: Mapping[str, str]) -> None:
    """Name the plugins that could not be used; the others work."""
    for name, reason in reasons.items():
        click.echo(f"left out: {name}: {reason}", err=True)


GROUPS = {
    "What to run": ("methods", "dataset", "data_root", "data_option", "plugins"),
    "Conditions": ("scales", "protocols", "test_protocols", "test_scales"),
    "Training": ("seeds", "preset", "settings"),
    "Where and how": ("results", "workers", "engine", "overwrite", "no_report"),
}
"""Headings in the help of `run` and `plan`; what is in none stands under "Options"."""


class GroupedCommand(click.Command):
    """A command whose help shows its options under headings."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        shown = [(param.name, record) for param in self.get_params(ctx) if (record := param.get_help_record(ctx))]
        headed = {name for names in GROUPS.values() for name in names}
        rest = tuple(name for name, _ in shown if name not in headed)
        for heading, group in {**GROUPS, "Options": rest}.items():
            rows = [record for name, record in shown if name in group]
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows)


def plan_options(command: Command) -> Command:
    """The options that say what is to be run; `run` and `plan` take the same."""
    for option in reversed(_PLAN_OPTIONS):
        command = option(command)
    return command


_PLAN_OPTIONS = [
    click.option("--methods", default=DEFAULT_METHODS, show_default=True, help="Methods, with commas between."),
    click.option("--dataset", default="synthface", show_default=True, help="Data set (see: datasets list)."),
    click.option("--data-root", type=click.Path(path_type=Path), help="Folder or file of the data set."),
    click.option("--data-option", "data_option", multiple=True, metavar="NAME=VALUE", help="Option of the data set."),
    click.option("--scales", default="2,4,8", show_default=True, help="Down-sampling factors to train and test."),
    click.option("--protocols", default="bicubic", show_default=True, help="How LR faces are made for training."),
    click.option("--test-protocols", help="How they are made for the test, if otherwise."),
    click.option("--test-scales", help="Factors to test at, if others than trained."),
    click.option("--seeds", default="0", show_default=True, help="Seeds; each varies the whole pipeline."),
    click.option("--preset", default="quick", show_default=True, help="Training budget: quick, cpu or paper."),
    click.option("--set", "settings", multiple=True, metavar="METHOD.SETTING=VALUE", help="Change a method's setting."),
    PLUGIN,
    click.option(
        "--results", default=DEFAULT_RESULTS, show_default=True, type=click.Path(path_type=Path), help="Where records go."
    ),
    click.option("--workers", type=int, help="Worker processes.  [default: one a core, or a GPU]"),
    click.option(
        "--overwrite", default="never", show_default=True, type=click.Choice(["never", "failed", "always"]),
        help="Which cells that have a record are run again.",
    ),
]  # fmt: skip
