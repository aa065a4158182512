"""lrfer-bench faces"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lrfer_bench.cli.echo import echo
from lrfer_bench.cli.help import Command
from lrfer_bench.cli.options import FORCE, PLUGIN, SCALES, integers, names
from lrfer_bench.cli.paths import UserPath
from lrfer_bench.errors import UserError
from lrfer_bench.planning import defaults

if TYPE_CHECKING:
    from lrfer_bench.contract.cards import DatasetCard
    from lrfer_bench.data.cache import Prepared
    from lrfer_bench.predicting.faces import Faces, Shown

EXAMPLES = (
    "lrfer-bench faces --out faces.png",
    "lrfer-bench faces --protocols bicubic --restored cascade --out restored.png",
)
GROUPS = {
    "Which faces": (
        "dataset",
        "data_root",
        "data_option",
        "plugins",
        "split",
        "count",
        "show_faces",
    ),
    "How they are made small": ("scales", "protocols"),
    "Restored by trained methods": ("restored", "results", "preset", "seed"),
    "What to write": ("out", "force"),
}


@click.command(cls=Command, groups=GROUPS, examples=EXAMPLES)
@click.option(
    "--dataset",
    default=defaults.DATASET,
    show_default=True,
    metavar="NAME",
    help="See: datasets list.",
)
@click.option("--data-root", type=UserPath(), help="Your copy of the data: folder or file.")
@click.option(
    "--data-option",
    "data_option",
    multiple=True,
    metavar="NAME=VALUE",
    help="Of the data set; repeatable.",
)
@PLUGIN
@click.option(
    "--scales", default=SCALES, show_default=True, metavar="2,4", help="Down-sampling factors."
)
@click.option(
    "--protocols", metavar="A,B", help="How LR faces are made.  [default: all registered]"
)
@click.option(
    "--count", default=4, show_default=True, metavar="N", help="How many; the classes take turns."
)
@click.option(
    "--split", default="test", show_default=True, type=click.Choice(["test", "val", "train"]),
    metavar="NAME", help="test, val or train.",
)  # fmt: skip
@click.option(
    "--restored", multiple=True, metavar="METHOD", help="A super-resolving method; repeatable."
)
@click.option(
    "--results", default=defaults.RESULTS, show_default=True, type=UserPath(),
    help="Where its trained models are.",
)  # fmt: skip
@click.option(
    "--preset", default=defaults.PRESET, show_default=True, metavar="NAME",
    help="Preset they were trained with.",
)  # fmt: skip
@click.option(
    "--seed", default=0, show_default=True, metavar="N", help="Seed they were trained with."
)
@click.option(
    "--show-faces", is_flag=True, help="You may show this data set's faces: they are yours."
)
@click.option(
    "--out",
    required=True,
    type=UserPath(dir_okay=False),
    help="File.png or file.svg.",
)
@FORCE
def faces(
    scales: str,
    protocols: str | None,
    count: int,
    split: str,
    show_faces: bool,
    out: Path,
    force: bool,
    **options: Any,
) -> None:
    """Draw the same faces at every scale under every protocol, and restored, with PSNR and SSIM.

    Only faces of data sets that may be shown are drawn, such as SynthFace's. The LR faces are those
    of the benchmark.
    """
    from lrfer_bench.files import check_free
    from lrfer_bench.plugins.loading import load_plugins
    from lrfer_bench.plugins.registry import PROTOCOLS
    from lrfer_bench.predicting.faces import check_restores, choose_faces, low_faces
    from lrfer_bench.reporting.draw import ENDINGS, save
    from lrfer_bench.reporting.sheet import check_showable, sheet

    load_plugins(options["plugins"])
    ending = out.suffix.lower().removeprefix(".")
    if ending not in ENDINGS:
        raise UserError(f"the picture {out} has no known ending: let it end with .png or .svg")
    out = out.with_suffix(f".{ending}")  # as it is written: in small letters
    check_free(out, force)
    check_showable(_card(options["dataset"]).showable or show_faces)
    check_restores(options["restored"])
    prepared = _prepared(options)
    chosen = choose_faces(prepared, split, count)
    factors = integers("--scales", scales)
    conditions = names("--protocols", protocols) if protocols else PROTOCOLS.names()
    low = low_faces(chosen, conditions, factors)
    restored = _restored(chosen, conditions, factors, options) if options["restored"] else {}
    figure = sheet(
        chosen.hr.numpy(), low, restored, title=f"{options['dataset']}, {split} split",
        showable=True, synthetic=prepared.faces.synthetic,
    )  # fmt: skip
    save(figure, out.with_suffix(""), [ending])
    echo(f"{len(chosen.rows)} faces at {len(factors)} scales under {len(low)} protocols in {out}")


def _card(dataset: str) -> DatasetCard:
    from lrfer_bench.contract.cards import DatasetCard, card_of
    from lrfer_bench.plugins.registry import DATASETS

    return card_of(DATASETS.entry(dataset), DatasetCard)


def _prepared(options: dict[str, Any]) -> Prepared:
    from lrfer_bench.cli.preparing import watched
    from lrfer_bench.data.options import prepared_dataset
    from lrfer_bench.planning.settings import parse_options

    return prepared_dataset(
        options["dataset"], options["data_root"], parse_options(options["data_option"]), watched
    )


def _restored(
    chosen: Faces, protocols: Sequence[str], scales: Sequence[int], options: dict[str, Any]
) -> Shown:
    """The faces that trained models restore. Missing models are named; UserError where all miss."""
    from lrfer_bench.planning.build import build_plan
    from lrfer_bench.planning.plan import data_ref
    from lrfer_bench.planning.request import Request
    from lrfer_bench.predicting.faces import restored_faces
    from lrfer_bench.store.presets import preset_in
    from lrfer_bench.store.store import Store

    data = data_ref(options["dataset"], chosen.prepared)
    preset = preset_in(options["results"], options["preset"])
    plan = build_plan(Request(
        methods=options["restored"], scales=scales, preset=preset,
        protocols=protocols, seeds=[options["seed"]],
    ), data)  # fmt: skip
    shown, missing = restored_faces(chosen, plan, Store(options["results"]))
    if not shown:
        raise UserError(
            f"no trained model of {', '.join(options['restored'])} for these faces is in "
            f"{options['results']}: train with lrfer-bench run, or name its --results, --preset, "
            "--seed, --scales and --protocols"
        )
    for label in missing:
        echo(f"left out: {label}: its trained models are not in {options['results']}", err=True)
    return shown
