"""Two presets side by side at a share of their budgets: what accuracy, for how much of a core.

    python benchmarks/recipe.py [--old cpu@1] [--new cpu@2] [--share 0.1] [--scale 4]
        [--dataset synthface] [--data-root FOLDER] [--method direct] [--rounds 1] [--seed 0]

Each preset trains the method on one thread with its epochs times the share, through the program's
own training code; the two take turns, so that a machine that changes its speed changes both.
Prints epochs, processor seconds, faces a second and accuracy on the validation split (the test
split is not read).
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from lrfer_bench.contract.preset import Preset, preset_of
from lrfer_bench.planning.request import Request, plan_request
from lrfer_bench.running.jobs import TrainJob
from lrfer_bench.running.work import run_training


@dataclass(frozen=True)
class Measured:
    """One training: its epochs, processor seconds, faces seen a second of these, and accuracy."""

    epochs: int
    seconds: float
    faces_per_second: float
    accuracy: float


def shortened(preset: Preset, share: float) -> Preset:
    """The preset with a share of its epochs, at least one."""
    return replace(preset, epochs=max(1, round(preset.epochs * share)))


def measured(options: argparse.Namespace, preset: Preset) -> Measured:
    request = Request(
        methods=[options.method], dataset=options.dataset, data_root=options.data_root,
        scales=[options.scale], seeds=[options.seed], preset=preset,
    )  # fmt: skip
    prepared, plan = plan_request(request)
    if len(plan.trainings) != 1:
        raise SystemExit(f"{options.method} trains {len(plan.trainings)} models: choose one of one")
    (training,) = plan.trainings.values()
    before = time.process_time()
    model = run_training(TrainJob(training, models={}, checkpoint="", device="cpu"))
    seconds = time.process_time() - before
    history = model.cost.history
    faces = len(prepared.faces.train) * len(history)
    return Measured(len(history), seconds, faces / seconds, history[-1]["val_score"])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--old", default="cpu@1")
    parser.add_argument("--new", default="cpu@2")
    parser.add_argument("--share", type=float, default=0.1)
    parser.add_argument("--scale", type=int, default=4)
    parser.add_argument("--dataset", default="synthface")
    parser.add_argument("--data-root", type=Path)
    parser.add_argument("--method", default="direct")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    total = {options.old: 0.0, options.new: 0.0}
    for number in range(options.rounds):
        for name in total if number % 2 == 0 else reversed(list(total)):
            one = measured(options, shortened(preset_of(name), options.share))
            total[name] += one.seconds
            print(
                f"{name}: {one.epochs} epochs, {one.seconds:.1f} core-seconds, "
                f"{one.faces_per_second:.0f} faces/s, validation {100 * one.accuracy:.1f} %",
                flush=True,
            )
    ratio = total[options.new] / total[options.old]
    print(f"{options.new} took {ratio:.2f} of the core-seconds of {options.old}")


if __name__ == "__main__":
    main()
