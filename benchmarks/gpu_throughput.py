"""Training on a GPU: the harness' loop against a bare one, faces a second.

    python benchmarks/gpu_throughput.py --methods direct,srfer --preset cpu --precision fp32

The bare loop shows the same network the same batch again and again: no batches are made, nothing is
recorded. A ratio of 1 means that all that the harness does beside it costs nothing.
"""

from __future__ import annotations

import time

import click
import torch

from lrfer_bench.contract.own_preset import chosen_preset
from lrfer_bench.planning.plan import Training
from lrfer_bench.planning.request import Request, plan_request
from lrfer_bench.running.models import untrained
from lrfer_bench.running.work import batch_source
from lrfer_bench.training.batches import BatchSource
from lrfer_bench.training.loop import train
from lrfer_bench.training.precision import Precision

WARM_UP = 20


@click.command()
@click.option("--methods", default="direct,srfer")
@click.option("--preset", default="cpu")
@click.option("--precision", default="fp32")
@click.option("--epochs", default=4, help="The first one is not counted.")
@click.option("--device", default="cuda:0")
@click.option("--dataset", default="synthface")
@click.option("--data-root", default=None)
def main(
    methods: str,
    preset: str,
    precision: str,
    epochs: int,
    device: str,
    dataset: str,
    data_root: str | None,
) -> None:
    """Print a line for each training of the methods at x4."""
    where = torch.device(device)
    torch.set_num_threads(1)
    asked = Request(
        methods=methods.split(","), scales=(4,), dataset=dataset, data_root=data_root,
        preset=chosen_preset(preset, {"precision": precision, "epochs": epochs}),
    )  # fmt: skip
    prepared, plan = plan_request(asked)
    print(f"{torch.cuda.get_device_name(where) if where.type == 'cuda' else device}, {precision}")
    for training in plan.trainings.values():
        source = batch_source(training, prepared, where)
        bare, ours = _bare(training, plan, source), _harness(training, plan, source)
        print(
            f"{training.label}: bare {bare:,.0f} faces/s, harness {ours:,.0f}, "
            f"ratio {ours / bare:.2f}", flush=True,
        )  # fmt: skip


def _bare(training: Training, plan: object, source: BatchSource) -> float:
    method = untrained(training, plan, source.device)
    optimizers = dict(method.optimizers())
    precision = Precision.of(training.preset, source.device)
    method.scaler = precision.scaler()
    method.train()
    batch = next(iter(source.epoch(0)))
    method.progress = 0.9
    steps = len(source)
    for step in range(WARM_UP + steps):
        if step == WARM_UP:
            _synchronise(source.device)
            started = time.perf_counter()
        with precision.autocast():
            method.update(batch, optimizers)
    _synchronise(source.device)
    return steps * source.size / (time.perf_counter() - started)


def _harness(training: Training, plan: object, source: BatchSource) -> float:
    """Of the epochs after the first; validation is left out, for the bare loop has none."""
    method = untrained(training, plan, source.device)
    done = train(method, source, lambda method: 0.0)
    seconds = [row["seconds"] for row in done.history[1:]]
    return len(source) * source.size * len(seconds) / sum(seconds)


def _synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


if __name__ == "__main__":
    main()
