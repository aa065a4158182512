"""`lrfer-bench datasets render NAME`: make more of a data set that can make itself."""

from __future__ import annotations

import io
from pathlib import Path

import click

from lrfer_bench.cli.echo import echo
from lrfer_bench.cli.help import Command
from lrfer_bench.cli.options import PLUGIN
from lrfer_bench.cli.paths import UserPath
from lrfer_bench.errors import UserError
from lrfer_bench.plugins.loading import load_plugins
from lrfer_bench.plugins.registry import DATASETS

EXAMPLES = (
    "lrfer-bench datasets render synthface --identities 90 --seed 1 --out more",
    "lrfer-bench datasets render synthface --size 96 --colour --out large-faces",
)
GROUPS = {"Which faces": ("size", "identities", "photographs", "seed", "grey")}


@click.command(
    "render",
    cls=Command,
    groups=GROUPS,
    examples=EXAMPLES,
    short_help="Make more faces of a rendered data set.",
)
@click.argument("name", metavar="NAME")
@click.option("--out", type=UserPath(), required=True, help="A new or an empty folder.")
@click.option(
    "--size", type=int, default=48, show_default=True, help="Side of a face in pixels, 8 to 224."
)
@click.option(
    "--identities",
    type=int,
    default=9,
    show_default=True,
    help="How many people; 6 in 9 are train, 1 val, 2 test.",
)
@click.option(
    "--photographs", type=int, default=2, show_default=True, help="Faces of each person and class."
)
@click.option(
    "--seed",
    type=int,
    default=0,
    show_default=True,
    help="Which population; 0 begins with the shipped people.",
)
@click.option("--grey/--colour", default=True, show_default=True, help="One channel or three.")
@PLUGIN
def render(
    name: str,
    plugins: tuple[Path, ...],
    out: Path,
    size: int,
    identities: int,
    photographs: int,
    seed: int,
    grey: bool,
) -> None:
    """Render the data set NAME to OUT/<split>/<class>/<face>.png and OUT/ground_truth.csv.

    The folder can be used as a data set of its own (data set "folder"). The CSV tells, for every
    face, who it is, the strength of the expression, the pose, the gaze and the weight of every
    blend shape.
    """
    load_plugins(plugins)
    dataset = DATASETS.load(name)()
    make = getattr(dataset, "render", None)
    if make is None:
        raise UserError(
            f'the data set "{name}" cannot be rendered: it is made of photographs; see '
            "`lrfer-bench datasets`"
        )
    total = identities * photographs
    shown = None if total > 0 else io.StringIO()  # no bar where make() refuses
    with click.progressbar(length=max(total, 1), label="rendering", file=shown) as bar:
        count = make(
            out,
            size=size,
            identities=identities,
            seed=seed,
            colour=not grey,
            photographs=photographs,
            tick=lambda done, every: _advance(bar, done, every),
        )
    echo(
        f"{count} faces of {identities} people in {out}, ground truth in {out / 'ground_truth.csv'}"
    )


def _advance(bar: object, done: int, every: int) -> None:
    """Show done of every; the length becomes known with the first face."""
    bar.length = every  # type: ignore[attr-defined]
    bar.update(done - bar.pos)  # type: ignore[attr-defined]
