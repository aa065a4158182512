"""The validation score of a model that was trained: of its training, or at the scales asked for.

A training looks at the validation split, too, but at its own scales in turn: a model that is
trained at HR and x4 shows half of the faces at HR. Where the cells of a plan are tested at other
scales than that, the model is loaded and shown the whole split at each of theirs. The test split is
not opened.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from lrfer_bench.contract.condition import Condition
from lrfer_bench.planning.plan import Plan, Training
from lrfer_bench.running.models import load_model, read_models
from lrfer_bench.running.work import TRAINED_ON, prepared_data, validation_batches
from lrfer_bench.store.store import Store
from lrfer_bench.training.loop import scores_of


def trainings_of(plan: Plan) -> Plan:
    """The trainings of a plan's cells and what they rest on; no cell."""
    own = [cell.training for cell in plan.cells.values() if cell.training]
    wanted = tuple(dict.fromkeys(own))
    return Plan({key: plan.trainings[key] for key in plan.below(wanted)}, {}, wanted)


def shown_at(plan: Plan, key: str) -> list[int]:
    """The scales at which the model of a training has to be shown the validation split.

    They are those that its cells are tested at; none where the training itself looked at that one
    scale and no other.
    """
    tested = sorted({cell.tested.scale for cell in plan.cells.values() if cell.training == key})
    one_scale = len(tested) == 1 and plan.trainings[key].scales == tuple(tested)
    return [] if one_scale else tested


def kept_score(facts: Mapping[str, Any]) -> float:
    """What its training saw at the epoch whose weights were kept; NaN where the file says none."""
    rows = {row["epoch"]: row["val_score"] for row in facts.get("history", [])}
    score = rows.get(facts.get("epoch"))
    return math.nan if score is None else float(score)


def score_at(
    scales: Sequence[int], training: Training, plan: Plan, store: Store, device: torch.device
) -> float:
    """The mean over the scales of the score on the whole validation split, leaked rows left out."""
    found = scores_at(scales, training, plan, store, device)
    return sum(float(scores.mean()) for scores in found) / len(found)


def scores_at(
    scales: Sequence[int], training: Training, plan: Plan, store: Store, device: torch.device
) -> list[torch.Tensor]:
    """For each scale the score of each validation face, [N]; leaked rows are left out.

    plan: has the training and all that it rests on. ModelMissing where a model cannot be read.
    """
    models = read_models(store, plan, plan.below([training.key]))
    method = load_model(training.key, models, device)
    prepared = prepared_data(training.data.directory, TRAINED_ON)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as in a worker, so that a score does not depend on the machine's
    try:
        found = []
        for scale in scales:
            condition = Condition(training.condition.protocol, (scale,))
            at = dataclasses.replace(training, condition=condition)
            found.append(scores_of(method, validation_batches(prepared, at, device)))
    finally:
        torch.set_num_threads(threads)
    return found
