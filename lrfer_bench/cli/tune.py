"""lrfer-bench tune"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from lrfer_bench.cli.data import JSON, echo_json, rows_of
from lrfer_bench.cli.echo import echo
from lrfer_bench.cli.help import Command
from lrfer_bench.cli.options import RUNNING, VERBOSE, echo_left_out, request_of, shared_options
from lrfer_bench.planning import defaults

if TYPE_CHECKING:
    from lrfer_bench.running.status import Listener, Status
    from lrfer_bench.tuning.tune import Outcome

EXAMPLES = (
    "lrfer-bench tune --methods kd,fitnet --trials 8",
    "lrfer-bench tune --methods kd --dataset fer2013 --data-root ~/fer2013",
)
GROUPS = {
    "What to tune": ("methods", "trials", "dataset", "data_root", "data_option", "plugins"),
    "Conditions": ("scales", "protocols"),
    "Training": ("epochs", "prune", "seeds", "preset", "settings"),
    "Where and how": (
        "results",
        "workers",
        "device",
        "time_limit",
        "engine",
        "address",
        "cpus_per_model",
        "gpus_per_model",
        "overwrite",
    ),
    "What to print": ("verbose", "as_json"),
}
CONDITIONS = (
    "dataset", "data_root", "data_option", "plugins", "scales", "protocols", "preset", "settings",
    "results",
)  # fmt: skip
"""The options that a run of what was chosen shares with its tuning."""


@click.command(cls=Command, groups=GROUPS, examples=EXAMPLES)
@click.option("--methods", required=True, metavar="A,B", help="Names; see: methods list.")
@click.option(
    "--trials",
    default=defaults.TRIALS,
    show_default=True,
    type=int,
    metavar="N",
    help="Of each method; the first is its defaults.",
)
@click.option(
    "--epochs",
    default=defaults.TRIAL_EPOCHS,
    show_default=True,
    metavar="SHARE",
    help="Of the preset's epochs, for every model of a trial.",
)
@click.option(
    "--prune",
    default=defaults.PRUNE,
    show_default=True,
    type=click.Choice(["none", "median"]),
    metavar="HOW",
    help="Stop poor trials: none, median.",
)
@click.option(
    "--scales",
    default=",".join(map(str, defaults.TUNED_SCALES)),
    show_default=True,
    metavar="2,4",
    help="Train and score at these; a score is the mean.",
)
@shared_options(
    "dataset",
    "data_root",
    "data_option",
    "protocols",
    "seeds",
    "preset",
    "settings",
    "plugins",
    "results",
    "workers",
    "device",
    *RUNNING,
)
@click.option(
    "--overwrite",
    default="never",
    show_default=True,
    type=click.Choice(["never", "failed"]),
    metavar="WHICH",
    help="Try again: never, failed.",
)  # fmt: skip
@VERBOSE
@JSON
def tune(
    trials: int, epochs: str, prune: str, verbose: bool | None, as_json: bool, **options: Any
) -> None:
    """Try settings of methods, as many and as long for each, and choose the best.

    A trial is scored on the validation split; no test face is looked at. The same command goes on
    where it was stopped. What was chosen goes into tuning/settings.toml of the results folder, for
    `run --settings`.
    """
    from lrfer_bench.cli.preparing import watched
    from lrfer_bench.data.reading import unwatched
    from lrfer_bench.plugins.loading import left_out, load_plugins
    from lrfer_bench.running.engines.lifelines import stop_like_ctrl_c
    from lrfer_bench.tuning.tune import TuningRequest, run_tuning

    stop_like_ctrl_c()
    load_plugins(options["plugins"])
    echo_left_out(left_out())
    asked = TuningRequest(request_of(options), trials, epochs, prune)
    quiet = verbose is False or as_json
    display = partial(_display, verbose=False if as_json else verbose)
    tell = partial(echo, err=as_json)
    outcome = run_tuning(asked, display, tell, unwatched if quiet else watched)
    if as_json:
        from lrfer_bench.tuning.chosen import trial_frame

        echo_json(rows_of(trial_frame(outcome.studies)))
    _summarise(outcome, silent=as_json)


def _summarise(outcome: Outcome, silent: bool) -> None:
    """The trials as Markdown, and where the choice stands; status 1 if all of a method failed."""
    from lrfer_bench.tuning.chosen import markdown

    if not outcome.studies:
        return
    if not silent:
        echo(f"\n{markdown(outcome.studies)}")
    lost = [study.method for study in outcome.studies if study.best is None]
    if len(lost) < len(outcome.studies) and not silent:
        methods = [study.method for study in outcome.studies if study.best is not None]
        echo(f"Use the best: {_run_with(outcome.folder.settings, methods)}")
    if lost:
        echo(f"every trial of {', '.join(lost)} failed: the reasons stand above", err=True)
        sys.exit(1)


def _run_with(settings: Path, methods: Sequence[str]) -> str:
    """The command that runs the tuned methods under the conditions that were asked for."""
    context = click.get_current_context()
    words = ["lrfer-bench", "run", "--settings", str(settings), "--methods", ",".join(methods)]
    for option in context.command.params:
        name = str(option.name)
        if name in CONDITIONS and context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            value = context.params[name]
            for each in value if isinstance(value, tuple) else [value]:
                words += [option.opts[0], str(each)]
    return shlex.join(words)


@contextmanager
def _display(status: Status, verbose: bool | None) -> Iterator[Listener]:
    """The display of a round; Ctrl-C ends it with a sentence that says what is kept."""
    from lrfer_bench.cli.progress import show

    try:
        with show(status, verbose) as listener:
            yield listener
    except KeyboardInterrupt:
        echo(
            f"\nstopped. Finished trials are kept, running trainings up to {status.kept_until}: "
            "the same command goes on from there.",
            err=True,
        )
        sys.exit(130)
