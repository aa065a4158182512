"""Options that several sub-commands share, and how their texts become values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from lrfer_bench.cli.config import take_run_file, with_the_files
from lrfer_bench.cli.echo import echo
from lrfer_bench.cli.paths import UserPath
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


NAMES: dict[str, Any] = {"multiple": True, "callback": label_list, "metavar": "A,B"}
NUMBERS: dict[str, Any] = {"multiple": True, "callback": number_list}
"""Of an option that takes a list of names, or of numbers."""


PLUGIN = click.option(
    "--plugin", "plugins", multiple=True, type=UserPath(), callback=with_the_files,
    help="Your own .py file; or LRFER_PLUGINS.",
)  # fmt: skip
"""For every sub-command that takes a name; its files go to registry.load_plugins."""


FORCE = click.option("--force", is_flag=True, help="Replace a file that is there.")
"""For every sub-command that writes a file whose name the user gives; see files.check_free."""


def echo_left_out(reasons: Mapping[str, str]) -> None:
    """Name the plugins that could not be used; the others work."""
    for name, reason in reasons.items():
        echo(f"left out: {name}: {reason}", err=True)


BUDGET = ("epochs", "batch", "lr", "precision", "targets")
"""Fields of a preset that have an option of their own."""

PLAN_GROUPS = {
    "What to run": (
        "methods",
        "dataset",
        "data_root",
        "data_option",
        "plugins",
        "scales",
        "protocols",
        "test_protocols",
        "test_scales",
    ),
    "Training": ("seeds", "preset", *BUDGET, "settings", "settings_file"),
    "Where and how": (
        "config",
        "results",
        "workers",
        "overwrite",
        "time_limit",
        "engine",
        "address",
        "cpus_per_model",
        "gpus_per_model",
        "device",
        "join",
        "log",
        "no_report",
        "plan_only",
        "as_json",
        "no_estimate",
        "verbose",
    ),
}
"""Headings in the help of `run` and `plan`."""


def request_of(options: Mapping[str, Any]) -> Request:
    """Options as a Request, with defaults for those that a command lacks.

    UserError for words that are not understood.
    """
    from lrfer_bench.planning.request import Request
    from lrfer_bench.planning.settings import parse_options, parse_settings
    from lrfer_bench.planning.settings_file import SettingsFile, read_settings_file
    from lrfer_bench.store.presets import preset_in

    budget = {name: options.get(name) for name in BUDGET}
    file: Path | None = options.get("settings_file")
    test_protocols, test_scales = options.get("test_protocols"), options.get("test_scales")
    return Request(
        methods=names("--methods", options["methods"]),
        dataset=options["dataset"],
        data_root=options["data_root"],
        data_options=parse_options(options["data_option"]),
        scales=integers("--scales", options["scales"]),
        protocols=names("--protocols", options["protocols"]),
        test_protocols=names("--test-protocols", test_protocols)
        if test_protocols is not None
        else None,
        test_scales=integers("--test-scales", test_scales) if test_scales is not None else None,
        seeds=integers("--seeds", options["seeds"]),
        settings=parse_settings(options["settings"]),
        file=read_settings_file(file) if file else SettingsFile(),
        preset=preset_in(options["results"], options["preset"], budget),
        plugins=options["plugins"],
        results=options["results"],
        workers=options["workers"],
        time_limit=options.get("time_limit"),
        engine=options.get("engine", defaults.ENGINE),
        overwrite=options["overwrite"],
        join=options.get("join", False),
        address=options.get("address"),
        cpus_per_model=options.get("cpus_per_model"),
        gpus_per_model=options.get("gpus_per_model"),
        device=options.get("device"),
        log=options.get("log"),
    )


VERBOSE = click.option(
    "--verbose/--quiet", default=None, help="A line an epoch too; or failures only."
)
"""For sub-commands that train: None is in between."""


def plan_options(command: Command) -> Command:
    """The options that say what is to be run; `run` and `plan` take the same."""
    return shared_options(*(name for name in _OPTIONS if name not in RUNNING))(command)


RUNNING = ("engine", "address", "cpus_per_model", "gpus_per_model", "time_limit")
"""How models are trained, which a plan does not need."""


def shared_options(*names: str) -> Callable[[Command], Command]:
    """A decorator with some of these options, by the names of their parameters."""

    def decorate(command: Command) -> Command:
        for name in reversed(names):
            command = _OPTIONS[name](command)
        return command

    return decorate


_OPTIONS = {
    "config": click.option(
        "--config",
        type=UserPath(),
        is_eager=True,
        expose_value=False,
        callback=take_run_file,
        metavar="FILE",
        help="TOML file; what is typed wins, repeatables add to it.",
    ),
    "methods": click.option(
        "--methods",
        default=METHODS,
        metavar="A,B",
        help='Names, or "NAME[SETTING=VALUE]". Six by default.',
    ),
    "dataset": click.option(
        "--dataset",
        default=defaults.DATASET,
        show_default=True,
        metavar="NAME",
        help="See: datasets list.",
    ),
    "data_root": click.option(
        "--data-root",
        type=UserPath(),
        help="Your copy of the data: folder or file.",
    ),
    "data_option": click.option(
        "--data-option",
        "data_option",
        multiple=True,
        callback=with_the_files,
        metavar="NAME=VALUE",
        help="Of the data set; repeatable.",
    ),
    "scales": click.option(
        "--scales",
        default=SCALES,
        show_default=True,
        metavar="2,4",
        help="Train and test at these.",
    ),
    "protocols": click.option(
        "--protocols",
        default=defaults.PROTOCOL,
        show_default=True,
        metavar="A,B",
        help="How LR faces are made.",
    ),
    "test_protocols": click.option(
        "--test-protocols",
        metavar="A,B",
        help="Test under these, if not as trained.",
    ),
    "test_scales": click.option(
        "--test-scales", metavar="2,4", help="Test at these, if not as trained."
    ),
    "seeds": click.option(
        "--seeds",
        default="0",
        show_default=True,
        metavar="0,1",
        help="Each varies the whole pipeline.",
    ),
    "preset": click.option(
        "--preset",
        default=defaults.PRESET,
        show_default=True,
        metavar="NAME",
        help="quick, cpu, paper, FILE.toml.",
    ),
    "epochs": click.option("--epochs", type=int, metavar="N", help="The preset with other epochs."),
    "batch": click.option(
        "--batch", type=int, metavar="N", help="The preset with other faces a step."
    ),
    "lr": click.option("--lr", type=float, metavar="X", help="The preset with another peak rate."),
    "settings": click.option(
        "--set",
        "settings",
        multiple=True,
        callback=with_the_files,
        metavar="METHOD.SETTING=VALUE",
        help="Change a setting; repeatable.",
    ),
    "settings_file": click.option(
        "--settings",
        "settings_file",
        type=UserPath(),
        metavar="FILE",
        help="Settings from a TOML file; see: tune.",
    ),
    "plugins": PLUGIN,
    "results": click.option(
        "--results",
        default=defaults.RESULTS,
        show_default=True,
        type=UserPath(),
        help="Where records go.",
    ),
    "workers": click.option(
        "--workers", type=int, metavar="N", help="Processes.  [default: one a core, or one a GPU]"
    ),
    "overwrite": click.option(
        "--overwrite",
        default="never",
        show_default=True,
        type=click.Choice(["never", "failed", "always"]),
        metavar="WHICH",
        help="Run again: never, failed, always.",
    ),
    "precision": click.option(
        "--precision",
        type=click.Choice(["fp32", "bf16", "fp16"]),
        metavar="FORMAT",
        help="Train in fp32, bf16 or fp16.",
    ),
    "targets": click.option(
        "--targets",
        type=click.Choice(["majority", "soft"]),
        metavar="WHICH",
        help="Learn labels (majority) or votes (soft).",
    ),
    "device": click.option(
        "--device", metavar="NAME", help="cpu, cuda, cuda:1, mps.  [default: GPUs, if any]"
    ),
    "time_limit": click.option(
        "--time-limit",
        type=float,
        metavar="MINUTES",
        help="Give a training or a test up after so long.",
    ),
    "engine": click.option(
        "--engine",
        default=defaults.ENGINE,
        show_default=True,
        metavar="NAME",
        help="local or ray: where jobs run.",
    ),
    "address": click.option(
        "--address", metavar="WHERE", help="Ray cluster: auto, local or HOST:PORT."
    ),
    "cpus_per_model": click.option(
        "--cpus-per-model", type=float, metavar="N", help="On a Ray cluster.  [default: 1]"
    ),
    "gpus_per_model": click.option(
        "--gpus-per-model", type=float, metavar="N", help="Such as 0.25, for four a GPU."
    ),
}
"""By the name of the parameter."""
