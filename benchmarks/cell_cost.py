"""What a classifier cell of the `cpu` preset costs: minutes of one core, and memory.

    python benchmarks/cell_cost.py [--epochs 1]

It has as many faces as FER2013 trains on. Trains `direct` at x4 through the real job (data set from
the cache, validation and checkpoint included) for a few epochs, and multiplies. Run it on a quiet
machine: it is one process with one thread, but neighbours share the memory bus.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import torch

from lrfer_bench.contract.preset import preset_of
from lrfer_bench.data.options import prepared_dataset
from lrfer_bench.planning.build import build_plan
from lrfer_bench.planning.plan import data_ref
from lrfer_bench.planning.request import Request
from lrfer_bench.plugins.loading import load_plugins
from lrfer_bench.running.cost import peak_memory_mb
from lrfer_bench.running.jobs import TrainJob
from lrfer_bench.running.work import run_training

FACES = 28_709


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--epochs", type=int, default=1)
    epochs = parser.parse_args().epochs
    torch.set_num_threads(1)
    load_plugins([Path(__file__).with_name("noise_faces.py")])
    prepared = prepared_dataset("noisefaces", None, {"train": FACES})
    preset = preset_of("cpu")
    plan = build_plan(
        Request(["direct"], scales=[4], preset=replace(preset, epochs=epochs)),
        data_ref("noisefaces", prepared),
    )
    (training,) = plan.trainings.values()
    with tempfile.TemporaryDirectory() as folder:
        started, cpu = time.perf_counter(), time.process_time()
        run_training(TrainJob(training, checkpoint=str(Path(folder) / "c.ckpt")))
        wall, cpu = time.perf_counter() - started, time.process_time() - cpu
    whole = preset.epochs / epochs / 60
    print(
        f"{preset.epochs} epochs of {FACES} faces: {wall * whole:.1f} minutes ({cpu * whole:.1f} "
        "of processor time), "
        f"{FACES * epochs / wall:.0f} faces a second, peak memory {peak_memory_mb():.0f} MB"
    )


if __name__ == "__main__":
    main()
