"""Seconds per step: of steps that follow the warm-up, however few batches an epoch has."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from lrfer_bench.contract.preset import preset_of
from lrfer_bench.planning.build import build_plan
from lrfer_bench.planning.plan import DataRef
from lrfer_bench.planning.request import Request
from lrfer_bench.plugins.registry import METHODS
from lrfer_bench.running import calibrate


@pytest.mark.parametrize("batches", [1, 2, 3, 7])
def test_steps_are_timed_without_the_first_two(
    batches: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a clock that the steps set: the first two take 100 s each, the others 3 s."""
    clock: list[float] = []
    method: Any = SimpleNamespace(
        optimizers=dict,
        train=lambda: None,
        update=lambda batch, optimizers: clock.append(100.0 if len(clock) < 2 else 3.0),
    )
    source = SimpleNamespace(epoch=lambda number: iter(range(batches)))
    monkeypatch.setattr(calibrate, "untrained", lambda *given: method)
    monkeypatch.setattr(calibrate, "batch_source", lambda training, prepared, device: source)
    monkeypatch.setattr(calibrate, "time", SimpleNamespace(perf_counter=lambda: sum(clock)))
    training: Any = SimpleNamespace(preset=preset_of("cpu@2"))
    nothing: Any = None
    assert calibrate.seconds_per_step(training, nothing, nothing) == 3.0


def test_steps_are_those_of_the_preset_s_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []
    method: Any = SimpleNamespace(
        optimizers=dict,
        train=lambda: None,
        update=lambda batch, optimizers: seen.append(torch.is_autocast_enabled("cpu")),
    )
    monkeypatch.setattr(calibrate, "untrained", lambda *given: method)
    source = SimpleNamespace(epoch=lambda number: iter(range(9)))
    monkeypatch.setattr(calibrate, "batch_source", lambda *given: source)
    nothing: Any = None
    for precision, cast in (("bf16", True), ("fp32", False)):
        preset = dataclasses.replace(preset_of("cpu@2"), precision=precision)
        calibrate.seconds_per_step(SimpleNamespace(preset=preset), nothing, nothing)  # type: ignore[arg-type]
        assert set(seen) == {cast} and len(seen) == calibrate.WARM_STEPS + calibrate.STEPS
        seen.clear()


def test_stages_are_where_the_model_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """On "meta", which computes nothing, as on a GPU."""
    seen: list[set[str]] = []

    def source(training: Any, prepared: Any, device: torch.device) -> Any:
        return SimpleNamespace(epoch=lambda number: iter(range(9)))

    def look(self: Any, batch: Any, optimizers: Any) -> dict[str, Any]:
        modules = [self, *self.stages.values()]
        seen.append({p.device.type for module in modules for p in module.parameters()})
        return {}

    data = DataRef("faces", "f" * 64, "/somewhere", ("a", "b", "c"), 1, (48, 48), False)
    plan = build_plan(Request(methods=["kd"], scales=(4,), preset=preset_of("cpu@2")), data)
    training = next(each for each in plan.trainings.values() if each.method.name == "kd")
    monkeypatch.setattr(calibrate, "batch_source", source)
    monkeypatch.setattr(METHODS.load("kd"), "update", look)
    nothing: Any = None
    calibrate.seconds_per_step(training, plan, nothing, torch.device("meta"))
    assert seen[0] == {"meta"}
