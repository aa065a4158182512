"""lrfer-bench export: a trained cell as a file that other programs run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lrfer_bench.cli.cells import WHICH, cell_options
from lrfer_bench.cli.echo import echo
from lrfer_bench.cli.help import Command
from lrfer_bench.cli.options import FORCE
from lrfer_bench.cli.paths import UserPath

if TYPE_CHECKING:
    from lrfer_bench.exporting.export import Exported

EXAMPLES = (
    "lrfer-bench export --method srfer --scale 4 --out srfer_x4.onnx",
    "lrfer-bench export --method direct --scale 2 --out direct_x2.pt",
)
GROUPS = {
    "Which trained model": WHICH,
    "The file": ("out", "format", "force", "threads"),
}


@click.command(cls=Command, groups=GROUPS, examples=EXAMPLES)
@cell_options("The scale it was tested at.")
@click.option("--out", required=True, type=UserPath(), metavar="FILE", help="File to write.")
@click.option(
    "--format",
    type=click.Choice(["onnx", "torchscript", "safetensors"]),
    metavar="NAME",
    help="onnx, torchscript or safetensors (weights only).  [default: by the ending]",
)
@FORCE
@click.option(
    "--threads", default=1, show_default=True, metavar="N", help="To measure latency with."
)
def export(
    out: Path, format: str | None, force: bool, threads: int, results: Path,
    plugins: tuple[Path, ...], trust_plugins: bool, **words: Any,
) -> None:  # fmt: skip
    """Write a trained model to a file: from uint8 LR pixels at native size to probabilities.

    The file is asked about 100 test faces first: it is written only if it answers as torch does.
    """
    from lrfer_bench.exporting.export import exported, format_of, put
    from lrfer_bench.files import check_free
    from lrfer_bench.measuring.stopwatch import bench_of
    from lrfer_bench.plugins.loading import load_plugins
    from lrfer_bench.predicting.predictor import predictor_of
    from lrfer_bench.predicting.wanted import Wanted, cell_meant
    from lrfer_bench.store.store import Store

    check_free(out, force)
    bench = bench_of("cpu", threads)
    load_plugins(plugins)
    cell = cell_meant(results, Wanted(**words), lambda note: echo(note, err=True))
    kind = format_of(out, format)
    found = exported(predictor_of(cell, Store(results), trust=trust_plugins), kind)
    put(found, out)
    for line in summary(found, cell.stem, kind, out):
        echo(line)
    if kind == "onnx":
        import torch

        from lrfer_bench.measuring.onnx import onnx_times
        from lrfer_bench.reporting.numbers import milliseconds

        taken = onnx_times(found.data, torch.from_numpy(found.faces.images[:1]), bench)
        low, middle, high = (
            milliseconds(1000 * seconds)
            for seconds in (taken.latency.low, taken.latency.median, taken.latency.high)
        )
        load = "" if taken.alone else ", beside other work"
        threads_said = f"{threads} thread{'' if threads == 1 else 's'}"
        echo(
            f"latency in onnxruntime: {middle} (half of the calls {low} to {high}) for one face "
            f"on {bench.name}, {threads_said}{load}"
        )


def summary(found: Exported, cell: str, kind: str, out: Path) -> list[str]:
    """What was written, how well it answers, and what it may be used for."""
    return [
        f"{cell} as {kind} in {out} ({len(found.data) / 1e6:.2f} MB)",
        f"against torch on {found.faces.named}: the largest difference of a probability is "
        f"{found.difference:.1g}",
        f"licence: {found.about['licence']}",
    ]
