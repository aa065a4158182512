"""From a trial to the trainings that it is scored by, and from their models to its score.

No cell is run here, and trainings and scores open the train and val splits only: no test face is
looked at, whatever a method does.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from typing import Any

import torch

from lrfer_bench.planning.build import build_plan
from lrfer_bench.planning.plan import DataRef, Plan
from lrfer_bench.planning.request import Request
from lrfer_bench.running.jobs import TrainJob
from lrfer_bench.running.models import ModelMissing, has_model, model_facts, set_model_aside
from lrfer_bench.running.work import failure_of
from lrfer_bench.store.store import Store
from lrfer_bench.tuning import validated
from lrfer_bench.tuning.study import Trial
from lrfer_bench.tuning.validated import kept_score

CPU = torch.device("cpu")


def trial_plan(request: Request, data: DataRef, method: str, settings: Mapping[str, Any]) -> Plan:
    """The plan of a method under a trial's settings, as --set would give them to a run.

    Of its cells only the trainings are run. UserError for settings that the method does not take
    together.
    """
    given = {**request.settings, method: {**request.settings.get(method, {}), **settings}}
    asked = dataclasses.replace(request, methods=[method], settings=given)
    return build_plan(asked, data, stray=True)


def joined(plans: Iterable[Plan]) -> Plan:
    """The trainings of several plans, each once."""
    whole = Plan()
    for plan in plans:
        whole.trainings |= plan.trainings
        whole.wanted = tuple(dict.fromkeys([*whole.wanted, *plan.wanted]))
    return whole


def settle(
    trial: Trial,
    lost: Mapping[str, str],
    store: Store,
    plan: Plan | None = None,
    device: torch.device = CPU,
) -> bool:
    """Give an open trial its score or its failure; False where it has to wait.

    It waits for a training, a model that is damaged and was set aside among them. Where its models
    have to be shown faces (Trial.shown_at), it waits until a plan is given.
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
        if not damaged and not trial.shown_at:
            _score(trial, [kept_score(known) for known in facts.values()])
        elif not damaged and plan is not None:
            _show(trial, plan, store, device)
    return not trial.open


def _show(trial: Trial, plan: Plan, store: Store, device: torch.device) -> None:
    """Score the models of a trial by the faces that they are shown here."""
    scores = []
    for key in trial.keys:
        training = plan.trainings[key]
        try:
            scores.append(validated.score_at(trial.shown_at, training, plan, store, device))
        except ModelMissing as error:  # a stage is trained again only for a model that is missing
            for name in {error.path.stem, key}:
                set_model_aside(store, name)
            return
        except Exception as error:
            trial.failure, _ = failure_of(error, TrainJob(training))
            return
    _score(trial, scores)


def _score(trial: Trial, scores: list[float]) -> None:
    mean = sum(scores) / len(scores)
    if math.isfinite(mean):
        trial.score = mean
    else:
        trial.failure = "its validation score is NaN or infinite"
