"""How long a plan will take, from a few steps of each kind of model on this machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import chain, count, islice

import torch

from lrfer_bench.contract.returned import named_optimizers
from lrfer_bench.data.cache import Prepared
from lrfer_bench.errors import UserError
from lrfer_bench.keys import canonical_json
from lrfer_bench.planning.plan import Plan, Training
from lrfer_bench.running.cost import synchronise
from lrfer_bench.running.jobs import TrainJob
from lrfer_bench.running.models import untrained
from lrfer_bench.running.work import batch_source, failure_of
from lrfer_bench.training.precision import Precision

WARM_STEPS = 2
STEPS = 4
CPU = torch.device("cpu")


def estimate(
    trainings: Sequence[Training],
    plan: Plan,
    prepared: Prepared,
    tell: Callable[[str], None] = lambda text: None,
    device: torch.device = CPU,
) -> dict[str, float]:
    """Training key -> seconds on a device, one torch thread each, for some trainings of a plan.

    Stages are fresh networks of the same shape: speed is all that counts. Trainings that differ in
    their seed alone are measured once. tell: hears which model is measured now.
    UserError where a method's own code fails.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.enable_grad():  # a notebook may have turned it off
            return _estimate(trainings, plan, prepared, tell, device)
    finally:
        torch.set_num_threads(before)


def _estimate(
    trainings: Sequence[Training],
    plan: Plan,
    prepared: Prepared,
    tell: Callable[[str], None],
    device: torch.device,
) -> dict[str, float]:
    measured: dict[str, float] = {}
    seconds: dict[str, float] = {}
    for number, training in enumerate(trainings, 1):
        tell(f"measuring {number} of {len(trainings)}: {training.label}")
        alike = but_for_its_seed(training, plan)
        if alike not in measured:
            measured[alike] = _told(training, plan, prepared, device)
        seconds[training.key] = measured[alike] * steps_of(training, prepared)
    return seconds


def _told(training: Training, plan: Plan, prepared: Prepared, device: torch.device) -> float:
    """seconds_per_step(); what a method's code raises is a UserError with its line."""
    try:
        return seconds_per_step(training, plan, prepared, device)
    except UserError:
        raise
    except Exception as error:
        said, _ = failure_of(error, TrainJob(training, {}))
        raise UserError(
            f"{said}: no time can be told until that is mended; "
            "lrfer-bench plan --no-estimate asks for none"
        ) from error


def but_for_its_seed(training: Training, plan: Plan) -> str:
    """What a training of a data set is: equal for those that differ by their seed alone."""
    rests_on = [plan.trainings[key] for key in plan.below([training.key])]
    parts = [[each.method.identity(), each.condition] for each in rests_on]
    return canonical_json([training.preset.id, training.preset.epochs, parts])


def steps_of(training: Training, prepared: Prepared) -> int:
    """How many steps a training takes."""
    return training.preset.epochs * max(len(prepared.faces.train) // training.preset.batch, 1)


def seconds_per_step(
    training: Training,
    plan: Plan,
    prepared: Prepared,
    device: torch.device = CPU,
    steps: int = STEPS,
) -> float:
    """The mean over so many steps of a fresh model, batches included; an even number of steps.

    Steps are those of the training in its precision, without the running mean of the weights.
    """
    method = untrained(training, plan, device)
    source = batch_source(training, prepared, device)
    optimizers = named_optimizers(method.optimizers(), method)
    precision = Precision.of(training.preset, device)
    method.scaler = precision.scaler()
    method.train()
    # As many epochs as it takes: where one has a batch or two, nothing would follow the warm-up.
    batches = islice(chain.from_iterable(map(source.epoch, count())), WARM_STEPS + steps)
    for number, batch in enumerate(batches):
        method.progress = 0.99 * (
            number % 2
        )  # a method may do other things late than early: half of each
        with precision.autocast():
            method.update(batch, optimizers)
        if number + 1 == WARM_STEPS:
            synchronise(device)
            started = time.perf_counter()
    synchronise(device)
    return (time.perf_counter() - started) / steps
