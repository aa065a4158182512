"""What the Ray engine itself costs: two nodes against one, and a job that does nothing.

    python benchmarks/ray_engine.py [--jobs 2000] [--waits 40] [--seconds 0.5]

Needs the extra `ray`. Nodes of one CPU are started on this machine and ended again. Workers do no
work: a job waits so many seconds, so that the engine is measured and not the processor, or answers
at once. Processor time is that of the main process.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Read when Ray is imported: no report of its use is sent, and no token is asked for.
os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled", "OMP_NUM_THREADS": "1"}

from ray.cluster_utils import Cluster

from lrfer_bench.contract.preset import preset_of
from lrfer_bench.planning.build import build_plan
from lrfer_bench.planning.plan import Cell, DataRef
from lrfer_bench.planning.request import Request
from lrfer_bench.running.engines import ray as ray_engine
from lrfer_bench.running.engines.base import Event, Failed, Finished
from lrfer_bench.running.engines.slot import Saved, Slot
from lrfer_bench.running.jobs import Job, TestJob
from lrfer_bench.running.records import draft

DATA = DataRef("faces", "f" * 64, "/nowhere", tuple("abcdefg"), 1, (48, 48), False)


class Waiting(Slot):
    """A slot whose jobs wait as long as their scale says, in hundredths of a second.

    Its class travels by value, so that a worker needs no file of this benchmark.
    """

    def run(
        self, job: Job, models: Mapping[str, Any], checkpoint: bytes | None, server: Any
    ) -> Iterator[Event | Saved]:
        assert isinstance(job, TestJob)
        if job.cell.tested.scale == WAITS:
            time.sleep(self.seconds)
        yield Finished(job.key, (draft(job.cell), b""))

    seconds = 0.5


IDLE, WAITS = 2, 4
"""The scale of jobs that answer at once, and of those that wait."""


@dataclass(frozen=True)
class Measured:
    """Seconds of so many jobs: on the clock, and of the main process's processor time."""

    jobs: int
    wall: float
    processor: float


def cells(scale: int, count: int) -> list[Cell]:
    request = Request(
        ["enlarge"], scales=[scale], protocols=["bicubic"], seeds=range(count),
        preset=preset_of("quick"),
    )  # fmt: skip
    return list(build_plan(request, DATA).cells.values())[:count]


def served(engine: ray_engine.RayEngine, jobs: list[TestJob]) -> Measured:
    """All jobs through the engine, as the runner does it: no more at once than there are slots."""
    started, used = time.perf_counter(), time.process_time()
    open_jobs, waiting = 0, list(jobs)
    while waiting or open_jobs:
        while waiting and open_jobs < engine.slots:
            engine.submit(waiting.pop())
            open_jobs += 1
        for event in engine.wait():
            if isinstance(event, Failed):
                raise SystemExit(f"a job failed: {event.sentence}")
            open_jobs -= isinstance(event, Finished)
    return Measured(len(jobs), time.perf_counter() - started, time.process_time() - used)


def ready(engine: ray_engine.RayEngine, slots: int) -> None:
    while engine.slots < slots:
        for event in engine.wait():
            print(f"  {getattr(event, 'text', event)}")


def measured(cluster: Cluster, nodes: int, given: argparse.Namespace) -> tuple[Measured, Measured]:
    """(jobs that wait, jobs that answer at once) on so many nodes."""
    waits = [TestJob(cell) for cell in cells(WAITS, given.waits)]
    idle = [TestJob(cell) for cell in cells(IDLE, given.jobs)]
    with ray_engine.RayEngine([], address=str(cluster.address)) as engine:
        ready(engine, nodes)
        served(engine, idle[:20])  # the first ones start the server of files
        return served(engine, waits), served(engine, idle)


def one_and_two(
    cluster: Cluster, given: argparse.Namespace
) -> dict[int, tuple[Measured, Measured]]:
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for nodes in (1, 2):
            cluster.add_node(
                num_cpus=1, node_ip_address=f"127.0.0.{20 + nodes}", include_dashboard=False,
                object_store_memory=200 << 20,
                env_vars={"LRFER_CACHE": str(Path(folder) / f"node-{nodes}")},
            )  # fmt: skip
            found[nodes] = measured(cluster, nodes, given)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--waits", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=0.5)
    given = parser.parse_args()
    Waiting.seconds = given.seconds
    ray_engine.Slot = Waiting  # type: ignore[misc]
    cluster = Cluster()
    try:
        found = one_and_two(cluster, given)
    finally:
        cluster.shutdown()
    one, two = found[1][0], found[2][0]
    print(f"{one.jobs} jobs of {given.seconds:g} s: one node {one.wall:.1f} s, two nodes "
          f"{two.wall:.1f} s, {one.wall / two.wall:.2f} times as fast")  # fmt: skip
    for nodes, (_, idle) in found.items():
        print(f"{idle.jobs} jobs that answer at once, {nodes} node{'s' * (nodes > 1)}: "
              f"{1000 * idle.wall / idle.jobs:.1f} ms a job, of it "
              f"{1000 * idle.processor / idle.jobs:.1f} ms processor time here")  # fmt: skip


if __name__ == "__main__":
    main()
