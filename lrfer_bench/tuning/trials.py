"""From a trial to the trainings that it is scored by, and from their models to its score.

No cell is run here, and trainings and scores open the train and val splits only: no test face is
looked at, whatever a method does.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from statistics import median
from typing import Any

import torch

from lrfer_bench.errors import DataError, MachineError
from lrfer_bench.planning.build import build_plan
from lrfer_bench.planning.plan import DataRef, Plan
from lrfer_bench.planning.request import Request
from lrfer_bench.running.jobs import TrainJob
from lrfer_bench.running.models import ModelMissing, has_model, model_facts, set_model_aside
from lrfer_bench.running.runner import Runner
from lrfer_bench.running.work import failure_of
from lrfer_bench.store.store import Store
from lrfer_bench.training.stopping import best_so_far, last_epoch
from lrfer_bench.tuning import validated
from lrfer_bench.tuning.sampling import ROUND
from lrfer_bench.tuning.study import Study, Trial
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
    runner: Runner,
    prune: bool = False,
    plan: Plan | None = None,
    device: torch.device = CPU,
) -> bool:
    """Give an open trial its score, its end or its failure; False where it has to wait.

    It waits for a training, a model that is damaged and was set aside among them. Where its models
    have to be shown faces (Trial.shown_at), it waits until a plan is given.
    """
    store, stopped = runner.store, runner.stopped
    reasons = [runner.lost[key] for key in trial.keys if key in runner.lost and key not in stopped]
    if reasons:
        trial.fail(reasons[0])
    elif all(has_model(store, key) or key in stopped for key in trial.keys):
        facts = {key: model_facts(store, key) for key in trial.keys if key not in stopped}
        damaged = [key for key, known in facts.items() if not known]
        for key in damaged:  # the next round trains it anew
            set_model_aside(store, key)
        if damaged or (prune and _is_stopped(trial, runner, facts)):
            pass
        elif not trial.shown_at:
            _score(trial, [kept_score(known) for known in facts.values()])
        elif plan is not None:
            _show(trial, plan, store, device)
    return not trial.open


def _is_stopped(trial: Trial, runner: Runner, facts: Mapping[str, Any]) -> bool:
    """Whether its training came below its least; one that has a model by now is no better."""
    (key,) = trial.keys  # what is pruned has one model a trial
    scores = runner.stopped.get(key) or [row["val_score"] for row in facts[key]["history"]]
    trial.stopped = last_epoch(scores, runner.least.get(key, {}))
    trial.history = [_finite(score) for score in scores[: trial.stopped]]
    return trial.stopped is not None


def _finite(score: float | None) -> float | None:
    return score if score is not None and math.isfinite(score) else None


def least_of(study: Study, place: int) -> dict[int, float]:
    """For the training of a trial: epoch -> the best score so far below which it is stopped.

    That is the median of the best scores so far of the trials of earlier rounds at that epoch; one
    that was stopped before counts with the best that it had. A round sees only rounds that are
    done, so that it does not matter which trial of its own ends first. The first third of the
    epochs and the last one stop nothing.
    """
    earlier = study.trials[: place - place % ROUND]
    histories = [best_so_far(trial.history) for trial in earlier if trial.history]
    if not histories:
        return {}
    epochs = range(math.ceil(study.budget / 3), study.budget)
    return {
        epoch: median(best[min(epoch, len(best)) - 1] for best in histories) for epoch in epochs
    }


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
        except (MachineError, DataError):  # no method is to blame: the tuning stops
            raise
        except Exception as error:
            sentence, _ = failure_of(error, TrainJob(training))
            trial.fail(sentence)
            return
    _score(trial, scores)


def _score(trial: Trial, scores: list[float]) -> None:
    mean = sum(scores) / len(scores)
    if math.isfinite(mean):
        trial.score = mean
    else:
        trial.fail("its validation score is NaN or infinite")
