"""Tunings go through an engine that trains nothing, and leave no plugin behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import registries
from made_engine import MadeEngine

from lrfer_bench.tuning import tune


@pytest.fixture(autouse=True)
def clean(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    monkeypatch.setenv("LRFER_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
    with registries.kept():
        yield


@pytest.fixture
def through(monkeypatch: pytest.MonkeyPatch) -> Any:
    """through(MadeEngine()): trainings go to this engine from now on."""

    def use(engine: MadeEngine) -> MadeEngine:
        monkeypatch.setattr(tune, "engine_of", lambda *given, **more: engine)
        return engine

    return use
