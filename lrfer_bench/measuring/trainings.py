"""Training times that can be compared: a few steps of each training behind a cell, alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from lrfer_bench.data.prepared import Prepared
from lrfer_bench.measuring.quantities import Timed
from lrfer_bench.measuring.stopwatch import is_quiet_gpu, undisturbed, watched
from lrfer_bench.planning.plan import Plan, Training
from lrfer_bench.predicting.origin import prepared_cell
from lrfer_bench.running.calibrate import but_for_its_seed, seconds_per_step, steps_of
from lrfer_bench.store.schema import Record
from lrfer_bench.store.store import Store

STEPS = 16
"""Steps of each training that are timed, after two that are not."""

Pace = tuple[float, bool]
"""Seconds of a whole training, and whether nothing else used the machine meanwhile."""


@dataclass(frozen=True)
class InTraining(Timed):
    """The steps of all trainings that a cell rests on.

    Of each training a few steps of a fresh model are timed, and counted as often as its budget has
    steps. Validation after an epoch, LR images that are made once and what a method does after its
    last step are not in it. No model has to be there, but the prepared data set has to.
    """

    trust: bool = False
    name: ClassVar[str] = "training"
    _known: dict[str, Pace] = field(default_factory=dict)

    def entered(self, record: Record, store: Store) -> Record:
        """The record with the times of its trainings; UserError where they cannot be planned."""
        if record.method.existing:  # nothing was trained for it
            return self.with_cost(record, {}, self.told_with(alone=True))
        missing = "its data set is not prepared here, and steps need faces"
        prepared, plan, cell = prepared_cell(record, store, self.trust, missing)
        needed = plan.needed_for(cell)
        found = {key: self._pace(plan.trainings[key], plan, prepared) for key in needed}
        seconds = {key: round(pace, 3) for key, (pace, _) in found.items()}
        told = self.told_with(all(quiet for _, quiet in found.values()))
        cost = {
            "train_seconds": seconds.get(cell.training or "", 0.0),
            "train_seconds_with_stages": round(sum(seconds.values()), 3),
        }
        stages = {
            name: part.model_copy(update={"train_seconds": seconds[part.key]})
            for name, part in record.stages.items()
        }
        return self.with_cost(record, cost, told).model_copy(update={"stages": stages})

    def _pace(self, training: Training, plan: Plan, prepared: Prepared) -> Pace:
        """Measured once for all trainings that differ by their seed alone."""
        alike = f"{prepared.fingerprint} {but_for_its_seed(training, plan)}"
        if alike not in self._known:
            self._known[alike] = self._measured(training, plan, prepared)
        return self._known[alike]

    def _measured(self, training: Training, plan: Plan, prepared: Prepared) -> Pace:
        device = self.bench.device
        quiet = is_quiet_gpu(device)
        with undisturbed(self.bench.threads), watched() as others:
            pace = seconds_per_step(training, plan, prepared, device, STEPS)
        return pace * steps_of(training, prepared), quiet and others.quiet
