"""Timing of records is measured anew, and nothing else of them changes."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import registries
import torch
from folders import REFERENCE, TINY

from lrfer_bench.errors import UserError
from lrfer_bench.exporting import export
from lrfer_bench.machine import load
from lrfer_bench.measuring import onnx, opening, quantities
from lrfer_bench.measuring.measure import Outcome, Wish, measure
from lrfer_bench.measuring.stopwatch import Bench, Spread, Times
from lrfer_bench.plugins.loading import load_plugin
from lrfer_bench.reporting.timing import timing_of
from lrfer_bench.running.sole import sole_run
from lrfer_bench.store.edits import newest_edits
from lrfer_bench.store.merge import merge
from lrfer_bench.store.schema import Record
from lrfer_bench.store.store import Store
from results import copy_of

BENCH = Bench(torch.device("cpu"), 1)
TIMES = Times(Spread(0.002, 0.0015, 0.003), 900.0, True)


@pytest.fixture
def results(trained: Path, tmp_path: Path) -> Iterator[Path]:
    """Four finished cells (linear and enlarge, two seeds each) and two failed ones."""
    target = tmp_path / "results"
    shutil.copytree(trained, target)
    with registries.kept():
        load_plugin(TINY)
        yield target


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A quiet machine on which every network takes 2 ms; what was measured on it."""
    seen: list[Any] = []

    def measured(method: Any, lr: Any, bench: Bench) -> Times:
        seen.append((type(method).__name__, tuple(lr.shape), bench))
        return TIMES

    monkeypatch.setattr(quantities, "measured", measured)
    monkeypatch.setattr(load, "cores_of_others", lambda: 0.0)
    return seen


def ask(results: Path, **more: Any) -> list[Outcome]:
    return list(measure(Store(results), Wish(**{"bench": BENCH, **more}), lambda text: None))


def verdicts(outcomes: list[Outcome]) -> list[tuple[str, int, str]]:
    return [(o.record.method.name, o.record.seed, o.verdict) for o in outcomes]


def timeless(path: Path) -> dict[str, Any]:
    """A record without the fields that may change."""
    content = json.loads(path.read_text())
    content.pop("content_sha256")
    if content["cost"]:
        content["cost"] = {k: v for k, v in content["cost"].items()
                           if not k.startswith("latency") and k != "throughput"}  # fmt: skip
    told = content["environment"].items()
    return content | {"environment": {k: v for k, v in told if not k.startswith("latency_")}}


def test_every_finished_cell_and_equal_networks_once(results: Path, clock: list[Any]) -> None:
    assert verdicts(ask(results)) == [
        ("enlarge", 0, "measured"), ("enlarge", 1, "the same network"),
        ("linear", 0, "measured"), ("linear", 1, "the same network"),
    ]  # fmt: skip
    assert [(name, shape) for name, shape, _ in clock] == [
        ("Enlarge", (1, 1, 8, 8)), ("Linear", (1, 1, 8, 8)),
    ]  # fmt: skip
    for record in Store(results).scan():
        assert isinstance(record, Record), "each record is accepted as it is"
        if record.status == "finished":
            assert record.cost is not None and record.cost.latency_ms == 2.0
            assert (record.cost.latency_q1_ms, record.cost.latency_q3_ms) == (1.5, 3.0)
            assert record.cost.throughput == 900.0
            assert timing_of(record).alone and timing_of(record).threads == "1"
            assert timing_of(record).device == BENCH.name


def test_nothing_else_of_a_record_changes(
    results: Path, clock: list[Any], tmp_path: Path, trained: Path
) -> None:
    places = sorted((results / "records").glob("*.json"))
    for place in places:
        os.utime(place, ns=(1_700_000_000_123_456_789,) * 2)
    before = {place: timeless(place) for place in places}
    kept = {file: file.read_bytes() for file in results.rglob("*.npz")}
    ask(results)
    assert {place: timeless(place) for place in places} == before
    assert {file: file.read_bytes() for file in results.rglob("*.npz")} == kept
    dates = {place.stat().st_mtime_ns for place in places}
    assert dates == {1_700_000_000_123_456_789}, "the date says which edit of a file is newest"
    other = tmp_path / "other"
    taken = [outcome.verdict for outcome in merge(other, [copy_of(results, tmp_path / "sent")])]
    assert set(taken) == {"taken"}, "another machine accepts them, too"


