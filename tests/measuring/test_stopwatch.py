"""The median and the quartiles, threads as asked for, and who else was there."""

from __future__ import annotations

import gc

import pytest
import torch
from small_models import fresh

from lrfer_bench.errors import UserError
from lrfer_bench.machine import load
from lrfer_bench.measuring import stopwatch
from lrfer_bench.measuring.stopwatch import Bench, bench_of, measured, spread, undisturbed

CPU = torch.device("cpu")


def test_median_and_quartiles_of_known_times(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def seconds_each(call: object, device: object, warm_up: int, repeats: int) -> list[float]:
        asked.append(repeats)
        return [0.1] if repeats == 1 else [1.0, 2.0, 3.0, 4.0, 100.0]

    monkeypatch.setattr(stopwatch, "seconds_each", seconds_each)
    found = spread(lambda: None, CPU)
    assert (found.low, found.median, found.high) == (2.0, 3.0, 4.0), "one slow call moves little"
    assert asked == [1, 20], "about two seconds of calls"


@pytest.mark.parametrize(("one", "repeats"), [(1e-5, 200), (0.02, 100), (10.0, 20)])
def test_how_often_it_is_called(one: float, repeats: int, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    monkeypatch.setattr(
        stopwatch, "seconds_each", lambda c, d, w, times: seen.append(times) or [one] * times
    )
    spread(lambda: None, CPU)
    assert seen[1] == repeats


def test_threads_and_garbage_collection_come_back() -> None:
    before = torch.get_num_threads()
    with pytest.raises(KeyError), undisturbed(before + 1):
        assert torch.get_num_threads() == before + 1 and not gc.isenabled()
        raise KeyError
    assert torch.get_num_threads() == before and gc.isenabled()


@pytest.mark.parametrize(("others", "alone"), [(0.1, True), (1.5, False)])
def test_a_network_is_measured_alone_or_says_that_it_was_not(
    others: float, alone: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load.Moment, "cores_of_others", lambda start, later: others)
    monkeypatch.setattr(load, "WINDOW_SECONDS", 0.0)
    monkeypatch.setattr(stopwatch, "SECONDS", 0.0)
    lr = torch.zeros(1, 1, 12, 12, dtype=torch.uint8)
    times = measured(fresh("direct").eval(), lr, Bench(CPU, 1))
    assert times.alone is alone
    assert 0 < times.latency.low <= times.latency.median <= times.latency.high
    assert times.throughput > 0.5 / times.latency.high, "64 faces take no longer than 128 single"


@pytest.mark.parametrize(("device", "threads", "word"), [
    ("gpu", 1, "not known"), ("cuda:99", 1, "not there"),
    ("cpu", 0, "--threads"), ("cpu", 10**6, "--threads"),
])  # fmt: skip
def test_what_is_not_here(device: str, threads: int, word: str) -> None:
    with pytest.raises(UserError, match=word):
        bench_of(device, threads)


def test_a_processor_s_threads_are_told_and_a_gpu_has_none() -> None:
    told = bench_of("cpu", 1).told("latency")
    assert told["latency_threads"] == "1" and told["latency_device"]
