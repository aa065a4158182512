"""lrfer-bench evaluate: a model that exists already stands beside the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from lrfer_bench.cli.help import Command
from lrfer_bench.cli.options import SCALES, shared_options
from lrfer_bench.cli.paths import UserPath
from lrfer_bench.planning import defaults
from lrfer_bench.planning.settings import names

EXAMPLES = (
    "lrfer-bench evaluate net.py:Net --weights net.pth",
    "lrfer-bench evaluate net.py:Net --protocols bicubic,camera --scales 1,2,4",
)
GROUPS = {
    "The model": ("weights", "name", "classes"),
    "What it is tested on": (
        "dataset",
        "data_root",
        "data_option",
        "plugins",
        "scales",
        "protocols",
    ),
    "Where and how": (
        "preset",
        "seeds",
        "results",
        "workers",
        "device",
        "time_limit",
        "overwrite",
        "no_report",
    ),
}


@click.command(cls=Command, groups=GROUPS, examples=EXAMPLES)
@click.argument("model", metavar="FILE.py:CLASS")
@click.option("--weights", type=UserPath(), metavar="FILE", help="Its weights.")
@click.option("--name", metavar="NAME", help="In tables.  [default: that of the class]")
@click.option("--classes", metavar="A,B", help="Its answers in order, if the class says none.")
@shared_options("dataset", "data_root", "data_option", "plugins")
@click.option(
    "--scales", default=SCALES, show_default=True, metavar="2,4", help="Test at these; 1 is HR."
)
@click.option(
    "--protocols",
    default=defaults.PROTOCOL,
    show_default=True,
    metavar="A,B",
    help="How LR faces are made.",
)
@click.option(
    "--preset",
    default=defaults.PRESET,
    show_default=True,
    metavar="NAME",
    help="Of the rows that it stands beside.",
)
@click.option(
    "--seeds",
    default="0",
    show_default=True,
    metavar="0,1",
    help="Those of the rows that it stands beside.",
)
@shared_options("results", "workers", "device", "time_limit", "overwrite")
@click.option("--no-report", is_flag=True, help="Leave the tables and curves for later.")
@click.pass_context
def evaluate(
    context: click.Context, model: str, weights: Path | None, name: str | None,
    classes: str | None, plugins: tuple[Path, ...], **options: Any,
) -> None:  # fmt: skip
    """Test a model that exists already under every protocol and scale; nothing is trained.

    CLASS, or a function, makes a torch.nn.Module. It says classes = ("angry", ...) in the order of
    its answers, and may say takes = "native" (uint8 LR faces in place of enlarged ones in 0..1) and
    answers = "probabilities".
    """
    from lrfer_bench.cli.run import run
    from lrfer_bench.plugins.existing import model_plugin
    from lrfer_bench.plugins.loading import load_plugins

    load_plugins(plugins)
    said = names("--classes", classes) if classes else ()
    called, file = model_plugin(model, weights, name, said)
    context.invoke(run, methods=called, plugins=(*plugins, file), **options)
