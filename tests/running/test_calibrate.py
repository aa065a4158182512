"""Seconds per step: of steps that follow the warm-up, however few batches an epoch has."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

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
    method.to = lambda device: method
    source = SimpleNamespace(epoch=lambda number: iter(range(batches)))
    monkeypatch.setattr(calibrate, "untrained", lambda training, plan: method)
    monkeypatch.setattr(calibrate, "batch_source", lambda training, prepared, device: source)
    monkeypatch.setattr(calibrate, "time", SimpleNamespace(perf_counter=lambda: sum(clock)))
    nothing: Any = None
    assert calibrate.seconds_per_step(nothing, nothing, nothing) == 3.0
