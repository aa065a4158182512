"""lrfer-bench predict: a trained cell and the user's own pictures."""

from __future__ import annotations

from pathlib import Path

import click

from lrfer_bench.cli.cells import WHICH, cell_options
from lrfer_bench.cli.echo import echo, echo_data
from lrfer_bench.cli.help import Command
from lrfer_bench.cli.options import FORCE
from lrfer_bench.cli.paths import UserPath

EXAMPLES = (
    "lrfer-bench predict --method direct --scale 4 faces/ --out expressions.csv",
    "lrfer-bench predict --method direct --scale 2 --images-are lr face.png",
)
GROUPS = {
    "Which trained model": WHICH,
    "Pictures and answers": ("images_are", "out", "force", "as_json"),
}
HELP_AS = "hr: to be made small as in the test; lr: small already; auto: the nearer size."


@click.command(cls=Command, groups=GROUPS, examples=EXAMPLES)
@click.argument("images", nargs=-1, required=True, type=UserPath(), metavar="IMAGES...")
@cell_options("Its scale.  [default: the nearest size]")
@click.option(
    "--images-are",
    default="auto",
    show_default=True,
    type=click.Choice(["auto", "hr", "lr"]),
    metavar="SIZE",
    help=HELP_AS,
)
@click.option(
    "--out",
    type=UserPath(),
    metavar="FILE",
    help="File to write: .csv or .json.  [default: the terminal]",
)
@FORCE
@click.option("--json", "as_json", is_flag=True, help="Print JSON in place of CSV.")
@click.pass_context
def predict(
    ctx: click.Context, images: tuple[Path, ...], method: str | None, scale: int | None,
    dataset: str | None, protocol: str | None, preset: str | None, seed: int | None,
    key: str | None, images_are: str, out: Path | None, force: bool, as_json: bool,
    results: Path, plugins: tuple[Path, ...], trust_plugins: bool,
) -> None:  # fmt: skip
    """Say which expression each picture shows: a CSV line an image, with every class's probability.

    IMAGES are files or folders, each picture one face, cropped as the data set's are. Pictures of
    other sizes are resized. Exit status 1 when some have no answer: the others have their lines.
    """
    from lrfer_bench.files import check_free, write_atomically
    from lrfer_bench.plugins.loading import load_plugins
    from lrfer_bench.predicting import answers
    from lrfer_bench.predicting.photos import predictions, tell_about
    from lrfer_bench.predicting.wanted import Wanted, cells_meant

    def tell(line: str) -> None:
        echo(line, err=True)

    write = answers.as_json if answers.is_json(out, as_json) else answers.as_csv
    if out is not None:
        check_free(out, force)
    load_plugins(plugins)
    cells = cells_meant(results, Wanted(method, scale, dataset, protocol, seed, key, preset), tell)
    found = predictions(cells, results, images, images_are, trust_plugins)
    tell_about(found, tell)
    text = write(found)
    if out is None:
        echo_data(text)
    else:
        write_atomically(out, text.encode("utf-8", "surrogateescape"), "choose another --out")
        names = ", ".join(dict.fromkeys(face.cell.stem for face in found.faces))
        echo(f"{len(found.faces)} faces by {names} in {out}")
    for picture in found.bad:
        tell(f"left out: {picture}")
    ctx.exit(1 if found.bad else 0)
