"""A session and the records that stand before it."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import registries
from folders import PLUGINS, TINY

from lrfer_bench.calls.runs import _notes
from lrfer_bench.cli.run import _tell_about
from lrfer_bench.errors import UserError
from lrfer_bench.planning.request import Request
from lrfer_bench.planning.settings_file import SettingsFile
from lrfer_bench.plugins.loading import load_plugins
from lrfer_bench.plugins.registry import METHODS
from lrfer_bench.running import forecast, joining
from lrfer_bench.running.joining import Campaign
from lrfer_bench.running.records import draft
from lrfer_bench.running.runner import Runner
from lrfer_bench.running.session import Session, open_session, run_session
from lrfer_bench.scoring.metrics import score
from lrfer_bench.store.answers import Logits
from lrfer_bench.store.schema import Cost, Record
from lrfer_bench.store.store import Store

FREE = Cost(
    parameters=1, macs=1, latency_ms=1, throughput=1, train_seconds=1,
    train_seconds_with_stages=1, peak_memory_mb=1,
)  # fmt: skip


@pytest.fixture(autouse=True)
def clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LRFER_CACHE", str(tmp_path / "cache"))
    with registries.kept():
        yield


def with_old_record(
    method: str, results: Path, trials: int | None = None
) -> tuple[Request, Record, Logits]:
    """A finished record, by default from before trials were counted, and what asks for it."""
    plain = Request(
        [method], "tinyfaces", scales=[2], plugins=[PLUGINS / "tiny.py"], results=results
    )
    (cell,) = open_session(plain).plan.cells.values()
    labels = np.arange(8) % 4
    answers = Logits(np.eye(4, dtype=np.float32)[labels], labels, np.ones(8, bool))
    metrics = score(answers.logits, answers.labels, answers.clean)
    record = draft(cell).model_copy(update={"status": "finished", "metrics": metrics, "cost": FREE})
    method_part = record.method.model_copy(update={"trials": trials})
    record = record.model_copy(update={"method": method_part})
    Store(results).save(record, answers)
    return plain, record, answers


def test_an_old_record_of_a_method_with_nothing_to_tune_learns_that(tmp_path: Path) -> None:
    plain, _, _ = with_old_record("direct", tmp_path)
    assert trials_after(plain, Store(tmp_path)) == 0


def test_a_record_from_before_a_method_could_be_tuned_learns_that(tmp_path: Path) -> None:
    plain, _, _ = with_old_record("kd", tmp_path, trials=0)
    assert trials_after(plain, Store(tmp_path)) is None


def test_a_record_from_before_a_tuning_learns_by_how_many_trials_it_was_chosen(
    tmp_path: Path,
) -> None:
    plain, old, answers = with_old_record("kd", tmp_path)
    store, metrics, labels = Store(tmp_path), old.metrics, answers.labels

    assert trials_after(plain, store) is None
    defaults_won = dataclasses.replace(plain, file=SettingsFile({"kd": {}}, {"kd": 8}))
    assert trials_after(defaults_won, store) == 8
    assert trials_after(plain, store) == 8, "who runs the same settings by hand takes nothing back"
    (record,) = store.scan()
    assert isinstance(record, Record) and record.metrics == metrics
    assert store.read_logits(record).labels.tolist() == labels.tolist()


class Stopped(Exception):
    """Raised before anything is trained."""


def joining_request(tmp_path: Path) -> Request:
    return Request(
        ["linear"], "tinyfaces", scales=[2], plugins=[PLUGINS / "tiny.py"],
        results=tmp_path / "results", join=True,
    )  # fmt: skip


def test_a_run_that_is_refused_leaves_the_shared_folder_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "results")
    with Campaign(store):
        (store.root / "run.toml").write_text("of the first run")
        before = sorted(store.root.rglob("*"))
        real = joining.computing()
        monkeypatch.setattr(joining, "computing", lambda device=None: {**real, "code": "other"})
        with pytest.raises(UserError, match="compute alike"):
            run_session(joining_request(tmp_path))
        assert (store.root / "run.toml").read_text() == "of the first run"
        assert sorted(store.root.rglob("*")) == before


def test_a_run_that_takes_long_to_open_is_not_taken_for_dead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(joining.STALE_VARIABLE, "1")

    def slow(session: Session, runner: Runner) -> None:
        time.sleep(2)
        assert joining.is_shared(session.store)
        raise Stopped

    with pytest.raises(Stopped):
        run_session(joining_request(tmp_path), before=slow)
    assert not list((tmp_path / "results" / "claims").iterdir())


def trials_after(request: Request, store: Store) -> int | None:
    assert len(run_session(request).kept) == 1, "nothing is run"
    (record,) = store.scan()
    assert isinstance(record, Record)
    return record.method.trials


@pytest.mark.parametrize(("engine", "workers", "said"), [
    ("local", 3, 3), ("ray", 3, 3), ("ray", None, None),
])  # fmt: skip
def test_a_forecast_names_no_workers_of_a_cluster_that_nobody_asked(
    engine: str, workers: int | None, said: int | None, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(forecast, "estimate", lambda nodes, *_: {node.key: 60.0 for node in nodes})
    monkeypatch.setattr(forecast, "usable_cores", lambda: 3)
    request = Request(
        methods=["linear"], dataset="tinyfaces", plugins=[PLUGINS / "tiny.py"],
        scales=[2, 4, 8], engine=engine, workers=workers, results=tmp_path,
    )  # fmt: skip
    session = open_session(request)
    found = forecast.forecast(session, calibrate=True)
    assert found.workers == said
    assert found.seconds == (60.0 if said else 180.0), "one after the other, where nobody knows"


@pytest.mark.parametrize(("workers", "seconds"), [(1, 180.0), (2, 120.0), (64, 120.0)])
def test_a_forecast_waits_for_stages_and_counts_no_more_workers_than_cores(
    workers: int, seconds: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """cascade needs two models at once, srfer those two and then its own: 3 trainings, 2 deep."""
    monkeypatch.setattr(forecast, "estimate", lambda nodes, *_: {node.key: 60.0 for node in nodes})
    request = Request(
        methods=["srfer"], dataset="tinyfaces", plugins=[TINY], scales=[2], workers=workers,
        results=tmp_path,
    )  # fmt: skip
    session = open_session(request)
    monkeypatch.setattr(forecast, "usable_cores", lambda: 64)
    assert forecast.forecast(session, calibrate=True).seconds == seconds
    monkeypatch.setattr(forecast, "usable_cores", lambda: 1)
    assert forecast.forecast(session, calibrate=True).seconds == 180.0


@pytest.mark.parametrize(("gpus", "workers", "seconds"), [(1, 12, 180.0), (2, 12, 90.0)])
def test_a_forecast_for_gpus_is_measured_there_and_models_share_their_time(
    gpus: int, workers: int, seconds: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def told(nodes: Any, plan: Any, prepared: Any, tell: Any, device: Any) -> dict[str, float]:
        asked.append(str(device))
        return {node.key: 60.0 for node in nodes}

    monkeypatch.setattr(forecast, "estimate", told)
    monkeypatch.setattr(forecast, "devices_of", lambda word: [f"cuda:{n}" for n in range(gpus)])
    request = Request(
        methods=["linear"], dataset="tinyfaces", plugins=[PLUGINS / "tiny.py"], scales=[2, 4, 8],
        workers=workers, results=tmp_path,
    )  # fmt: skip
    found = forecast.forecast(open_session(request), calibrate=True)
    assert (found.device, found.workers, found.seconds) == ("cuda:0", workers, seconds)
    assert asked == ["cuda:0"]


def test_names_that_do_not_fit_into_the_name_of_a_file_are_told_before_anything_is_run(
    tmp_path: Path,
) -> None:
    entry = METHODS.entry("enlarge")
    for length, fits in ((160, True), (190, False)):
        named = dataclasses.replace(entry, name=length * "n")
        with METHODS.scope(put=[named]):
            request = Request(
                methods=[named.name], dataset="tinyfaces", plugins=[PLUGINS / "tiny.py"],
                scales=[2], results=tmp_path,
            )  # fmt: skip
            if fits:
                (cell,) = open_session(request).plan.cells.values()
                assert len(draft(cell).stem) < 240
                continue
            with pytest.raises(UserError, match=r"too long together .* use 190 characters"):
                open_session(request)


def test_a_run_names_the_plugin_files_of_an_earlier_call_and_of_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else `run --config run.toml` would not know the method in another shell."""

    def files(method: str, dataset: str = "tinyfaces", *plugins: Path) -> tuple[Path, ...]:
        asked = Request([method], dataset, scales=[2], plugins=plugins, results=tmp_path)
        return tuple(open_session(asked).request.plugins)

    monkeypatch.chdir(TINY.parent)
    with registries.pristine():
        load_plugins([TINY])
        assert files("linear") == (TINY,)
        assert files("direct", "synthface") == ()
        assert files("linear", "tinyfaces", Path(TINY.name)) == (Path(TINY.name),), "once, as given"
    monkeypatch.setenv("LRFER_PLUGINS", str(TINY))
    with registries.pristine():
        assert files("linear") == (TINY,)


def test_python_is_told_what_the_terminal_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request, _, _ = with_old_record("direct", tmp_path)
    (path,) = (tmp_path / "records").glob("*.json")
    path.write_text(path.read_text()[:-9])
    session = open_session(request)
    runner = Runner(session.plan, session.store)
    said: list[str] = []
    _notes(said.append)(session, runner)
    assert said[0].startswith("tinyfaces") and "pixels" in said[0]
    assert f"{path} is not counted: " in said[-1]
    _tell_about(session, runner)
    shown = capsys.readouterr()
    assert said == [*shown.out.splitlines(), *shown.err.splitlines()]
