"""What the main process spends on a plan of 10,000 cells and 2,605 trainings.

    python benchmarks/large_plan.py [--seeds 5] [--slots 64] [--folder /dev/shm]

Nothing is trained: an engine of stubs answers at once, and its own time is left out. Seconds are
processor time of the main process. --folder: where records, logits and models are written; 1.3 GB
for five seeds.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np
import psutil

from lrfer_bench.api import Method, Task, register_method
from lrfer_bench.contract.preset import preset_of
from lrfer_bench.planning.build import build_plan
from lrfer_bench.planning.plan import DataRef, Plan
from lrfer_bench.planning.request import Request
from lrfer_bench.running.engines.base import Engine, Event, Finished
from lrfer_bench.running.jobs import Job, TrainJob
from lrfer_bench.running.models import Model, TrainingCost
from lrfer_bench.running.records import draft, environment
from lrfer_bench.running.runner import Runner
from lrfer_bench.scoring.metrics import score
from lrfer_bench.store.answers import Logits
from lrfer_bench.store.schema import Cost, Epoch, SelectionPart
from lrfer_bench.store.store import Store

FACES, CLASSES, EPOCHS = 3589, 7, 14
WEIGHTS = b"w" * 100_000
PROTOCOLS = ("bicubic", "bicubic-noaa", "area", "camera")
SCALES = (2, 3, 4, 6, 8)
VARIANTS = 25
DATA = DataRef("faces", "f" * 64, "/nowhere", tuple("abcdefg"), 1, (48, 48), False)
Made = TypeVar("Made")


@register_method("stub")
class Stub(Method):
    """Rests on two stages, as the larger methods do; it is never built."""

    needs: ClassVar[dict[str, str]] = {"classifier": "classifier@hr", "superres": "superres@lr"}

    def __init__(self, task: Task, width: int = 1) -> None:
        super().__init__(task)


def plan_of(seeds: int) -> Plan:
    methods = [f"stub[width={width}]" for width in range(1, VARIANTS + 1)]
    request = Request(
        methods, scales=SCALES, protocols=PROTOCOLS, test_protocols=PROTOCOLS,
        seeds=range(seeds), preset=preset_of("quick"),
    )  # fmt: skip
    return build_plan(request, DATA)


class StubEngine(Engine):
    """Answers every job at once. seconds: processor time that workers would have spent."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.seconds = 0.0
        self._jobs: list[Job] = []
        rng = np.random.default_rng(0)
        answers = Logits(
            rng.normal(size=(FACES, CLASSES)).astype(np.float32),
            rng.integers(0, CLASSES, FACES), np.ones(FACES, bool),
        )  # fmt: skip
        self._logits = answers.to_bytes()
        rows = [
            {"epoch": e, "seconds": 80.0, "losses": {"ce": 1 / e, "kd": 2 / e}, "val_score": 0.5}
            for e in range(1, EPOCHS + 1)
        ]
        self._cost = TrainingCost(1000.0, "last", EPOCHS, EPOCHS, rows, 900.0)
        self._parts: dict[str, Any] = {
            "status": "finished", "metrics": score(answers.logits, answers.labels, answers.clean),
            "cost": Cost(parameters=1, macs=1, latency_ms=1, throughput=1, train_seconds=1,
                         train_seconds_with_stages=1, peak_memory_mb=1),
            "selection": SelectionPart(rule="last", epoch=EPOCHS, epochs=EPOCHS),
            "history": [
                Epoch(epoch=row["epoch"], seconds=80.0, losses=row["losses"], val_accuracy=0.5)
                for row in rows
            ],
            "environment": environment(),
        }  # fmt: skip

    def submit(self, job: Job) -> None:
        self._jobs.append(job)

    def wait(self) -> Sequence[Event]:
        started = time.process_time()
        events = [Finished(job.key, self._result(job)) for job in self._jobs]
        self._jobs.clear()
        self.seconds += time.process_time() - started
        return events

    def _result(self, job: Job) -> Any:
        if isinstance(job, TrainJob):
            return Model(job.training, WEIGHTS, self._cost)
        return draft(job.cell).model_copy(update=self._parts), self._logits

    def close(self) -> None:
        self._jobs.clear()


def timed(make: Callable[[], Made]) -> tuple[Made, float]:
    started = time.process_time()
    made = make()
    return made, time.process_time() - started


def next_jobs(plan: Plan, store: Store) -> float:
    """Milliseconds to choose a job, over the whole plan; nothing is read or written."""
    frontier = Runner(plan, store).frontier
    started, count = time.process_time(), 0
    while (node := frontier.next()) is not None:
        frontier.finish(node.key)
        count += 1
    assert count == len(plan.cells) + len(plan.trainings)
    return 1000 * (time.process_time() - started) / count


def memory_mb() -> float:
    return float(psutil.Process().memory_info().rss / 1e6)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--slots", type=int, default=64)
    parser.add_argument("--folder", type=Path, default=None)
    given = parser.parse_args()
    engine = StubEngine(given.slots)
    before = memory_mb()
    plan, seconds = timed(lambda: plan_of(given.seeds))
    print(f"{len(plan.cells)} cells, {len(plan.trainings)} trainings: planned in {seconds:.2f} s")
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        store = Store(Path(folder))
        runner, seconds = timed(lambda: Runner(plan, store))
        print(f"opened in {seconds:.2f} s; next job {next_jobs(plan, store):.3f} ms")
        most = before

        def listen(status: Any) -> None:
            nonlocal most
            if status.finished % 100 == 0:
                most = max(most, memory_mb())

        _, seconds = timed(lambda: runner.run(engine, listen))
        seconds -= engine.seconds
        print(f"run: {1000 * seconds / len(plan.cells):.2f} ms a cell, models included")
        again, seconds = timed(lambda: Runner(plan, Store(Path(folder))))
        assert not again.plan.cells and again.kept_failed == 0
        print(f"second start over {len(again.kept)} records: {seconds:.2f} s")
        most = max(most, memory_mb())
    print(f"memory: {most - before:.0f} MB above that of the imports ({before:.0f} MB)")


if __name__ == "__main__":
    main()
