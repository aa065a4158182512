"""What a run would do: trainings and cells, what is there already, and how long the rest takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

from lrfer_bench.machine.limits import usable_cores
from lrfer_bench.planning.plan import Cell, Plan, Training
from lrfer_bench.running.calibrate import estimate
from lrfer_bench.running.devices import devices_of
from lrfer_bench.running.engines.local import default_workers
from lrfer_bench.running.models import has_model
from lrfer_bench.running.runner import Overwrite, Runner
from lrfer_bench.running.session import Session


@dataclass(frozen=True)
class Step:
    """A training or a cell of a plan.

    todo: False where it has a record, or a model that is there already or needed by nothing
    there: whether it has that record or model
    failed: of a cell, whether that record says that it failed
    seconds: of a training, on this machine with one thread; None where it was not estimated
    """

    node: Training | Cell
    todo: bool
    seconds: float | None = None
    failed: bool = False
    there: bool = False

    @property
    def state(self) -> str:
        """One of "to do", "failed", "there", or "not needed": a training without a model."""
        if self.todo or self.failed:
            return "to do" if self.todo else "failed"
        return "there" if self.there else "not needed"


@dataclass(frozen=True)
class Forecast:
    """What a run would do.

    trainings, cells: in the plan's order. workers: models at a time; None on a cluster that nobody
    has asked yet. seconds: of all that is left, one after the other where there are no workers;
    None: not estimated. device: on which steps were measured
    """

    trainings: list[Step]
    cells: list[Step]
    workers: int | None
    seconds: float | None
    device: str = "cpu"


def forecast(
    session: Session, calibrate: bool, tell: Callable[[str], None] = lambda text: None
) -> Forecast:
    """Look at what is there, and measure a few steps of each kind of model if wanted."""
    request, plan = session.request, session.plan
    runner = Runner(plan, session.store, Overwrite(request.overwrite))
    todo = {training.key for training in runner.to_train}
    here = calibrate and request.engine == "local"  # a plan may be for another machine
    devices = devices_of(request.device) if here else ["cpu"]
    seconds: dict[str, float] = {}
    if calibrate:
        seconds = estimate(runner.to_train, plan, session.prepared, tell, torch.device(devices[0]))
    workers = request.workers
    if workers is None and request.engine == "local":
        workers = default_workers(request.device)
    at_once = min(workers or 1, usable_cores()) if request.engine == "local" else workers or 1
    if devices != ["cpu"]:  # models that share a GPU share its time
        at_once = min(at_once, len(devices))
    total = max(sum(seconds.values()) / at_once, _longest(plan, seconds)) if seconds else None
    trainings = [
        Step(node, key in todo, seconds.get(key), there=has_model(session.store, key))
        for key, node in plan.trainings.items()
    ]
    status = runner.survey.status
    cells = [
        Step(
            node, key in runner.plan.cells, failed=status.get(key) == "failed", there=key in status
        )
        for key, node in plan.cells.items()
    ]
    return Forecast(trainings, cells, workers, total, devices[0])


def _longest(plan: Plan, seconds: Mapping[str, float]) -> float:
    """Seconds of the trainings that wait for each other longest, however many workers there are.

    One training keeps one worker busy, and begins when its stages are done.
    """
    done: dict[str, float] = {}
    for key, training in plan.trainings.items():  # stages stand before what rests on them
        begins = max((done[stage] for stage in training.stages.values()), default=0.0)
        done[key] = begins + seconds.get(key, 0.0)
    return max(done.values())
