"""lrfer-bench predict: a trained cell and the user's own pictures."""

from __future__ import annotations

from pathlib import Path

import click

from lrfer_bench.cli.echo import echo, echo_data
from lrfer_bench.cli.help import Command
from lrfer_bench.cli.options import PLUGIN
from lrfer_bench.planning import defaults

EXAMPLES = (
    "lrfer-bench predict --method direct --scale 4 faces/ --out expressions.csv",
    "lrfer-bench predict --method direct --scale 2 --images-are lr face.png",
)
GROUPS = {
    "Which trained model": (
        "method",
        "scale",
        "dataset",
        "protocol",
        "preset",
        "seed",
        "key",
        "results",
        "plugins",
        "trust_plugins",
    ),
    "Pictures and answers": ("images_are", "out"),
}
HELP_AS = "hr: to be made small as in the test; lr: small already; auto: lr if of just that size."


@click.command(cls=Command, groups=GROUPS, examples=EXAMPLES)
@click.argument(
    "images", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="IMAGES..."
)
@click.option("--method", metavar="NAME", help="The method, as tables call it.")
@click.option("--scale", type=int, metavar="N", help="The scale it was tested at.")
@click.option("--dataset", metavar="NAME", help="Its data set, if there are several.")
@click.option("--protocol", metavar="NAME", help="Its test protocol, if there are several.")
@click.option("--preset", metavar="NAME", help="Its preset, if there are several.")
@click.option("--seed", type=int, metavar="N", help="Its seed.  [default: the lowest]")
@click.option("--key", metavar="HASH", help="The cell's key or its head, in place of all that.")
@click.option(
    "--images-are",
    default="auto",
    show_default=True,
    type=click.Choice(["auto", "hr", "lr"]),
    metavar="SIZE",
    help=HELP_AS,
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="CSV file to write.  [default: the terminal]"
)
@click.option(
    "--results",
    default=defaults.RESULTS,
    show_default=True,
    type=click.Path(path_type=Path),
    help="Results folder.",
)
@PLUGIN
@click.option(
    "--trust-plugins", is_flag=True, help="Run plugin files that came with the results folder."
)
@click.pass_context
def predict(
    ctx: click.Context, images: tuple[Path, ...], method: str | None, scale: int | None,
    dataset: str | None, protocol: str | None, preset: str | None, seed: int | None,
    key: str | None, images_are: str, out: Path | None, results: Path,
    plugins: tuple[Path, ...], trust_plugins: bool,
) -> None:  # fmt: skip
    """Say which expression each picture shows: a CSV line an image, with every class's probability.

    IMAGES are files or folders, each picture one face, cropped as the data set's are. Pictures of
    other sizes are resized. Exit status 1 when some cannot be read: the others have their lines.
    """
    from lrfer_bench.files import write_atomically
    from lrfer_bench.plugins.loading import load_plugins
    from lrfer_bench.predicting.photos import predictions
    from lrfer_bench.predicting.wanted import Wanted, cell_meant

    load_plugins(plugins)
    wanted = Wanted(method, scale, dataset, protocol, seed, key, preset)
    cell = cell_meant(results, wanted, lambda note: echo(note, err=True))
    text, bad = predictions(cell, results, images, images_are, trust_plugins)
    if out is None:
        echo_data(text)
    else:
        write_atomically(out, text.encode("utf-8", "surrogateescape"))
        echo(f"{text.count(chr(10)) - 1} faces by {cell.stem} in {out}")
    for picture in bad:
        echo(f"left out: {picture}", err=True)
    ctx.exit(1 if bad else 0)
