"""What a notebook shows of our objects fits a line, however much is in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import registries
from folders import TINY

import lrfer_bench
from lrfer_bench.contract.faceset import FaceSet, Split
from lrfer_bench.contract.preset import preset_of
from lrfer_bench.planning.build import build_plan
from lrfer_bench.planning.plan import DataRef
from lrfer_bench.planning.request import Request
from lrfer_bench.running.models import Model, TrainingCost


def faces() -> FaceSet:
    split = Split(np.zeros((1000, 1, 48, 40), np.uint8), np.zeros(1000, np.int64))
    return FaceSet("mine", ("a", "b"), {"train": split, "val": split, "test": split})


def test_data_and_plans_are_one_line() -> None:
    data = DataRef("faces", "f" * 64, "/somewhere", ("a", "b", "c"), 1, (48, 48), False)
    request = Request(methods=["cascade"], scales=(2, 4), preset=preset_of("cpu"))
    plan = build_plan(request, data)
    training, cell = next(iter(plan.trainings.values())), next(iter(plan.cells.values()))
    model = Model(training, b"x" * 3_000_000, TrainingCost(1, "last", 1, 1, [], 1))
    said = [repr(one) for one in (faces(), faces().train, plan, training, cell, model)]
    assert said[0] == ("<FaceSet mine: 1000 train, 1000 val, 1000 test, 40x48 grey, 2 classes>")
    assert "1000 faces of 40x48 grey" in said[1] and "3 trainings, 2 cells" in said[2]
    assert "superres, bicubic@1 x2" in said[3] and training.key[:12] in said[3]
    assert "cascade, bicubic@1 x2" in said[4] and "3.0 MB" in said[5]
    assert all(len(one) <= 100 and "\n" not in one for one in said)


def test_a_faceset_that_breaks_the_rules_can_be_shown_too() -> None:
    wrong = Split(np.zeros((3, 48), np.uint8), np.zeros(3, np.int64))
    assert "48" in repr(wrong) and "no size" in repr(FaceSet("empty", (), {}))


def test_a_predictor_says_what_it_is_asked(trained: Path) -> None:
    with registries.kept():
        found = lrfer_bench.load_model("linear", trained, scale=2, plugins=TINY, tell=None)
    assert repr(found).startswith("<Predictor linear, ") and "x2: grey faces of 8x8" in repr(found)
    assert len(repr(found)) <= 120
