"""Tunings go through an engine that trains nothing, and leave no plugin behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import registries
from made_engine import MadeEngine

from lrfer_bench.running.models import model_facts
from lrfer_bench.tuning import tune, validated


@pytest.fixture(autouse=True)
def clean(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    monkeypatch.setenv("LRFER_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
    with registries.kept():
        yield


@pytest.fixture
def through(monkeypatch: pytest.MonkeyPatch) -> Any:
    """through(MadeEngine()): trainings go to this engine from now on.

    Its models have no weights, so that a model for several scales keeps its training's score.
    """

    def kept(scales: Any, training: Any, plan: Any, store: Any, device: Any) -> float:
        return validated.kept_score(model_facts(store, training.key))

    def use(engine: MadeEngine) -> MadeEngine:
        monkeypatch.setattr(tune, "engine_for", lambda *given, **more: engine)
        monkeypatch.setattr(validated, "score_at", kept)
        return engine

    return use
