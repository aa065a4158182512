"""measure --untrained: a cell whose model is not here is measured with new weights, or refused."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from lrfer_bench.contract.method import Method
from lrfer_bench.machine import load
from lrfer_bench.measuring import quantities
from lrfer_bench.measuring.measure import Outcome, Wish, measure
from lrfer_bench.measuring.stopwatch import Bench, Spread, Times
from lrfer_bench.plugins.registry import METHODS
from lrfer_bench.store.schema import Record
from lrfer_bench.store.store import Store

BENCH = Bench(torch.device("cpu"), 1)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[Method]:
    """Every network takes 2 ms; those that were measured."""
    seen: list[Method] = []

    def measured(method: Method, lr: Any, bench: Bench) -> Times:
        seen.append(method)
        return Times(Spread(0.002, 0.0015, 0.003), 900.0, True)

    monkeypatch.setattr(quantities, "measured", measured)
    monkeypatch.setattr(load, "cores_of_others", lambda: 0.0)
    return seen


def ask(results: Path, **more: Any) -> list[Outcome]:
    return list(measure(Store(results), Wish(**{"bench": BENCH, **more}), lambda text: None))


def told(results: Path) -> set[str | None]:
    """What finished records say of the weights that were measured."""
    found = [r for r in Store(results).scan() if isinstance(r, Record)]
    return {r.environment.get("latency_weights") for r in found if r.status == "finished"}


def test_without_a_model_a_cell_is_left_out_and_the_option_named(
    sent: Path, clock: list[Method]
) -> None:
    outcomes = ask(sent)
    assert {o.verdict for o in outcomes} == {"left out"} and not clock
    assert all("records travel without them" in o.reason for o in outcomes)
    assert all("--untrained" in o.reason for o in outcomes)


def test_with_new_weights_each_network_is_measured_once_and_the_record_says_so(
    sent: Path, clock: list[Method]
) -> None:
    outcomes = ask(sent, untrained=True)
    assert [o.verdict for o in outcomes] == ["measured", "the same network"] * 2
    assert [type(method).__name__ for method in clock] == ["Enlarge", "Linear"]
    assert not any(method.training for method in clock)
    assert told(sent) == {"new"}
    assert all(o.record.cost and o.record.cost.latency_ms == 2.0 for o in outcomes)


def test_it_is_the_network_of_the_trained_model(
    sent: Path, trained: Path, tmp_path: Path, clock: list[Method]
) -> None:
    whole = Path(shutil.copytree(trained, tmp_path / "whole"))
    theirs, ours = (
        [o.record.environment["latency_network"] for o in ask(each, untrained=True)]
        for each in (whole, sent)
    )
    assert theirs == ours
    assert told(whole) == {None}, "where the models are, they are measured"


def test_a_trained_one_takes_the_place_when_it_is_asked_for_again(
    sent: Path, trained: Path, clock: list[Method]
) -> None:
    ask(sent, untrained=True)
    shutil.copytree(trained / "models", sent / "models")
    assert {o.verdict for o in ask(sent)} == {"stood"} and told(sent) == {"new"}
    ask(sent, again=True)
    assert told(sent) == {None}


def test_where_its_data_set_is_not_prepared_it_is_said(
    sent: Path, clock: list[Method], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LRFER_CACHE", str(tmp_path / "empty"))
    outcomes = ask(sent, untrained=True)
    assert {o.verdict for o in outcomes} == {"left out"} and not clock
    assert all("lrfer-bench datasets prepare tinyfaces" in o.reason for o in outcomes)


@pytest.mark.parametrize("name", ["macs", "parameters"])
def test_a_network_that_grew_in_training_is_refused(
    name: str, sent: Path, clock: list[Method]
) -> None:
    store = Store(sent)
    for record in list(store.scan()):
        if isinstance(record, Record) and record.cost:
            more = {name: getattr(record.cost, name) + 1}
            store.amend(record.model_copy(update={"cost": record.cost.model_copy(update=more)}))
    outcomes = ask(sent, untrained=True)
    assert {o.verdict for o in outcomes} == {"left out"} and not clock
    assert all("its record has others" in o.reason for o in outcomes)


def test_a_network_whose_work_depends_on_values_is_refused(
    sent: Path, clock: list[Method], monkeypatch: pytest.MonkeyPatch
) -> None:
    linear = METHODS.load("linear")
    plain = linear.forward

    def looking(self: Any, lr: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = plain(self, lr)
        return logits if logits.sum().item() < 1e9 else logits * 2

    monkeypatch.setattr(linear, "forward", looking)
    reasons = [o.reason for o in ask(sent, untrained=True, methods=["linear"])]
    assert reasons and all("depend on what it learned" in reason for reason in reasons)
    assert not clock
