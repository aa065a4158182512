"""From a trial to the trainings that it is scored by, and from their models to its score.

No cell is planned here, and a training opens the train and val splits only: no test face is looked
at, whatever a method does.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from typing import Any

from lrfer_bench.planning.build import build_plan
from lrfer_bench.planning.plan import DataRef, Plan
from lrfer_bench.planning.request import Request
from lrfer_bench.running.models import has_model, model_facts, set_model_aside
from lrfer_bench.store.store import Store
from lrfer_bench.tuning.study import Trial


def trial_plan(request: Request, data: DataRef, method: str, settings: Mapping[str, Any]) -> Plan:
    """The trainings of a method under a trial's settings, as --set would give them to a run.

    UserError for settings that the method does not take together.
    """
    given = {**request.settings, method: {**request.settings.get(method, {}), **settings}}
    asked = dataclasses.replace(request, methods=[method], settings=given)
    whole = build_plan(asked, data, stray=True)
    own = [cell.training for cell in whole.cells.values() if cell.training]
    wanted = tuple(dict.fromkeys(own))
    return Plan({key: whole.trainings[key] for key in whole.below(wanted)}, {}, wanted)


def joined(plans: Iterable[Plan]) -> Plan:
    """The trainings of several plans, each once."""
    whole = Plan()
    for plan in plans:
        whole.trainings |= plan.trainings
        whole.wanted = tuple(dict.fromkeys([*whole.wanted, *plan.wanted]))
    return whole


def settle(trial: Trial, lost: Mapping[str, str], store: Store) -> bool:
    """Give an open trial its score or its failure; False where it has to wait for a training.

    A model whose facts are damaged is set aside, and waited for.
    lost: training key -> why it could not be trained
    """
    reasons = [lost[key] for key in trial.keys if key in lost]
    if reasons:
        trial.failure = reasons[0]
    elif all(has_model(store, key) for key in trial.keys):
        facts = {key: model_facts(store, key) for key in trial.keys}
        damaged = [key for key, known in facts.items() if not known]
        for key in damaged:  # the next round trains it anew
            set_model_aside(store, key)
        if not damaged:
            _score(trial, [_validation_score(known) for known in facts.values()])
    return not trial.open


def _score(trial: Trial, scores: list[float]) -> None:
    mean = sum(scores) / len(scores)
    if math.isfinite(mean):
        trial.score = mean
    else:
        trial.failure = "its validation score is NaN or infinite"


def _validation_score(facts: Mapping[str, Any]) -> float:
    """Of the epoch whose weights were kept; NaN where the file has none, or null for NaN."""
    rows = {row["epoch"]: row["val_score"] for row in facts.get("history", [])}
    score = rows.get(facts.get("epoch"))
    return math.nan if score is None else float(score)
