"""What a recorded cell is called in lines for people."""

from __future__ import annotations

from typing import Any

import made_records
import numpy as np
import pytest

from lrfer_bench.store.names import cell_name, elsewhere, trained_on
from lrfer_bench.store.schema import Record, StagePart

STAGES = {"classifier": StagePart(key="c" * 64, method="classifier", train_seconds=1.0)}


def record(**fields: Any) -> Record:
    logits = made_records.make_logits(np.ones(9, bool), np.arange(9) % 3, 3)
    return made_records.make_record(logits, classes="abc", scale=4, **fields)


@pytest.mark.parametrize(
    ("fields", "trained", "said"),
    [
        ({}, "bicubic@1 x4", "direct, bicubic@1 x4, seed 0"),
        ({"settings": {"w": 0.0}}, "bicubic@1 x4", "direct[w=0.0], bicubic@1 x4, seed 0"),
        (
            {"protocol": "camera@1", "train_scales": [2, 8], "test_protocol": "bicubic@1"},
            "camera@1 x2,8",
            "direct, bicubic@1 x4, seed 0 (trained on camera@1 x2,8)",
        ),
        ({"method": "enlarge", "train_scales": [], "stages": STAGES}, "HR",
         "enlarge, bicubic@1 x4, seed 0"),
        ({"method": "mine", "train_scales": [], "existing": True}, "nothing",
         "mine, bicubic@1 x4, seed 0"),
        ({"protocol": "hr", "train_scales": [1]}, "HR", "direct, bicubic@1 x4, seed 0"),
    ],
)  # fmt: skip
def test_names(fields: dict[str, Any], trained: str, said: str) -> None:
    if fields.get("protocol") == "hr":
        fields = fields | {"test_protocol": "bicubic@1"}
    found = record(**fields)
    assert (trained_on(found), cell_name(found)) == (trained, said)
    assert ("(" in said) == bool(elsewhere(found))
