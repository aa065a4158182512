"""The runner: takes a plan through an engine into the store.

Trainings before what rests on them, failures contained.
"""

from __future__ import annotations

import enum
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from lrfer_bench.errors import MachineError
from lrfer_bench.planning.plan import Cell, Plan, Training, subset
from lrfer_bench.running.engines.base import Engine, Event, Failed, Finished, Noted, Progressed
from lrfer_bench.running.frontier import Frontier, Node
from lrfer_bench.running.jobs import Job, TestJob, TrainJob
from lrfer_bench.running.joining import Campaign
from lrfer_bench.running.models import (
    Model,
    ModelMissing,
    has_model,
    save_model,
    set_model_aside,
)
from lrfer_bench.running.records import failed_record
from lrfer_bench.running.shared import Shared
from lrfer_bench.running.shelf import Shelf
from lrfer_bench.running.status import Listener, Status
from lrfer_bench.running.training_log import TrainingLog
from lrfer_bench.store.store import Store
from lrfer_bench.store.survey import Survey, survey
from lrfer_bench.training.loop import Progress

TRIES = 2


class Overwrite(enum.Enum):
    """What to do with cells that have a record: leave all, redo the failed ones, or redo all."""

    NEVER = "never"
    FAILED = "failed"
    ALWAYS = "always"


