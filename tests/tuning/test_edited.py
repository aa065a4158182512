"""A plugin that was edited after its tuning was stopped: only what has ended is gone on from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from made_engine import Killed, MadeEngine
from tunings import tuned_file

from lrfer_bench.errors import UserError
from lrfer_bench.tuning.study import Study

TEXT = """
from torch import nn
from lrfer_bench.api import LogUniform, Method, register_method

@register_method("mine")
class Mine(Method):
    search = {"weight": LogUniform(LOW, HIGH)}

    def __init__(self, task, *, weight: float = FIRST):
        super().__init__(task)
        self.linear = nn.Linear(1, task.classes)

    @classmethod
    def canonical_settings(cls, settings, preset):
        if settings["weight"] > MOST:
            raise ValueError("too heavy\\n(/data/m\\udcfcller)")
        return settings
"""
HEAVY = {"LOW": "100.0", "HIGH": "1000.0", "FIRST": "500.0"}
LIGHT = {"LOW": "0.01", "HIGH": "1.0", "FIRST": "0.1"}


@pytest.fixture
def tuned_mine(tmp_path: Path) -> Callable[..., Study]:
    """tuned_mine(HEAVY): a tuning of four trials by a plugin with these numbers, in one folder."""
    file = tmp_path / "mine.py"

    def tune(numbers: dict[str, str], most: str = "1e9", **more: Any) -> Study:
        text = TEXT.replace("MOST", most)
        for word, number in numbers.items():
            text = text.replace(word, number)
        file.write_text(text)
        return tuned_file(file, tmp_path / "results", trials=4, **more)

    return tune


def test_trials_that_had_not_ended_are_those_of_the_edited_plugin(
    tuned_mine: Any, through: Any, tmp_path: Path
) -> None:
    through(MadeEngine(dies_after=0))
    with pytest.raises(Killed):
        tuned_mine(HEAVY)
    through(MadeEngine())
    study = tuned_mine(LIGHT)
    weights = [trial.settings["weight"] for trial in study.trials]
    assert weights[0] == 0.1 and len(weights) == 4 and max(weights) <= 1.0


def test_so_are_those_that_all_failed_and_are_tried_again(tuned_mine: Any, through: Any) -> None:
    through(MadeEngine(fails=lambda label: True))
    assert tuned_mine(HEAVY).best is None
    through(MadeEngine())
    with pytest.raises(UserError, match="other code"):
        tuned_mine(LIGHT)
    study = tuned_mine(LIGHT, overwrite="failed")
    assert study.best is not None and max(t.settings["weight"] for t in study.trials) <= 1.0


def test_so_are_those_that_the_plugin_refused_before_it_was_edited(
    tuned_mine: Any, through: Any
) -> None:
    through(MadeEngine())
    study = tuned_mine(HEAVY, most="500.0")
    assert any(trial.failure for trial in study.trials)
    assert "\n" not in "".join(trial.failure or "" for trial in study.trials)
    assert tuned_mine(HEAVY, most="500.0") == study, "the same code goes on"


def test_a_trial_that_has_ended_refuses_the_edit(tuned_mine: Any, through: Any) -> None:
    through(MadeEngine(dies_after=1))
    with pytest.raises(Killed):
        tuned_mine(HEAVY)
    with pytest.raises(UserError, match="other code"):
        tuned_mine(LIGHT)
