"""Options that several sub-commands share, and how their texts become values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from lrfer_bench.contract.labels import split_labels
from lrfer_bench.errors import UserError
from lrfer_bench.planning import defaults

Command = TypeVar("Command", bound=Callable[..., Any])
METHODS, SCALES = ",".join(defaults.METHODS), ",".join(map(str, defaults.SCALES))


def names(what: str, text: str) -> list[str]:
    """ "a, b[c=1,d=2]" -> ["a", "b[c=1,d=2]"]; nothing named is a UserError."""
    parts = split_labels(text)
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


def label_list(_: click.Context, __: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    """Comma-separated or repeated names, without a comma inside [...] (a method's settings) taken for one."""
    return tuple(label for text in value for label in split_labels(text))


def number_list(context: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> tuple[int, ...]:
    """Comma-separated whole numbers."""
    found = label_list(context, parameter, value)
    for word in found:
        if not (word.isascii() and word.isdigit()):
            raise click.BadParameter(f'"{word}" is no whole number: give numbers like 2,4,8')
    return tuple(map(int, found))


PLUGIN = click.option(
    "--plugin", "plugins", multiple=True, type=click.Path(path_type=Path),
    help="Your own .py file; repeatable. Also: LRFER_PLUGINS.",
)  # fmt: skip
"""For every sub-command that takes a name; its files go to registry.load_plugins."""


def echo_left_out(reasons: Mapping[str, str]) -> None:
    """Name the plugins that could not be used; the others work."""
    for name, reason in reasons.items():
        click.echo(f"left out: {name}: {reason}", err=True)


PLAN_GROUPS = {
    "What to run": ("methods", "dataset", "data_root", "data_option", "plugins"),
    "Conditions": ("scales", "protocols", "test_protocols", "test_scales"),
    "Training": ("seeds", "preset", "settings"),
    "Where and how": ("results", "workers", "overwrite", "engine", "no_report", "plan_only"),
}
"""Headings in the help of `run` and `plan`."""


def plan_options(command: Command) -> Command:
    """The options that say what is to be run; `run` and `plan` take the same."""
    for option in reversed(_PLAN_OPTIONS):
        command = option(command)
    return command


_PLAN_OPTIONS = [
    click.option("--methods", default=METHODS, show_default=True, metavar="A,B", help='Names, or "NAME[SETTING=VALUE]".'),
    click.option("--dataset", default=defaults.DATASET, show_default=True, metavar="NAME", help="See: datasets list."),
    click.option("--data-root", type=click.Path(path_type=Path), help="Your copy of the data: folder or file."),
    click.option("--data-option", "data_option", multiple=True, metavar="NAME=VALUE", help="Of the data set; repeatable."),
    click.option("--scales", default=SCALES, show_default=True, metavar="2,4", help="Train and test at these."),
    click.option("--protocols", default=defaults.PROTOCOL, show_default=True, metavar="A,B", help="Makers of LR faces."),
    click.option("--test-protocols", metavar="A,B", help="Test under these, if under others than in training."),
    click.option("--test-scales", metavar="2,4", help="Test at these, if at others than in training."),
    click.option("--seeds", default="0", show_default=True, metavar="0,1", help="Each varies the whole pipeline."),
    click.option("--preset", default=defaults.PRESET, show_default=True, metavar="NAME", help="The budget: quick, cpu, paper."),
    click.option("--set", "settings", multiple=True, metavar="METHOD.SETTING=VALUE", help="Change a setting; repeatable."),
    PLUGIN,
    click.option(
        "--results", default=defaults.RESULTS, show_default=True, type=click.Path(path_type=Path), help="Where records go."
    ),
    click.option("--workers", type=int, metavar="N", help="Processes.  [default: one a core, or one a GPU]"),
    click.option(
        "--overwrite", default="never", show_default=True, type=click.Choice(["never", "failed", "always"]),
        metavar="WHICH", help="Run again: never, failed, always.",
    ),
]  # fmt: skip
