"""One run, from a request to finished records. Command line and Python end here, both."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass

from lrfer_bench.data.cache import Prepared
from lrfer_bench.data.reading import Watch, unwatched
from lrfer_bench.errors import UserError
from lrfer_bench.planning.free_rows import free_rows, sentence
from lrfer_bench.planning.plan import Cell, Plan, data_ref
from lrfer_bench.planning.request import Request, plan_request, with_files
from lrfer_bench.planning.run_file import keep_run_file
from lrfer_bench.plugins.contents import keep_content
from lrfer_bench.plugins.existing import keep_models
from lrfer_bench.plugins.registry import REGISTRIES
from lrfer_bench.running.engines import engine_for
from lrfer_bench.running.engines.base import Engine
from lrfer_bench.running.joining import joined
from lrfer_bench.running.runner import Overwrite, Runner
from lrfer_bench.running.sole import check_no_sole_run, sole_run, sweep_store
from lrfer_bench.running.status import Listener, Status
from lrfer_bench.running.training_log import TrainingLog, open_log
from lrfer_bench.store.presets import keep_preset
from lrfer_bench.store.store import Store
from lrfer_bench.store.survey import find_all

Display = Callable[[Status], AbstractContextManager[Listener]]
"""Shows a run while it goes on.

A context manager; the runner calls what it gives with each status.
"""

LONGEST = 190
"""Characters for the names in the name of a record's file; systems take 255, with seed and key."""


@dataclass(frozen=True)
class Session:
    """A request made ready: data prepared, plan built, results folder opened."""

    request: Request
    prepared: Prepared
    plan: Plan
    store: Store


@dataclass(frozen=True)
class Outcome:
    """A run that came to its end. kept: cells that had a record before it."""

    session: Session
    status: Status
    kept: list[Cell]
    kept_failed: int

    @property
    def failed(self) -> int:
        """Failed cells, those of earlier runs that were kept among them."""
        return self.status.failed + self.kept_failed


def open_session(request: Request, watch: Watch = unwatched) -> Session:
    """Check everything that can be checked before an hour of training.

    watch shows how the data is prepared. UserError for wrong names, scales, settings, files and
    words.
    """
    prepared, plan = plan_request(request, watch)
    request = with_files(request, plan)
    store = Store(request.results)
    _check_file_names(plan)
    free = free_rows(request, data_ref(request.dataset, prepared), plan)
    missing = [name for name, cells in free.items() if len(find_all(store, cells)) < len(cells)]
    if missing:
        plan.notes += (sentence(missing),)
    return Session(request, prepared, plan, store)


def _check_file_names(plan: Plan) -> None:
    """UserError where a record's file would have a longer name than systems take."""
    for cell in plan.cells.values():
        parts = (cell.data.name, cell.method.name, cell.tested.protocol, cell.preset.id)
        if sum(map(len, parts)) > LONGEST:
            raise UserError(
                f"the names {', '.join(parts)} are too long together for the name of one file: "
                f"use {LONGEST} characters at most for all four"
            )


def run_session(
    request: Request,
    display: Display = lambda status: nullcontext(lambda now: None),
    before: Callable[[Session, Runner], None] = lambda session, runner: None,
    watch: Watch = unwatched,
) -> Outcome:
    """Run what is missing of a request.

    before() is called once all is known to be in order, and nothing is trained yet. watch shows
    how the data is prepared.
    """
    if request.join and request.overwrite == "always":
        raise UserError(
            "--join with --overwrite always would have each run make everything: start one run "
            "with it, or choose another --results"
        )
    session = open_session(request, watch)
    logs = session.store.root / "logs"
    if request.join:
        logs /= f"{socket.gethostname()}-{os.getpid()}"
    engine = engine_for(request, logs)
    log = open_log(request.log, session.store.root) if request.log else None
    session.store.check_writable()
    if request.join:
        check_no_sole_run(session.store)
    with nullcontext() if request.join else sole_run(session.store):
        try:
            return _run(session, engine, display, before, log)
        finally:
            if log is not None:
                with suppress(Exception):  # a full disk: the run said so when it met it
                    log.close()


def _run(
    session: Session,
    engine: Engine,
    display: Display,
    before: Callable[[Session, Runner], None],
    log: TrainingLog | None,
) -> Outcome:
    request = session.request
    overwrite = Overwrite(request.overwrite)
    sharing = joined(session.store, request.device) if request.join else nullcontext()
    with sharing as campaign:  # first: a run that is refused leaves the folder as it was
        with campaign.kept_fresh() if campaign else nullcontext():
            sweep_store(session.store, checkpoints=overwrite is not Overwrite.ALWAYS)
            _keep_inputs(session)
            runner = Runner(session.plan, session.store, overwrite, campaign, log)
            before(session, runner)
            _note_trials(session.store, runner.kept)
            _note_edits(session.store, runner)
        if runner.plan.cells:
            with display(runner.status) as listener:
                runner.run(engine, listener)
    return Outcome(session, runner.status, runner.kept, runner.kept_failed)


def _keep_inputs(session: Session) -> None:
    """Write into the results folder what was asked for, and the files that it names."""
    request, contents = session.request, session.plan.contents()
    keep_preset(session.store.root, request.preset)
    keep_run_file(request, contents)
    keep_models(request.plugins, session.store.root)
    for content in contents:
        keep_content(content)


def _note_trials(store: Store, kept: list[Cell]) -> None:
    """Write into records that stand by how many trials their settings were chosen.

    The settings that a tuning chose, such as the defaults, may have been run before it; a method
    may have had nothing to tune (0) when it was run; and the oldest records say neither (None).
    """
    trials = {cell.key: cell.method.trials for cell in kept}
    for record in find_all(store, trials) if trials else []:
        told, number = record.method.trials, trials[record.key]
        if told != number and (number or not told):  # who runs it by hand takes no trials back
            method = record.method.model_copy(update={"trials": number})
            store.save(record.model_copy(update={"method": method}))


def _note_edits(store: Store, runner: Runner) -> None:
    """An edit of a plugin file that was taken back is the newest again, though all of it stands."""
    if any(entry.code for registry in REGISTRIES for entry in registry):
        status = runner.survey.status
        store.date([cell.key for cell in runner.kept if status[cell.key] == "finished"])
