"""The bodies of lrfer_bench.run() and tune(): from a call's words to a frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from lrfer_bench.calls.notebook import shown
from lrfer_bench.planning.arguments import RunArguments, TuneArguments, checked_arguments
from lrfer_bench.planning.from_python import request_from
from lrfer_bench.planning.plan import Plan
from lrfer_bench.reporting.frame import frame_of, plain_result
from lrfer_bench.running.remarks import faults, remarks
from lrfer_bench.running.runner import Runner
from lrfer_bench.running.session import Session, run_session
from lrfer_bench.store.store import Store
from lrfer_bench.store.survey import find_all
from lrfer_bench.tuning.chosen import trial_frame
from lrfer_bench.tuning.tune import TuningRequest, run_tuning


def run_from(words: Mapping[str, Any]) -> pd.DataFrame:
    """Run what the words of run() ask for; a line a cell."""
    given = checked_arguments(RunArguments, words)
    display, watch = shown(given.tell)
    outcome = run_session(request_from(given), display, _notes(given.tell), watch)
    return _frame(outcome.session.plan, outcome.session.store)


def tune_from(words: Mapping[str, Any]) -> pd.DataFrame:
    """Run the trials that the words of tune() ask for; a line a trial."""
    given = checked_arguments(TuneArguments, words)
    asked = TuningRequest(request_from(given), given.trials, given.epochs, given.prune)
    display, watch = shown(given.tell)
    tell = given.tell or (lambda line: None)
    return trial_frame(run_tuning(asked, display, tell, watch).studies)


def _notes(tell: Callable[[str], None] | None) -> Callable[[Session, Runner], None]:
    """Tells before anything is trained what the command tells then."""

    def before(session: Session, runner: Runner) -> None:
        for line in (*remarks(session, runner), *faults(runner)):
            if tell is not None:
                tell(line)

    return before


def _frame(plan: Plan, store: Store) -> pd.DataFrame:
    """The records of a plan's cells, in the plan's order."""
    records = find_all(store, plan.cells)
    return frame_of(plain_result(record, store) for record in records)
