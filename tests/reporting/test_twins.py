"""Rows whose stages have other settings are never taken for seeds of one method."""

from __future__ import annotations

import numpy as np
import pytest
from made_records import CLASSES

from lrfer_bench.errors import UserError
from lrfer_bench.reporting.choose import Choice
from lrfer_bench.reporting.collect import Options, collect
from lrfer_bench.reporting.duel import duel
from lrfer_bench.reporting.frame import load
from lrfer_bench.running.facts import write_facts
from lrfer_bench.store.schema import StagePart

LABELS = np.arange(70) % len(CLASSES)
LONGER = ["classifier[epochs=4x]"]


@pytest.fixture
def save(factory, tmp_path):
    def save(key="a", right=50, **fields):
        """A record that rests on the classifier of this key."""
        stages = {"classifier": StagePart(key=key * 64, method="classifier", train_seconds=1.0)}
        factory.save(tmp_path, np.arange(70) < right, LABELS, stages=stages, **fields)
        return tmp_path

    return save


def facts(root, key, settings, method="classifier"):
    (root / "models").mkdir(exist_ok=True)
    content = {"key": key * 64, "method": method, "settings": settings, "stages": {}}
    write_facts(root / "models" / f"{key * 64}.json", content)


def labels(root):
    found = load([root])
    assert found.notes == []
    return sorted(result.method for result in found.results)


def test_a_seed_on_another_classifier_is_a_row_of_its_own(save):
    save(method="kd", stage_settings=[])
    root = save("b", method="kd", seed=1, stage_settings=LONGER)
    assert labels(root) == ["kd", "kd (classifier[epochs=4x])"]
    (board,) = collect([root], Options(resamples=0)).boards
    assert {line.label: line.seeds for line in board.lines} == {
        "kd": [0],
        "kd (classifier[epochs=4x])": [1],
    }


def test_also_where_it_failed(save, factory):
    root = save(method="kd", stage_settings=[])
    factory.save(root, failure="no memory", method="kd", seed=1, stage_settings=LONGER)
    (board,) = collect([root], Options(resamples=0)).boards
    kd = next(line for line in board.lines if line.label == "kd")
    assert not kd.holes


def test_an_older_record_is_told_apart_by_the_models_beside_it(save):
    save(method="kd")
    root = save("b", method="kd", seed=1)
    assert labels(root) == ["kd", "kd"], "no model is there: nothing is known"
    facts(root, "a", {})
    facts(root, "b", {"epochs": "4x"})
    assert labels(root) == ["kd", "kd (classifier[epochs=4x])"]


def test_an_older_record_of_its_own_teacher_stays_bare(save):
    """What the teacher has beside its defaults, the method asked for."""
    save(method="gmenet")
    root = save("b", method="gmenet", seed=1, stage_settings=[])
    facts(root, "a", {"kd_weight": 0.0}, "gmenet")
    assert labels(root) == ["gmenet", "gmenet"]


def test_two_claims_of_one_cell_are_told_apart(save):
    save(method="kd")
    root = save("b", method="kd")
    facts(root, "a", {})
    facts(root, "b", {"arch": "lean"})
    assert labels(root) == ["kd", "kd (classifier[arch=lean])"]
    assert len(collect([root], Options(resamples=100)).boards[0].lines) == 2


def test_what_is_not_told_is_said_where_another_one_claims_the_cell(save):
    save(method="kd")
    root = save("b", method="kd", stage_settings=[])
    assert labels(root) == ["kd", "kd (stages not told)"]


def test_compare_takes_a_bare_name_for_the_only_row_of_it(save):
    save(method="kd", stage_settings=LONGER)
    root = save(method="direct", right=40)
    (one,) = duel([root], "kd", "direct", Choice()).rounds
    assert one.difference.value == pytest.approx(10 / 70)
    save("b", method="kd", stage_settings=["classifier[epochs=2x]"])
    with pytest.raises(UserError, match='method "kd"'):
        duel([root], "kd", "direct", Choice())
