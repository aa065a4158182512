"""The runner with an engine that fails on purpose: what stands in the store is never made worse."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from lrfer_bench.cli.run import _display
from lrfer_bench.contract.preset import preset_of
from lrfer_bench.errors import MachineError
from lrfer_bench.planning.build import build_plan
from lrfer_bench.planning.plan import DataRef, Plan
from lrfer_bench.planning.request import Request
from lrfer_bench.running.engines.base import Engine, Event, Failed, Job
from lrfer_bench.running.joining import Campaign
from lrfer_bench.running.records import draft, failed_record
from lrfer_bench.running.runner import Overwrite, Runner
from lrfer_bench.running.status import STILL_SECONDS, Status, running_lines
from lrfer_bench.scoring.metrics import score
from lrfer_bench.store.answers import Logits
from lrfer_bench.store.schema import Cost
from lrfer_bench.store.store import Store

DATA = DataRef("faces", "f" * 64, "/nowhere", ("a", "b", "c"), 1, (48, 48), False)


class Failing(Engine):
    """Every job fails; died says whether as if its worker were gone."""

    slots = 2

    def __init__(self, died: bool) -> None:
        self.died = died
        self.jobs: list[Job] = []
        self.seen: list[str] = []

    def submit(self, job: Job) -> None:
        self.jobs.append(job)
        self.seen.append(job.label)

    def wait(self) -> Sequence[Event]:
        events = [Failed(job.key, f"{job.label}: no", died=self.died) for job in self.jobs]
        self.jobs.clear()
        return events

    def close(self) -> None:
        self.jobs.clear()


def test_what_stands_still_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the moment that a job is handed out: a method may hang in its first step."""
    said: list[str] = []

    class Hanging(Failing):
        def wait(self) -> Sequence[Event]:
            if not said:
                later = time.monotonic() + 3 * STILL_SECONDS
                monkeypatch.setattr("lrfer_bench.running.status.time.monotonic", lambda: later)
                said.extend(line for _, _, line in running_lines(runner.status)[0])
                monkeypatch.undo()
            return super().wait()

    plan = build_plan(Request(["direct"], scales=[2], preset=preset_of("quick")), DATA)
    runner = Runner(plan, Store(tmp_path))
    runner.run(Hanging(died=False))
    assert len(said) == 1 and "no step for 6 min" in said[0]
    assert not runner.status.moved


@pytest.mark.parametrize("died", [False, True])
def test_a_failed_stage_fails_every_cell_on_it_and_is_tried_twice_only_when_its_worker_died(
    tmp_path: Path, died: bool
) -> None:
    plan = build_plan(
        Request(["oracle", "enlarge", "direct"], scales=[2, 4], preset=preset_of("quick")), DATA
    )
    engine = Failing(died)
    status = Runner(plan, Store(tmp_path)).run(engine)
    assert (status.finished, status.failed) == (0, 5)
    assert len(engine.seen) == (
        6 if died else 3
    )  # classifier, direct x2, direct x4; cells are never submitted
    sentences = {r.failure.sentence for r in Store(tmp_path).scan() if r.failure}  # type: ignore[union-attr]
    assert len(sentences) == 3


def test_a_run_that_shares_a_folder_tries_again_what_died(tmp_path: Path) -> None:
    """The claim of the first try must not look like another run's."""

    class Patient(Failing):
        turns = 0

        def wait(self) -> Sequence[Event]:
            self.turns += 1
            assert self.turns < 20, "it waits for its own claim"
            return super().wait()

    plan = build_plan(Request(["direct"], scales=[4], preset=preset_of("quick")), DATA)
    store, engine = Store(tmp_path), Patient(died=True)
    with Campaign(store) as campaign:
        status = Runner(plan, store, campaign=campaign).run(engine)
    assert status.failed == 1 and len(engine.seen) == 2
    assert list((tmp_path / "claims").iterdir()) == []


def test_a_failure_never_takes_the_place_of_a_result(tmp_path: Path) -> None:
    plan = build_plan(Request(["direct"], scales=[4], preset=preset_of("quick")), DATA)
    (cell,) = plan.cells.values()
    store = Store(tmp_path)
    answers = Logits(np.eye(3, dtype=np.float32), np.arange(3), np.ones(3, bool))
    cost = Cost(
        parameters=1,
        macs=1,
        latency_ms=1,
        throughput=1,
        train_seconds=1,
        train_seconds_with_stages=1,
        peak_memory_mb=1,
    )
    parts = {
        "status": "finished",
        "cost": cost,
        "metrics": score(answers.logits, answers.labels, answers.clean),
    }
    store.save(draft(cell).model_copy(update=parts), answers)
    status = Runner(plan, store, Overwrite.ALWAYS).run(Failing(died=False))
    assert status.failed == 1
    kept = store.find(cell.key)
    assert kept is not None and kept.status == "finished"


