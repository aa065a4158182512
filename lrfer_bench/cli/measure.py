"""lrfer-bench measure: latency and throughput of trained cells, alone on the machine."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lrfer_bench.cli.echo import echo
from lrfer_bench.cli.help import Command
from lrfer_bench.cli.options import NAMES, NUMBERS, PLUGIN
from lrfer_bench.cli.paths import UserPath
from lrfer_bench.planning import defaults

if TYPE_CHECKING:
    from lrfer_bench.measuring.measure import Outcome

EXAMPLES = (
    "lrfer-bench measure",
    "lrfer-bench measure --methods direct --device cpu --threads 1",
)
GROUPS = {
    "Which cells": (
        "results", "methods", "scales", "again", "untrained", "plugins", "trust_plugins",
    ),
    "What is measured, and where": ("onnx", "training", "device", "threads"),
}  # fmt: skip

WHAT = {"onnx": ", in onnxruntime", "training": ", training"}
"""What a line says of a quantity other than the latency in torch."""


@click.command(cls=Command, groups=GROUPS, examples=EXAMPLES)
@click.option(
    "--results",
    default=defaults.RESULTS,
    show_default=True,
    type=UserPath(),
    help="Results folder, with its models/.",
)
@click.option("--methods", **NAMES, help="These methods only.")
@click.option("--scales", **NUMBERS, metavar="2,4", help="These scales only.")
@click.option("--onnx", is_flag=True, help="Also the exported model, in onnxruntime.")
@click.option("--training", is_flag=True, help="Also the trainings, by a few steps of each.")
@click.option("--again", is_flag=True, help="Also cells that were measured in this way before.")
@click.option(
    "--untrained", is_flag=True, help="Also cells whose models are not here, with new weights."
)
@PLUGIN
@click.option(
    "--trust-plugins", is_flag=True, help="Run plugin files that came with the results folder."
)
@click.option("--device", metavar="NAME", help="cpu, cuda, cuda:1, mps.  [default: a GPU, if any]")
@click.option(
    "--threads",
    default=1,
    show_default=True,
    metavar="N",
    help="Threads of the processor, as `run` has them.",
)
@click.pass_context
def measure(
    ctx: click.Context, results: Path, methods: tuple[str, ...], scales: tuple[int, ...],
    onnx: bool, training: bool, again: bool, untrained: bool, plugins: tuple[Path, ...],
    trust_plugins: bool, device: str | None, threads: int,
) -> None:  # fmt: skip
    """Measure every finished cell: latency of one face, and faces a second in batches of 64.

    One cell after another, each network once, with nothing else running: then tables may sort by
    it. Records keep the median and the quartiles, with --training also the seconds that training
    takes; nothing else in them changes. Exit status 1 when something was left out.
    """
    from lrfer_bench.measuring.measure import Wish
    from lrfer_bench.measuring.measure import measure as measure_all
    from lrfer_bench.measuring.stopwatch import bench_of
    from lrfer_bench.plugins.loading import load_plugins
    from lrfer_bench.store.store import Store

    load_plugins(plugins)
    bench = bench_of(device, threads)
    wish = Wish(bench, methods, scales, onnx, training, again, untrained, trust_plugins)
    counts: Counter[str] = Counter()
    loaded = 0
    for outcome in measure_all(Store(results), wish, warn):
        counts[outcome.verdict] += 1
        loaded += not outcome.alone and outcome.verdict != "left out"
        echo(line(outcome), err=outcome.verdict == "left out")
    if loaded:
        warn(f"{loaded} times were taken beside other work: repeat it when nothing else runs")
    echo(", ".join(f"{count} {verdict}" for verdict, count in counts.items()))
    ctx.exit(1 if counts["left out"] else 0)


def warn(text: str) -> None:
    """A warning on the errors' stream."""
    echo(f"warning: {text}", err=True)


def line(outcome: Outcome) -> str:
    """What became of one cell."""
    from lrfer_bench.reporting.numbers import count, duration, milliseconds
    from lrfer_bench.store.names import cell_name

    cost, what = outcome.record.cost, outcome.quantity.name
    cell = f"{outcome.record.dataset.name}, {cell_name(outcome.record)}{WHAT.get(what, '')}"
    if outcome.verdict == "left out" or cost is None:
        return f"left out: {cell}: {outcome.reason}"
    if what == "training":
        text = f"{cell}: {duration(cost.train_seconds_with_stages)} with its stages"
    elif what == "onnx":
        text = f"{cell}: {milliseconds(cost.onnx_latency_ms)}"
    else:
        low, high = (milliseconds(ms) for ms in (cost.latency_q1_ms, cost.latency_q3_ms))
        text = (
            f"{cell}: {milliseconds(cost.latency_ms)} (half of the calls {low} to {high}), "
            f"{count(cost.throughput)} faces a second"
        )
    tails = {"the same network": ", of the same network", "stood": ", as measured before"}
    return text + tails.get(outcome.verdict, "") + ("" if outcome.alone else ", beside other work")
