"""Training times of records are taken anew, by steps, and nothing else of them changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import made_records
import numpy as np
import pytest
import torch

from lrfer_bench.machine import load
from lrfer_bench.measuring import quantities, trainings
from lrfer_bench.measuring.measure import Outcome, Wish, measure
from lrfer_bench.measuring.stopwatch import Bench, Spread, Times
from lrfer_bench.planning.plan import Training
from lrfer_bench.reporting import timing
from lrfer_bench.reporting.collect import Options, collect
from lrfer_bench.store.schema import Record
from lrfer_bench.store.store import Store

BENCH = Bench(torch.device("cpu"), 1)


@pytest.fixture
def results(sent: Path) -> Path:
    """Four finished cells (linear, and enlarge on a classifier), without a model."""
    return sent


@pytest.fixture
def timed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A quiet machine on which a step of linear takes 1 s, and one of the classifier 2 s."""
    seen: list[str] = []

    def pace(training: Training, *more: Any) -> float:
        seen.append(training.method.name)
        return 1.0 if training.method.name == "linear" else 2.0

    monkeypatch.setattr(trainings, "seconds_per_step", pace)
    monkeypatch.setattr(trainings, "steps_of", lambda training, prepared: 10)
    monkeypatch.setattr(load, "cores_of_others", lambda: 0.0)
    monkeypatch.setattr(load, "is_quiet", lambda cores: True)
    times = Times(Spread(0.002, 0.0015, 0.003), 900.0, True)
    monkeypatch.setattr(quantities, "measured", lambda *given: times)
    return seen


def ask(results: Path, **more: Any) -> list[Outcome]:
    wish = Wish(**{"bench": BENCH, "training": True, **more})
    found = measure(Store(results), wish, lambda text: None)
    return [outcome for outcome in found if outcome.quantity.name == "training"]


def costs(results: Path) -> dict[tuple[str, int], tuple[float, float, list[float]]]:
    return {
        (r.method.name, r.seed): (
            r.cost.train_seconds,
            r.cost.train_seconds_with_stages,
            [stage.train_seconds for stage in r.stages.values()],
        )
        for r in Store(results).scan()
        if isinstance(r, Record) and r.cost
    }


def test_each_training_is_timed_once_and_counted_where_it_is_used(
    results: Path, timed: list[str]
) -> None:
    assert [outcome.verdict for outcome in ask(results)] == ["measured"] * 4
    assert sorted(timed) == ["classifier", "linear"], "seeds are not timed apart"
    assert costs(results) == {
        ("enlarge", 0): (0.0, 20.0, [20.0]), ("enlarge", 1): (0.0, 20.0, [20.0]),
        ("linear", 0): (10.0, 10.0, []), ("linear", 1): (10.0, 10.0, []),
    }  # fmt: skip
    assert [outcome.verdict for outcome in ask(results)] == ["stood"] * 4 and len(timed) == 2
    assert {outcome.verdict for outcome in ask(results, again=True)} == {"measured"}
    other = Bench(torch.device("cpu"), 2)
    assert {outcome.verdict for outcome in ask(results, bench=other)} == {"measured"}


def test_nothing_but_times_of_trainings_changes(results: Path, timed: list[str]) -> None:
    def rest() -> list[Any]:
        found = []
        for path in sorted((results / "records").glob("*.json")):
            record = json.loads(path.read_text())
            del record["content_sha256"]
            for part in (record["cost"] or {}, *record["stages"].values()):
                for name in [name for name in part if name.startswith("train_")]:
                    del part[name]
            told = record["environment"]
            record["environment"] = {k: told[k] for k in told if not k.startswith("training_")}
            found.append(record)
        return found

    before = rest()
    ask(results)
    assert rest() == before, "and the latency stands where the models are gone"


def test_where_the_data_set_is_not_prepared_it_is_said(
    results: Path, timed: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LRFER_CACHE", str(tmp_path / "empty"))
    found = ask(results)
    assert {outcome.verdict for outcome in found} == {"left out"} and not timed
    assert all("lrfer-bench datasets prepare tinyfaces" in outcome.reason for outcome in found)


def test_beside_other_work_they_are_marked_and_taken_again(
    results: Path, timed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "is_quiet", lambda cores: False)
    assert not any(outcome.alone for outcome in ask(results))
    monkeypatch.setattr(load, "is_quiet", lambda cores: True)
    again = ask(results)
    assert {outcome.verdict for outcome in again} == {"measured"}
    assert all(outcome.alone for outcome in again)


def test_real_steps(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = ask(results, methods=["linear"])
    assert {outcome.verdict for outcome in found} == {"measured"}
    assert all(0 < own < 60 and own == whole for own, whole, _ in _of(results, "linear"))


def _of(results: Path, method: str) -> list[tuple[float, float, list[float]]]:
    return [cost for (name, _), cost in costs(results).items() if name == method]


def test_a_table_says_how_they_were_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right, labels = np.arange(60) < 40, np.resize(np.arange(3), 60)
    alone = {"training_device": "Chip", "training_threads": "1", "training_alone": "yes"}
    for name, told in (("a", alone), ("b", alone), ("c", {})):
        monkeypatch.setattr(made_records, "ENVIRONMENT", {"processor": "Chip", **told})
        made_records.save(tmp_path, right, labels, method=name)
        board = collect([tmp_path], Options(resamples=0)).boards[0]
        whole = timing.training_head(board) == "Training (Chip · 1 thread · by a few steps alone)"
        assert whole == (name != "c") == ("measure --training" not in timing.note(board))
