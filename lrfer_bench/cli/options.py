"""Options that several sub-commands share, and how their texts become values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from lrfer_bench.planning import defaults
from lrfer_bench.planning.settings import integers, names, split_labels

if TYPE_CHECKING:
    from lrfer_bench.planning.request import Request

Command = TypeVar("Command", bound=Callable[..., Any])
METHODS, SCALES = ",".join(defaults.METHODS), ",".join(map(str, defaults.SCALES))


def label_list(_: click.Context, __: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    """Comma-separated or repeated names; a comma inside [...] belongs to a method's settings."""
    return tuple(label for text in value for label in split_labels(text))


def number_list(
    context: click.Context, parameter: click.Parameter, value: tuple[str, ...]
) -> tuple[int, ...]:
    """Comma-separated integers."""
    found = label_list(context, parameter, value)
    for word in found:
        if not (word.isascii() and word.isdigit()):
            raise click.BadParameter(f'"{word}" is not an integer: give integers such as 2,4,8')
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
    "Where and how": (
        "results",
        "workers",
        "overwrite",
        "engine",
        "address",
        "cpus_per_model",
        "gpus_per_model",
        "join",
        "no_report",
        "plan_only",
    ),
}
"""Headings in the help of `run` and `plan`."""


def request_of(options: Mapping[str, Any]) -> Request:
    """The options of `run` and `plan` as a Request; UserError for words that are not understood."""
    from lrfer_bench.contract.preset import preset_of
    from lrfer_bench.planning.request import Request
    from lrfer_bench.planning.settings import parse_options, parse_settings

    root: Path | None = options["data_root"]
    test_protocols, test_scales = options["test_protocols"], options["test_scales"]
    return Request(
        methods=names("--methods", options["methods"]),
        dataset=options["dataset"],
        data_root=root.expanduser() if root else None,
        data_options=parse_options(options["data_option"]),
        scales=integers("--scales", options["scales"]),
        protocols=names("--protocols", options["protocols"]),
        test_protocols=names("--test-protocols", test_protocols) if test_protocols else None,
        test_scales=integers("--test-scales", test_scales) if test_scales else None,
        seeds=integers("--seeds", options["seeds"]),
        settings=parse_settings(options["settings"]),
        preset=preset_of(options["preset"]),
        plugins=options["plugins"],
        results=options["results"],
        workers=options["workers"],
        engine=options.get("engine", defaults.ENGINE),
        overwrite=options["overwrite"],
        join=options.get("join", False),
        address=options.get("address"),
        cpus_per_model=options.get("cpus_per_model"),
        gpus_per_model=options.get("gpus_per_model"),
    )


def plan_options(command: Command) -> Command:
    """The options that say what is to be run; `run` and `plan` take the same."""
    for option in reversed(_PLAN_OPTIONS):
        command = option(command)
    return command


_PLAN_OPTIONS = [
    click.option(
        "--methods",
        default=METHODS,
        show_default=True,
        metavar="A,B",
        help='Names, or "NAME[SETTING=VALUE]".',
    ),
    click.option(
        "--dataset",
        default=defaults.DATASET,
        show_default=True,
        metavar="NAME",
        help="See: datasets list.",
    ),
    click.option(
        "--data-root",
        type=click.Path(path_type=Path),
        help="Your copy of the data: folder or file.",
    ),
    click.option(
        "--data-option",
        "data_option",
        multiple=True,
        metavar="NAME=VALUE",
        help="Of the data set; repeatable.",
    ),
    click.option(
        "--scales",
        default=SCALES,
        show_default=True,
        metavar="2,4",
        help="Train and test at these.",
    ),
    click.option(
        "--protocols",
        default=defaults.PROTOCOL,
        show_default=True,
        metavar="A,B",
        help="Makers of LR faces.",
    ),
    click.option(
        "--test-protocols",
        metavar="A,B",
        help="Test under these, if under others than in training.",
    ),
    click.option(
        "--test-scales", metavar="2,4", help="Test at these, if at others than in training."
    ),
    click.option(
        "--seeds",
        default="0",
        show_default=True,
        metavar="0,1",
        help="Each varies the whole pipeline.",
    ),
    click.option(
        "--preset",
        default=defaults.PRESET,
        show_default=True,
        metavar="NAME",
        help="The budget: quick, cpu, paper.",
    ),
    click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="METHOD.SETTING=VALUE",
        help="Change a setting; repeatable.",
    ),
    PLUGIN,
    click.option(
        "--results",
        default=defaults.RESULTS,
        show_default=True,
        type=click.Path(path_type=Path),
        help="Where records go.",
    ),
    click.option(
        "--workers", type=int, metavar="N", help="Processes.  [default: one a core, or one a GPU]"
    ),
    click.option(
        "--overwrite",
        default="never",
        show_default=True,
        type=click.Choice(["never", "failed", "always"]),
        metavar="WHICH",
        help="Run again: never, failed, always.",
    ),
]
