"""Models are read from disk once while they are in use, and never fill the memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from lrfer_bench.contract.preset import preset_of
from lrfer_bench.planning.build import build_plan
from lrfer_bench.planning.plan import DataRef
from lrfer_bench.planning.request import Request
from lrfer_bench.running import shelf as shelves
from lrfer_bench.running.models import Model, ModelMissing, TrainingCost, save_model
from lrfer_bench.running.shelf import Shelf
from lrfer_bench.store.store import Store

DATA = DataRef("faces", "f" * 64, "/nowhere", ("a", "b", "c"), 1, (48, 48), False)
COST = TrainingCost(1.0, "last", 1, 1, [], 1.0)


def test_the_last_used_models_stay_up_to_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = build_plan(Request(["direct"], scales=[2, 3, 4], preset=preset_of("quick")), DATA)
    store, (a, b, c) = Store(tmp_path), plan.trainings
    for key in (a, b):
        save_model(store, Model(plan.trainings[key], key[:1].encode() * 100, COST))
    reads: list[str] = []

    def read(store: Store, training: object) -> Model:
        reads.append(training.key)  # type: ignore[attr-defined]
        return real(store, training)  # type: ignore[arg-type]

    real = shelves.read_model
    monkeypatch.setattr(shelves, "read_model", read)
    shelf = Shelf(plan, store, limit=250)
    for _ in range(3):
        assert [m.training.key for m in shelf.models([a, b]).values()] == [a, b]
    assert reads == [a, b]
    shelf.models([a])
    shelf.put(Model(plan.trainings[c], b"c" * 100, COST))  # b was used longest ago
    assert shelf.models([a, c])[c].weights == b"c" * 100 and reads == [a, b]
    shelf.models([b])
    assert reads == [a, b, b]
    shelf.put(Model(plan.trainings[c], b"C" * 300, COST))  # larger than the shelf: not held
    with pytest.raises(ModelMissing):
        shelf.models([c])
