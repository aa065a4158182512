"""The runner: takes a plan through an engine into the store.

Trainings before what rests on them, failures contained.
"""

from __future__ import annotations

import enum

from lrfer_bench.errors import MachineError
from lrfer_bench.planning.plan import Cell, Plan, Training, subset
from lrfer_bench.running.engines.base import Engine, Event, Failed, Finished, Noted, Progressed
from lrfer_bench.running.jobs import Job, TestJob, TrainJob
from lrfer_bench.running.models import (
    Model,
    ModelMissing,
    has_model,
    read_model,
    save_model,
    set_model_aside,
)
from lrfer_bench.running.records import failed_record
from lrfer_bench.running.status import Listener, Status
from lrfer_bench.store.store import Store

TRIES = 2


class Overwrite(enum.Enum):
    """What to do with cells that have a record: leave all, redo the failed ones, or redo all."""

    NEVER = "never"
    FAILED = "failed"
    ALWAYS = "always"


class Runner:
    """Runs what is missing of a plan. Every result is on disk as soon as it is known.

    lost: training key -> why it, or a stage that it rests on, could not be trained
    """

    def __init__(self, plan: Plan, store: Store, overwrite: Overwrite = Overwrite.NEVER) -> None:
        self.store = store
        self.kept, todo = split_plan(plan, store, overwrite)
        again = overwrite is Overwrite.ALWAYS
        wanted = [key for key in plan.wanted if again or not has_model(store, key)]
        self.plan = subset(plan, todo, wanted)
        self.done = {key for key in self.plan.trainings if not again and has_model(store, key)}
        self.waiting_trainings = [
            t for key, t in self.plan.trainings.items() if key not in self.done
        ]
        self.waiting_cells = list(self.plan.cells.values())
        self.running: dict[str, Job] = {}
        self.tries: dict[str, int] = {}
        self.lost: dict[str, str] = {}
        self.status = Status(len(plan.cells), len(self.waiting_trainings), kept=len(self.kept))

    def run(self, engine: Engine, listener: Listener = lambda status: None) -> Status:
        """Run to the end; UserErrors of the store (a full disk) stop the engine and are raised."""
        self.status.slots = engine.slots
        with engine:
            while self.waiting_cells or self.waiting_trainings or self.running:
                self._submit(engine)
                self._tell(listener)
                for event in engine.wait():
                    self._handle(event)
                    self._tell(listener)
        return self.status

    def _tell(self, listener: Listener) -> None:
        """News are told once."""
        listener(self.status)
        self.status.note, self.status.last = "", None

    def _submit(self, engine: Engine) -> None:
        while len(self.running) < engine.slots:
            job = self._next()
            if job is None:
                return
            self.running[job.key] = job
            self.status.running[job.key] = (job.label, None)
            engine.submit(job)

    def _next(self) -> Job | None:
        """A cell whose models are all there, else the training that most rests on.

        Such a cell is quick, and its result is safe then.
        """
        for cell in list(self.waiting_cells):
            models = self._models(self.plan.needed_for(cell))
            if models is not None:
                self.waiting_cells.remove(cell)
                return TestJob(cell, models)
        for training in sorted(self.waiting_trainings, key=self._dependents, reverse=True):
            models = self._models(self.plan.below(training.stages.values()))
            if models is not None:
                self.waiting_trainings.remove(training)
                checkpoint = self.store.checkpoints / f"{training.key}.ckpt"
                return TrainJob(training, models, str(checkpoint.resolve()))
        return None

    def _dependents(self, training: Training) -> int:
        return sum(training.key in other.stages.values() for other in self.waiting_trainings)

    def _models(self, keys: list[str]) -> dict[str, Model] | None:
        """The models of these trainings; None while one is not there.

        A damaged one is set aside, and its training waits like any other from then on.
        """
        if not all(key in self.done for key in keys):
            return None
        models = {}
        for key in keys:
            try:
                models[key] = read_model(self.store, self.plan.trainings[key])
            except ModelMissing:
                self._note(set_model_aside(self.store, key))
                self.done.discard(key)
                self.waiting_trainings.insert(0, self.plan.trainings[key])
                self.status.trainings += 1
                return None
        return models

    def _note(self, text: str) -> None:
        self.status.note = f"{self.status.note}; {text}" if self.status.note else text

    def _handle(self, event: Event) -> None:
        if isinstance(event, Noted):
            self._note(event.text)
            return
        if isinstance(event, Progressed):
            label, _ = self.status.running.get(event.key, ("", None))
            self.status.running[event.key] = (label, event.progress)
            return
        job = self.running.pop(event.key)
        self.status.running.pop(event.key, None)
        if isinstance(event, Finished):
            self._finish(event)
        else:
            self._fail(job, event)

    def _finish(self, event: Finished) -> None:
        if isinstance(event.result, Model):
            save_model(self.store, event.result)
            (self.store.checkpoints / f"{event.key}.ckpt").unlink(missing_ok=True)
            self.done.add(event.key)
            self.status.trained += 1
            self.status.training_seconds.append(event.result.cost.seconds)
            return
        record, logits = event.result
        self.store.save(record, logits)
        self.status.finished += 1
        self.status.last = record

    def _fail(self, job: Job, event: Failed) -> None:
        if event.machine:
            raise MachineError(
                f"{event.sentence}; the run stops: no cell has failed by this, what is finished "
                "is kept, and the same command goes on from there"
            )
        """A dead worker's job is tried once more.

        After that the job's cell, or every cell that rests on it, is a failed one.
        """
        self.tries[job.key] = self.tries.get(job.key, 0) + 1
        if event.died and self.tries[job.key] < TRIES:
            self._note(f"{event.sentence}; it is tried once more")
            if isinstance(job, TrainJob):
                self.waiting_trainings.insert(0, job.training)
            else:
                self.waiting_cells.insert(0, job.cell)
            return
        if isinstance(job, TestJob):
            self._record_failure(job.cell, event)
            return
        lost = {job.key} | {
            t.key for t in self.waiting_trainings if job.key in self.plan.below(t.stages.values())
        }
        self.waiting_trainings = [t for t in self.waiting_trainings if t.key not in lost]
        self.lost |= dict.fromkeys(lost, event.sentence)
        self.status.trainings -= len(lost)
        for cell in [c for c in self.waiting_cells if lost & set(self.plan.needed_for(c))]:
            self.waiting_cells.remove(cell)
            self._record_failure(cell, event)

    def _record_failure(self, cell: Cell, event: Failed) -> None:
        record = failed_record(cell, event.sentence, event.traceback)
        standing = self.store.find(cell.key)
        if (
            standing is None or standing.status == "failed"
        ):  # a failure never takes the place of a result
            self.store.save(record)
        self.status.failed += 1
        self.status.last = record


def split_plan(plan: Plan, store: Store, overwrite: Overwrite) -> tuple[list[Cell], list[Cell]]:
    """(cells whose record stands and is kept, cells to run)"""
    kept: list[Cell] = []
    todo: list[Cell] = []
    for cell in plan.cells.values():
        record = None if overwrite is Overwrite.ALWAYS else store.find(cell.key)
        again = record is not None and record.status == "failed" and overwrite is Overwrite.FAILED
        if record is None or again or not store.is_complete(record):
            todo.append(cell)
        else:
            kept.append(cell)
    return kept, todo