class Runner:
    """Runs what is missing of a plan. Every result is on disk as soon as it is known.

    log: hears of the trainings, if wanted
    lost: training key -> why it, or a stage that it rests on, could not be trained
    least: training key -> epoch -> the validation score below which it is stopped
    stopped: training key -> the scores of its epochs, of those that were
    """

    def __init__(
        self,
        plan: Plan,
        store: Store,
        overwrite: Overwrite = Overwrite.NEVER,
        campaign: Campaign | None = None,
        log: TrainingLog | None = None,
        least: Mapping[str, Mapping[int, float]] | None = None,
    ) -> None:
        self.least, self.stopped = least or {}, dict[str, Sequence[float | None]]()
        self.log = log
        self.store = store
        self.survey = survey(store, plan.cells)
        self.kept, todo = split_plan(plan, store, overwrite, self.survey)
        again = overwrite is Overwrite.ALWAYS
        wanted = [key for key in plan.wanted if again or not has_model(store, key)]
        self.plan = subset(plan, todo, wanted)
        self.done = {key for key in self.plan.trainings if not again and has_model(store, key)}
        self.frontier = Frontier(self.plan, frozenset(self.done))
        self.shelf = Shelf(self.plan, store)
        self.running: dict[str, Node] = {}
        self.tries: dict[str, int] = {}
        self.lost: dict[str, str] = {}
        self.status = Status(len(plan.cells), len(self.to_train), kept=len(self.kept), afresh=again)
        self.shared = None
        if campaign:
            self.shared = Shared(campaign, self.frontier, store, self.status)

    @property
    def to_train(self) -> list[Training]:
        """The trainings that have no model yet, in plan order."""
        return [t for key, t in self.plan.trainings.items() if key not in self.done]

    @property
    def kept_failed(self) -> int:
        """How many of the cells that are kept have failed in an earlier run."""
        return sum(self.survey.status[cell.key] == "failed" for cell in self.kept)

    def run(self, engine: Engine, listener: Listener = lambda status: None) -> Status:
        """Run to the end; UserErrors of the store (a full disk) stop the engine and are raised."""
        self.status.kept_until = engine.kept_until
        with engine:
            while self.frontier:
                if self.shared:
                    self.shared.look()
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
        self.status.slots = engine.slots
        while len(self.running) < engine.slots:
            node = self.frontier.next()
            if node is None:
                return
            if self.shared and not self.shared.take(node):
                continue
            job = self._job(node)
            if job is None:
                continue
            self.running[job.key] = node
            self.status.running[job.key] = (job.label, None)
            self.status.moved[job.key] = time.monotonic()
            engine.submit(job)

    def _job(self, node: Node) -> Job | None:
        """A node with its models; None where one is damaged, and the node waits for it again."""
        if isinstance(node, Cell):
            below = self.plan.needed_for(node)
        else:
            below = self.plan.below(node.stages.values())
        try:
            models = self.shelf.models(below)
        except ModelMissing as error:
            self._train_again(error.path.stem, node)
            return None
        if isinstance(node, Cell):
            return TestJob(node, models)
        checkpoint = str(self._checkpoint(node.key).resolve())
        return TrainJob(node, models, checkpoint, least=self.least.get(node.key, {}))

    def _train_again(self, key: str, node: Node) -> None:
        """A model is damaged: it is set aside, and its training waits like any other."""
        self._note(set_model_aside(self.store, key))
        if self.frontier.wait_for(node.key, key):
            self.done.discard(key)
            self.status.trainings += 1
        self._give_back(node.key)

    def _note(self, text: str) -> None:
        self.status.note = f"{self.status.note}; {text}" if self.status.note else text

    def _checkpoint(self, key: str) -> Path:
        return self.store.checkpoints / f"{key}.ckpt"

    def _handle(self, event: Event) -> None:
        if isinstance(event, Noted):
            self._note(event.text)
            return
        if isinstance(event, Progressed):
            self._log(self.running.get(event.key), event.progress)
            label, _ = self.status.running.get(event.key, ("", None))
            self.status.running[event.key] = (label, event.progress)
            self.status.moved[event.key] = time.monotonic()
            return
        node = self.running.pop(event.key)
        self.status.running.pop(event.key, None)
        self.status.moved.pop(event.key, None)
        if isinstance(event, Finished):
            self._finish(event)
        self._log(node, None)
        if isinstance(event, Failed):
            self._fail(node, event)

    def _log(self, node: Node | None, progress: Progress | None) -> None:
        """Hand on what a training tells; None: it has ended. No run ends by its log."""
        if self.log is None or not isinstance(node, Training):
            return
        try:
            if progress is None:
                self.log.ended(node)
            else:
                self.log.told(node, progress)
        except Exception as error:  # tensorboard's writer hands on what its thread met
            self._note(
                f"the log cannot be written ({type(error).__name__}: {error}): it is left out from "
                "here on"
            )
            self.log = None

    def _finish(self, event: Finished) -> None:
        if isinstance(event.result, Model):
            save_model(self.store, event.result)
            self._checkpoint(event.key).unlink(missing_ok=True)
            self.shelf.put(event.result)
            self.done.add(event.key)
            self.status.trained += 1
            self.status.training_seconds.append(event.result.cost.seconds)
        else:
            record, logits = event.result
            self.store.save(record, logits)
            self.status.finished += 1
            self.status.last = record
        self.frontier.finish(event.key)
        self._give_back(event.key)

    def _fail(self, node: Node, event: Failed) -> None:
        """A dead worker's job is tried once more.

        After that the job's cell, or every cell that rests on it, is a failed one. MachineError
        where the machine is in the way: no method is to blame.
        """
        if event.machine:
            raise MachineError(
                f"{event.sentence}; the run stops: no cell has failed by this, what is finished "
                "is kept, and the same command goes on from there"
            )
        if event.scores is not None:
            self.stopped[node.key] = event.scores
            self._checkpoint(node.key).unlink(missing_ok=True)
        self.tries[node.key] = self.tries.get(node.key, 0) + 1
        if event.died and self.tries[node.key] < TRIES:
            self._note(f"{event.sentence}; it is tried once more")
            self._give_back(node.key)  # first: the next try claims it like any other job
            self.frontier.again(node.key)
            return
        for lost in self.frontier.lose(node.key):
            if isinstance(lost, Cell):
                self._record_failure(lost, event)
            elif lost.key not in self.done:
                self.lost[lost.key] = event.sentence
                self.status.trainings -= 1
        self._give_back(node.key)

    def _give_back(self, key: str) -> None:
        """Other runs in this folder may look: its result is on disk, or its failure."""
        if self.shared:
            self.shared.give_back(key)

    def _record_failure(self, cell: Cell, event: Failed) -> None:
        record = failed_record(cell, event.sentence, event.traceback)
        standing = self.store.standing(record)
        # a failure never takes the place of a result
        if standing is None or standing.status == "failed":
            self.store.save(record)
        self.status.failed += 1
        self.status.last = record


def split_plan(
    plan: Plan, store: Store, overwrite: Overwrite, found: Survey | None = None
) -> tuple[list[Cell], list[Cell]]:
    """(cells whose record stands and is kept, cells to run)"""
    found = found or survey(store, plan.cells)
    kept: list[Cell] = []
    todo: list[Cell] = []
    for cell in plan.cells.values():
        status = None if overwrite is Overwrite.ALWAYS else found.status.get(cell.key)
        again = status is None or (status == "failed" and overwrite is Overwrite.FAILED)
        (todo if again else kept).append(cell)
    return kept, todo
