"""How much more two workers do than one, through the local engine.

    python benchmarks/workers.py [--faces 2560]

The same four small trainings are done in one run. Starting a worker (its imports) is left out: the
clock runs from the first step that a worker tells of to the last result.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from lrfer_bench.contract.preset import preset_of
from lrfer_bench.data.options import prepared_dataset
from lrfer_bench.planning.build import build_plan
from lrfer_bench.planning.plan import data_ref
from lrfer_bench.planning.request import Request
from lrfer_bench.plugins.loading import load_plugins
from lrfer_bench.running.engines.local import LocalEngine
from lrfer_bench.running.frontier import Frontier
from lrfer_bench.running.runner import Runner, Status
from lrfer_bench.store.store import Store

PLUGIN = Path(__file__).with_name("noise_faces.py")


def steps_per_second(workers: int, faces: int) -> float:
    load_plugins([PLUGIN])
    prepared = prepared_dataset("noisefaces", None, {"train": faces})
    preset = replace(preset_of("quick"), epochs=3)
    request = Request(["direct"], scales=[2, 3, 4, 6], preset=preset)
    with tempfile.TemporaryDirectory() as folder:
        clock = _Clock()
        runner = Runner(build_plan(request, data_ref("noisefaces", prepared)), Store(Path(folder)))
        runner.plan.cells.clear()  # training only: tests are short and measure latency
        runner.frontier = Frontier(runner.plan)
        runner.run(LocalEngine(workers, [PLUGIN], Path(folder) / "logs"), clock)
        total = len(runner.plan.trainings) * preset.epochs * (faces // preset.batch)
        return total / (clock.last - clock.first)


class _Clock:
    first = 0.0
    last = 0.0

    def __call__(self, status: Status) -> None:
        moving = any(progress and progress.step for _, progress in status.running.values())
        if moving and not self.first:
            self.first = time.perf_counter()
        self.last = time.perf_counter()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--faces", type=int, default=2560)
    faces = parser.parse_args().faces
    one, two = steps_per_second(1, faces), steps_per_second(2, faces)
    print(
        f"two workers do {two / one:.2f} times the work of one ({one:.1f} and {two:.1f} steps a "
        "second)"
    )


if __name__ == "__main__":
    main()
