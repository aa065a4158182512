"""lrfer-bench compare: is one method better than another on the same test images?"""

from __future__ import annotations

from pathlib import Path

import click

from lrfer_bench.cli.data import JSON, echo_json, rows_of
from lrfer_bench.cli.echo import echo
from lrfer_bench.cli.help import Command
from lrfer_bench.cli.options import FORCE, NAMES, NUMBERS
from lrfer_bench.planning import defaults
from lrfer_bench.reporting.choose import FEWEST_RESAMPLES, Choice

EXAMPLES = (
    "lrfer-bench compare multires direct --results results --scales 2,4",
    "lrfer-bench compare multires direct --clean --images differ.csv",
)
GROUPS = {
    "Which records": ("results", "datasets", "protocols", "test_protocols", "scales", "seeds"),
    "How to compare": ("resamples", "clean", "images", "force", "as_json"),
}


@click.command(cls=Command, groups=GROUPS, examples=EXAMPLES)
@click.argument("a")
@click.argument("b")
@click.option("--results", multiple=True, default=(defaults.RESULTS,), show_default=True,
              metavar="DIR", help="Results folder; repeat it to use several together.")  # fmt: skip
@click.option("--datasets", **NAMES, help="These data sets only.")
@click.option("--protocols", **NAMES, help="Trained under these only.")
@click.option("--test-protocols", **NAMES, help="Tested under these only.")
@click.option("--scales", **NUMBERS, metavar="2,4", help="These scales only.")
@click.option("--seeds", **NUMBERS, metavar="0,1", help="These seeds only.")
@click.option("--resamples", default=1000, show_default=True, metavar="N",
              type=click.IntRange(min=FEWEST_RESAMPLES),
              help=f"Bootstrap resamples, {FEWEST_RESAMPLES} or more.")  # fmt: skip
@click.option("--clean", is_flag=True, help="Leave out test rows that also stand in train.")
@click.option(
    "--images",
    default=None,
    metavar="FILE",
    help="Write a CSV of the test images on which only one is right.",
)
@FORCE
@JSON
def compare(
    a: str,
    b: str,
    results: tuple[str, ...],
    datasets: tuple[str, ...],
    protocols: tuple[str, ...],
    test_protocols: tuple[str, ...],
    scales: tuple[int, ...],
    seeds: tuple[int, ...],
    resamples: int,
    clean: bool,
    images: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Test method A against method B on the same images and seeds, scale by scale.

    The p values are corrected over all lines printed by Holm's method.

    A and B are names as the leaderboard shows them, for instance "gmenet[kd_weight=0]".
    """
    from lrfer_bench.files import check_free, write_atomically
    from lrfer_bench.reporting.duel import duel, duel_frame, images_csv, text

    if images:
        check_free(Path(images), force, "--images")
    choice = Choice(datasets, (), scales, seeds, protocols, test_protocols)
    found = duel(results, a, b, choice, resamples, clean)
    if as_json:
        echo_json({"rounds": rows_of(duel_frame(found)), "notes": found.notes})
    else:
        for line in text(found):
            echo(line)
    if images:
        write_atomically(Path(images), images_csv(found).encode("utf-8"), "choose another --images")
        echo(f"Wrote {images}", err=as_json)