def test_a_measured_older_edit_stays_the_older_one(results: Path, clock: list[Any]) -> None:
    store = Store(results)
    linear = [r for r in store.scan() if isinstance(r, Record) and r.method.name == "linear"]
    old, edit = linear[0], "tiny.py sha256:0123456789ab"
    method = linear[1].method.model_copy(update={"source": edit})
    new = linear[1].model_copy(update={"method": method})
    store.save(new)
    os.utime(store.records / f"{old.stem}.json", (1, 1))
    ask(results, methods=["linear"])
    found = newest_edits([(store, old), (store, new)], lambda record: "all")
    assert found == {"all": edit}


def test_what_was_measured_stands_until_it_is_asked_for_again(
    results: Path, clock: list[Any]
) -> None:
    ask(results)
    assert {v for *_, v in verdicts(ask(results))} == {"stood"} and len(clock) == 2
    assert {v for *_, v in verdicts(ask(results, again=True))} == {"measured", "the same network"}
    assert len(clock) == 4
    other = Bench(torch.device("cpu"), 2)
    assert {v for *_, v in verdicts(ask(results, bench=other))} == {"measured", "the same network"}
    assert {b.threads for *_, b in clock[4:]} == {2}


def test_beside_other_work_a_record_says_so_and_is_measured_again(
    results: Path, clock: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(results)
    loaded = Times(TIMES.latency, 100.0, False)
    monkeypatch.setattr(quantities, "measured", lambda *_: loaded)
    monkeypatch.setattr(load, "cores_of_others", lambda: 1.7)
    told: list[str] = []
    outcomes = list(measure(Store(results), Wish(BENCH, again=True), told.append))
    assert "1.7 cores" in told[0] and not any(o.alone for o in outcomes)
    for record in Store(results).scan():
        assert isinstance(record, Record) and "latency_alone" not in record.environment
    monkeypatch.setattr(quantities, "measured", lambda *_: TIMES)
    assert all(outcome.alone for outcome in ask(results)), "not one stood"


def test_what_was_measured_under_another_torch_is_measured_anew(
    results: Path, clock: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(results)
    with monkeypatch.context() as other:
        other.setattr(torch, "__version__", "1.13.0")
        assert "stood" not in {outcome.verdict for outcome in ask(results)}
        assert {outcome.verdict for outcome in ask(results)} == {"stood"}
    assert "stood" not in {outcome.verdict for outcome in ask(results)}


def test_load_is_told_where_something_is_measured_only(
    results: Path, clock: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "cores_of_others", lambda: 5.0)
    for again, told in ((False, 1), (False, 0), (True, 1)):
        lines: list[str] = []
        list(measure(Store(results), Wish(BENCH, again=again), lines.append))
        assert len(lines) == told and all("5.0 cores" in line for line in lines)


def test_a_stop_leaves_whole_records_and_the_next_call_goes_on(
    results: Path, clock: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def stopped(method: Any, lr: Any, bench: Bench) -> Times:
        calls.append(method)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return TIMES

    monkeypatch.setattr(quantities, "measured", stopped)
    with pytest.raises(KeyboardInterrupt):
        ask(results)
    assert all(isinstance(record, Record) for record in Store(results).scan())
    assert not list(results.rglob(".tmp-*"))
    monkeypatch.setattr(quantities, "measured", lambda *_: TIMES)
    assert [v for *_, v in verdicts(ask(results))] == [
        "stood", "stood", "measured", "the same network",
    ]  # fmt: skip


def test_a_network_that_was_measured_by_a_stopped_call_is_not_measured_anew(
    results: Path, clock: list[Any]
) -> None:
    first = next(iter(measure(Store(results), Wish(BENCH), lambda text: None)))
    assert first.verdict == "measured"
    assert verdicts(ask(results))[:2] == [
        ("enlarge", 0, "stood"), ("enlarge", 1, "the same network"),
    ]  # fmt: skip


def test_cells_without_model_logits_or_code_are_left_out(
    results: Path, clock: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(method: Any, lr: Any) -> str:
        if type(method).__name__ == "Linear":
            raise ZeroDivisionError("an author's slip")
        return "network"

    monkeypatch.setattr(opening, "work_of", broken)
    next(results.glob("logits/*enlarge*s1*.npz")).unlink()
    found = {o.record.stem: o for o in ask(results)}
    reasons = [o.reason for o in found.values() if o.verdict == "left out"]
    assert len(reasons) == 3 and sum("ZeroDivisionError" in reason for reason in reasons) == 2
    shutil.rmtree(results / "models")
    assert {o.verdict for o in ask(results, again=True)} == {"left out"}


@pytest.mark.parametrize(("wish", "word"), [
    ({"methods": ["linaer"]}, "did you mean"), ({"scales": [8]}, "--scales"),
])  # fmt: skip
def test_wishes_that_no_cell_fits(
    results: Path, clock: list[Any], wish: dict[str, Any], word: str
) -> None:
    with pytest.raises(UserError, match=word):
        ask(results, **wish)


def test_the_scales_that_are_named_are_those_of_the_methods_asked_for() -> None:
    with pytest.raises(UserError, match=r"no finished cell fits --scales: these records have 1$"):
        ask(REFERENCE, methods=["oracle"], scales=[2])


def test_an_empty_folder_and_one_in_which_a_run_works(results: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no finished cell"):
        ask(tmp_path)
    with sole_run(Store(results)), pytest.raises(UserError, match="another run"):
        ask(results)


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Exported models that take 1 ms in onnxruntime; what was measured of it."""
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    seen: list[Any] = []

    def onnx_times(data: bytes, lr: Any, bench: Bench) -> Times:
        seen.append((len(data), tuple(lr.shape), bench))
        return Times(Spread(0.001, 0.0009, 0.0012), 2000.0, True)

    monkeypatch.setattr(onnx, "onnx_times", onnx_times)
    return seen


def test_exported_models_are_measured_beside_what_stands(
    results: Path, clock: list[Any], runtime: list[Any]
) -> None:
    ask(results)
    before = {place: timeless(place) for place in (results / "records").glob("*.json")}
    found = [(o.quantity.name, o.verdict) for o in ask(results, onnx=True)]
    assert found == [("latency", "stood"), ("onnx", "measured"),
                     ("latency", "stood"), ("onnx", "the same network")] * 2  # fmt: skip
    assert len(clock) == len(runtime) == 2 and all(size > 1000 for size, *_ in runtime)
    for place, content in before.items():
        after = timeless(place)
        mine = [name for name in after["environment"] if name.startswith("onnx_")]
        if after["status"] == "finished":
            assert after["cost"].pop("onnx_latency_ms") == 1.0
            assert sorted(mine) == [
                f"onnx_{part}" for part in ("alone", "device", "network", "runtime", "threads")
            ]
        for name in mine:
            del after["environment"][name]
        assert after == content
    assert {o.verdict for o in ask(results, onnx=True)} == {"stood"}
    ask(results, again=True)
    for record in Store(results).scan():
        assert isinstance(record, Record)
        assert record.cost is None or record.cost.onnx_latency_ms == 1.0, "it stays"


def test_the_runtime_is_known_whatever_its_package_is_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As onnxruntime-gpu, which brings the same module."""
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    assert quantities.InOnnx(BENCH).told()["onnx_runtime"] == runtime.__version__


def test_a_model_that_cannot_be_exported_has_its_latency_in_torch(
    results: Path, clock: list[Any], runtime: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any) -> Any:
        raise UserError("ONNX has no such operation")

    monkeypatch.setattr(export, "exported", refused)
    found = {(o.quantity.name, o.verdict) for o in ask(results, onnx=True)}
    assert found == {("latency", "measured"), ("latency", "the same network"),
                     ("onnx", "left out")}  # fmt: skip


def test_without_onnxruntime_nothing_is_begun(
    results: Path, clock: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UserError, match=r"lrfer-bench\[onnx\]"):
        ask(results, onnx=True)
    assert not clock