def test_a_failed_record_is_tried_again_when_asked(tmp_path: Path) -> None:
    plan = build_plan(Request(["direct"], scales=[4], preset=preset_of("quick")), DATA)
    (cell,) = plan.cells.values()
    Store(tmp_path).save(failed_record(cell, "once"))
    assert Runner(plan, Store(tmp_path)).plan.cells == {}
    assert list(Runner(plan, Store(tmp_path), Overwrite.FAILED).plan.cells) == [cell.key]


class Counting(Engine):
    """Trains at once and answers nothing else; counts the jobs that run at a time."""

    def __init__(self, slots: Sequence[int]) -> None:
        self._slots = list(slots)
        self.jobs: list[Job] = []
        self.most: list[int] = []

    @property
    def slots(self) -> int:  # type: ignore[override]
        return self._slots[0]

    def submit(self, job: Job) -> None:
        self.jobs.append(job)

    def wait(self) -> Sequence[Event]:
        self.most.append(len(self.jobs))
        self._slots = self._slots[1:] or self._slots
        done = [self.jobs.pop(0)] if self.jobs else []
        return [Failed(job.key, f"{job.label}: no") for job in done]

    def close(self) -> None:
        self.jobs.clear()


def test_slots_may_come_and_go_while_a_plan_runs(tmp_path: Path) -> None:
    plan = build_plan(Request(["direct"], scales=[2, 3, 4, 6, 8], preset=preset_of("quick")), DATA)
    engine = Counting([0, 2, 3, 1])
    runner = Runner(plan, Store(tmp_path))
    status = runner.run(engine)
    assert status.failed == 5 and engine.most[:4] == [0, 2, 3, 2] and status.slots == 1


def test_a_display_has_room_for_some_of_many_jobs() -> None:
    status = Status(500, 500, running={str(n): (f"train {n}", None) for n in range(200)})
    jobs, more = running_lines(status)
    assert len(jobs) == 8 and more == "and 192 more"
    status.running = {"1": ("train 1", None)}
    assert running_lines(status) == ([("train 1", None, "train 1")], "")


def wanted_by(method: str) -> Plan:
    """A plan of trainings alone."""
    plan = build_plan(Request([method], scales=[2, 4], preset=preset_of("quick")), DATA)
    own = [key for key, training in plan.trainings.items() if training.method.name == method]
    return Plan(plan.trainings, {}, tuple(own))


def test_trainings_can_be_asked_for_without_a_cell_and_say_why_they_are_lost(
    tmp_path: Path,
) -> None:
    plan = wanted_by("fskd")
    runner, engine = Runner(plan, Store(tmp_path)), Failing(died=False)
    assert runner.plan.wanted == plan.wanted and runner.status.cells == 0
    runner.run(engine)
    assert len(engine.seen) == 1, "the teacher is tried, and what rests on it is not"
    assert set(plan.wanted) < set(runner.lost) == set(plan.trainings)
    assert len(set(runner.lost.values())) == 1 and "no" in runner.lost[plan.wanted[0]]
    assert not list(tmp_path.rglob("*.json")), "no record is written"


def test_a_wanted_training_with_a_model_needs_no_stage_again(tmp_path: Path) -> None:
    plan, store = wanted_by("fskd"), Store(tmp_path)
    store.models.mkdir()
    for key in plan.wanted:
        for ending in ("safetensors", "json"):
            (store.models / f"{key}.{ending}").touch()
    assert not Runner(plan, store).plan.trainings
    assert Runner(plan, store, Overwrite.ALWAYS).plan.trainings == plan.trainings


def test_the_machines_trouble_stops_the_run_and_fails_no_cell(tmp_path: Path) -> None:
    class Full(Failing):
        def wait(self) -> Sequence[Event]:
            return [Failed(job.key, "cannot write x: disk full", machine=True) for job in self.jobs]

    plan = build_plan(Request(["direct"], scales=[2, 4], preset=preset_of("quick")), DATA)
    with pytest.raises(MachineError, match="disk full; the run stops"):
        Runner(plan, Store(tmp_path)).run(Full(False))
    assert not list(Store(tmp_path).scan())


def test_a_stopped_run_says_up_to_where_its_engine_keeps_trainings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Near(Failing):
        def wait(self) -> Sequence[Event]:
            raise KeyboardInterrupt

    class Far(Near):
        kept_until = "the last checkpoint that came home"

    plan = build_plan(Request(["direct"], scales=[2], preset=preset_of("quick")), DATA)
    for engine, words in ((Far(False), "checkpoint that came home"), (Near(False), "epoch")):
        runner = Runner(plan, Store(tmp_path))
        assert runner.status.kept_until == "their last whole epoch"
        with pytest.raises(SystemExit) as end, _display(runner.status, None):
            runner.run(engine)
        assert end.value.code == 130 and words in capsys.readouterr().err
