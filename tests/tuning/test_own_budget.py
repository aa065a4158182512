"""A method whose own setting gives its trials another number of epochs than the folder's."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from made_engine import MadeEngine
from tunings import files, tuned, tuned_file

from lrfer_bench.running.engines.base import Event, Failed, Finished
from lrfer_bench.running.models import Model

TEXT = """
from torch import nn
from lrfer_bench.api import LogUniform, Method, register_method

@register_method("mine")
class Mine(Method):
    search = {"weight": LogUniform(0.01, 1.0)}

    def __init__(self, task, *, weight: float = 0.1, epochs: str = "BUDGET"):
        super().__init__(task)
        self.linear = nn.Linear(1, task.classes)
"""


class Flat(MadeEngine):
    """One score in all epochs of a training, and stops where that is too low.

    bounds: the epochs at which each training may be stopped.
    """

    bounds: list[list[int]]

    def wait(self) -> Sequence[Event]:
        job = self.waiting[-1]
        self.bounds = [*getattr(self, "bounds", []), sorted(job.least)]
        (event,) = super().wait()
        assert isinstance(event, Finished) and isinstance(event.result, Model)
        (row,) = event.result.cost.history
        for epoch, least in sorted(job.least.items()):
            if row["val_score"] < least:
                return [Failed(job.key, "low", scores=(row["val_score"],) * epoch)]
        rows = [{**row, "epoch": epoch} for epoch in range(1, row["epoch"] + 1)]
        cost = dataclasses.replace(event.result.cost, history=rows)
        return [Finished(job.key, dataclasses.replace(event.result, cost=cost))]


@pytest.mark.parametrize(("default", "fixed"), [("3x", {}), ("1x", {"mine": {"epochs": "3x"}})])
def test_it_is_pruned_and_told_by_its_own_epochs(
    default: str, fixed: Any, tmp_path: Path, through: Any
) -> None:
    (tmp_path / "mine.py").write_text(TEXT.replace("BUDGET", default))
    engine, results = through(Flat()), tmp_path / "results"
    study = tuned_file(tmp_path / "mine.py", results, epochs="3", prune="median", settings=fixed)
    assert study.budget == 9 and study.about.epochs == 3
    assert engine.bounds[4:] == [[3, 4, 5, 6, 7, 8]] * 4, "a third of its own epochs is done first"
    table = files(results)["trials.md"].decode()
    assert "3 epochs a model (mine 9), seed" in table
    assert "| stopped after epoch 3 of 9 |" in table
    assert "(mine 9)" in files(results)["settings.toml"].decode()


def test_another_spelling_of_the_folders_budget_is_the_folders(
    tmp_path: Path, through: Any
) -> None:
    through(MadeEngine())
    (tmp_path / "mine.py").write_text(TEXT.replace("BUDGET", "1.0x"))
    fixed = {"mine": {"epochs": "1x"}}
    study = tuned_file(tmp_path / "mine.py", tmp_path / "results", trials=1, settings=fixed)
    assert study.budget == study.about.epochs and study.fixed == {}
    tuned(tmp_path / "results", "tunable", trials=1)
    assert "5 epochs a model, seed" in files(tmp_path / "results")["trials.md"].decode()
