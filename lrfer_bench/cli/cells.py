"""The options that say which trained cell of a results folder is meant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from lrfer_bench.cli.options import PLUGIN
from lrfer_bench.cli.paths import UserPath
from lrfer_bench.planning import defaults

Command = TypeVar("Command", bound=Callable[..., Any])
WORDS = ("method", "scale", "dataset", "protocol", "preset", "seed", "key")
"""Parameters that are the fields of predicting.wanted.Wanted."""
WHICH = (*WORDS, "results", "plugins", "trust_plugins")
"""All of them, for a heading of the help."""

_OPTIONS = (
    click.option("--method", metavar="NAME", help="The method, as tables call it."),
    click.option("--dataset", metavar="NAME", help="Its data set, if there are several."),
    click.option("--protocol", metavar="NAME", help="Its test protocol, if there are several."),
    click.option("--preset", metavar="NAME", help="Its preset, if there are several."),
    click.option("--seed", type=int, metavar="N", help="Its seed.  [default: the lowest]"),
    click.option("--key", metavar="HASH", help="The cell's key or its head, in place of all that."),
    click.option(
        "--results", default=defaults.RESULTS, show_default=True, type=UserPath(),
        help="Results folder, with its models/.",
    ),
    PLUGIN,
    click.option(
        "--trust-plugins", is_flag=True, help="Run plugin files that came with the results folder."
    ),
)  # fmt: skip


def cell_options(scale: str) -> Callable[[Command], Command]:
    """A decorator with the options of WHICH. scale: the help of --scale."""

    def decorate(command: Command) -> Command:
        for option in reversed(_OPTIONS):
            command = option(command)
        return click.option("--scale", type=int, metavar="N", help=scale)(command)

    return decorate
