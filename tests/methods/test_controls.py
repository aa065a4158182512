"""Rows that a reviewer asks for, by settings alone: joint fine-tuning, and single terms."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from made import batch_of, data_ref, made_faces
from small_models import fresh, plan_of

from lrfer_bench.errors import UserError

REF = data_ref(side=24)


def batch() -> Any:
    return batch_of(made_faces(8, side=24), (4,))


def test_joint_fine_tuning_alone_is_a_row_of_srfer() -> None:
    row = "srfer[attention=0,prediction=0]"
    plan = plan_of(["srfer", row], (4,))
    assert [t.method.name for t in plan.trainings.values()] == [
        "superres",
        "classifier",
        "srfer",
        "srfer",
    ]
    assert [cell.method.label for cell in plan.cells.values()] == [
        "srfer",
        "srfer[attention=0.0,prediction=0.0]",
    ]
    method: Any = fresh("srfer", ref=REF, attention=0, prediction=0).train()
    told = method.update(batch(), method.optimizers())
    assert set(told) == {"pixel", "ce"}


@pytest.mark.parametrize("kept", ["pixel", "attention", "prediction", "ce"])
def test_a_term_alone_is_what_it_is_among_others(kept: str) -> None:
    off = {name: 0 for name in ("pixel", "attention", "prediction", "ce") if name != kept}
    whole: Any = fresh("srfer", ref=REF).eval()
    alone: Any = fresh("srfer", ref=REF, **off).eval()
    found, expected = alone.losses(batch()), whole.losses(batch())
    assert set(found) == {kept}
    assert torch.equal(found[kept], expected[kept])


def test_srfer_without_any_term_is_refused() -> None:
    with pytest.raises(UserError, match="no loss"):
        fresh("srfer", ref=REF, pixel=0, attention=0, prediction=0, ce=0)
