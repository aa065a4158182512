"""What a plan says of itself is told by a tuning, too, before anything is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from made_engine import MadeEngine
from tunings import asked

from lrfer_bench.planning.request import plan_request
from lrfer_bench.plugins.registry import METHODS
from lrfer_bench.tuning.tune import run_tuning


def test_the_notes_of_the_plan_are_told_first(
    tmp_path: Path, through: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = asked(tmp_path, "tunable", trials=1)
    plan_request(request.run)  # loads the plugin
    noted = classmethod(lambda cls, settings, task: ["small faces"])
    monkeypatch.setattr(METHODS.load("tunable"), "notes_for", noted)
    engine, said = through(MadeEngine()), []
    run_tuning(request, tell=lambda line: said.append((len(engine.trained), line)))
    assert said == [(0, "note: tunable: small faces")]
