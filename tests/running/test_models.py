"""A model on disk is whole, or it is set aside and trained anew."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from small_models import fresh
from torch import nn

from lrfer_bench.contract.method import Task
from lrfer_bench.contract.preset import preset_of
from lrfer_bench.errors import MachineError
from lrfer_bench.files import read_json, read_limited
from lrfer_bench.keys import SEAL
from lrfer_bench.planning.build import build_plan
from lrfer_bench.planning.plan import DataRef, Plan
from lrfer_bench.planning.request import Request
from lrfer_bench.plugins.registry import METHODS, Entry
from lrfer_bench.running import facts, models
from lrfer_bench.running.engines.base import Engine, Event, Failed, Finished, Job
from lrfer_bench.running.facts import write_facts
from lrfer_bench.running.jobs import TrainJob
from lrfer_bench.running.models import (
    Model,
    ModelMissing,
    TrainingCost,
    model_facts,
    read_model,
    save_model,
    set_model_aside,
)
from lrfer_bench.running.runner import Runner
from lrfer_bench.store.store import Store

DATA = DataRef("faces", "f" * 64, "/nowhere", ("a", "b", "c"), 1, (48, 48), False)
HISTORY = [{"epoch": 1, "seconds": 0.5, "losses": {"ce": 1.25}, "val_score": 0.5}]
COST = TrainingCost(1.5, "last", 1, 1, HISTORY, 70.0)
WEIGHTS = safetensors.torch.save({"x": torch.arange(12.0)})


def plan_of(*methods: str) -> Plan:
    return build_plan(Request(list(methods), scales=[4], preset=preset_of("quick@1")), DATA)


@pytest.fixture
def saved(tmp_path: Path) -> tuple[Store, Model]:
    store = Store(tmp_path)
    (training,) = plan_of("direct").trainings.values()
    model = Model(training, WEIGHTS, COST)
    save_model(store, model)
    assert read_model(store, training) == model
    return store, model


def files_of(store: Store, model: Model) -> dict[str, Path]:
    return {end: store.models / f"{model.training.key}.{end}" for end in ("safetensors", "json")}


def test_what_trained_a_model_stands_beside_it_and_older_files_do_not_say(tmp_path: Path) -> None:
    store = Store(tmp_path)
    (training,) = plan_of("direct").trainings.values()
    save_model(store, Model(training, WEIGHTS, replace(COST, arithmetic="feedfeedfeed")))
    assert read_model(store, training).cost.arithmetic == "feedfeedfeed"
    path = store.models / f"{training.key}.json"
    content = json.loads(path.read_text())
    path.unlink()
    write_facts(path, {k: v for k, v in content.items() if k not in ("arithmetic", SEAL)})
    assert read_model(store, training) == Model(training, WEIGHTS, COST)


@pytest.mark.parametrize("ending", ["safetensors", "json"])
def test_a_turned_bit_enters_no_result(ending: str, saved: tuple[Store, Model]) -> None:
    store, model = saved
    path = files_of(store, model)[ending]
    whole, noticed = path.read_bytes(), 0
    for at in range(0, len(whole), max(len(whole) // 100, 1)):
        turned = bytearray(whole)
        turned[at] ^= 1 << at % 7
        path.write_bytes(turned)
        try:
            assert read_model(store, model.training) == model  # the word "content_sha256" itself
        except ModelMissing:
            noticed += 1
    assert noticed >= 95


def test_a_model_of_an_earlier_version_is_taken(saved: tuple[Store, Model]) -> None:
    store, model = saved
    path = files_of(store, model)["json"]
    content = json.loads(path.read_text())
    for name in (SEAL, "image", "settings", "stages", "method"):
        del content[name]
        path.write_text(json.dumps(content))
        assert name == SEAL or read_model(store, model.training) == model


def test_a_score_that_is_not_finite_does_not_damage_its_model(tmp_path: Path) -> None:
    store, (training,) = Store(tmp_path), plan_of("direct").trainings.values()
    history = [{**HISTORY[0], "val_score": float("nan")}]
    save_model(store, Model(training, WEIGHTS, TrainingCost(1.5, "last", 1, 1, history, 70.0)))
    assert read_model(store, training).cost.history[0]["val_score"] is None


def change(**words: Any) -> Callable[[Path], None]:
    """Without its seal, as earlier versions wrote it."""

    def write(path: Path) -> None:
        content = json.loads(path.read_text()) | words
        del content[SEAL]
        path.write_text(json.dumps(content))

    return write


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


SPOILS: tuple[Callable[[Path], Any], ...] = (
    lambda path: path.write_text("[]"), lambda path: path.write_text("{}"),
    lambda path: path.write_text(""), lambda path: path.write_text("null"),
    lambda path: path.write_bytes(path.read_bytes()[:-20]),
    lambda path: path.write_bytes(b"\xff"), Path.unlink, folder, pipe,
)  # fmt: skip
EDITS = (
    change(seconds=-1), change(seconds=float("nan")), change(seconds="x"), change(history=3),
    change(history=[{"epoch": 1}]), change(key="a"), change(sha256=None), change(epochs=10**400),
    change(image=[0, 1, 1]), change(image="big"), change(settings=[]), change(stages={"s": "../x"}),
)  # fmt: skip


class Working(Engine):
    """Trains at once, and fails every test; keeps what it was asked."""

    slots = 2

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.trained: list[str] = []

    def submit(self, job: Job) -> None:
        self.jobs.append(job)

    def wait(self) -> Sequence[Event]:
        events: list[Event] = []
        for job in self.jobs:
            if isinstance(job, TrainJob):
                self.trained.append(job.training.key)
                events.append(Finished(job.key, Model(job.training, WEIGHTS, COST)))
            else:
                events.append(Failed(job.key, "tested"))
        self.jobs.clear()
        return events

    def close(self) -> None:
        self.jobs.clear()


CASES = [(end, spoil) for end in ("safetensors", "json") for spoil in SPOILS]


@pytest.mark.parametrize(("ending", "spoil"), [*CASES, *(("json", edit) for edit in EDITS)])
def test_a_damaged_model_is_set_aside_and_trained_anew(
    ending: str, spoil: Callable[[Path], Any], tmp_path: Path
) -> None:
    plan, store, notes = plan_of("enlarge", "oracle", "direct"), Store(tmp_path), []
    first = next(iter(plan.trainings.values()))  # of the stage that two cells rest on
    save_model(store, Model(first, WEIGHTS, COST))
    spoil(files_of(store, Model(first, WEIGHTS, COST))[ending])
    engine = Working()
    status = Runner(plan, store).run(engine, lambda now: notes.append(now.note))
    assert sorted(engine.trained) == sorted(plan.trainings) and status.failed == 3
    assert status.trained == status.trainings == 2
    assert read_model(store, first).weights == WEIGHTS
    there = files_of(store, Model(first, WEIGHTS, COST))[ending]
    if spoil is not Path.unlink:
        assert there.with_name(f"{there.name}.damaged").exists()
        assert sum("trained anew" in note for note in notes) == 1


def test_a_sound_model_is_used(tmp_path: Path) -> None:
    plan, store, engine = plan_of("direct"), Store(tmp_path), Working()
    (training,) = plan.trainings.values()
    save_model(store, Model(training, WEIGHTS, COST))
    Runner(plan, store).run(engine)
    assert engine.trained == []


def test_trouble_of_the_moment_damages_no_model(
    saved: tuple[Store, Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, model = saved

    def fail(*_: Any, **__: Any) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", fail)
        for call in (lambda: read_model(store, model.training),
                     lambda: model_facts(store, model.training.key),
                     lambda: Runner(plan_of("direct"), store).run(Working())):  # fmt: skip
            with pytest.raises(MachineError, match="try again later"):
                call()
    assert read_model(store, model.training) == model


def test_weights_of_four_axes_lie_channels_last_and_those_of_five_as_they_were() -> None:
    class Dynamic(METHODS.load("direct")):  # type: ignore[misc]
        def __init__(self, task: Task) -> None:
            super().__init__(task)
            self.kernels = nn.Parameter(torch.randn(2, 4, 4, 3, 3))

    entry = Entry("method", "dynamic", "made:Dynamic", "", loaded=Dynamic)
    with METHODS.scope(put=[entry]):
        method = fresh("dynamic")
        four = [p for p in method.parameters() if p.ndim == 4]
        assert four and all(p.is_contiguous(memory_format=torch.channels_last) for p in four)
        assert method.kernels.is_contiguous()
        Dynamic.channels_last = False
        assert all(p.is_contiguous() for p in fresh("dynamic").parameters())


@pytest.mark.parametrize("read", [read_json, read_limited], ids=["json", "weights"])
def test_what_another_user_does_not_let_us_read_is_not_damaged(
    read: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    (training,) = plan_of("direct").trainings.values()
    save_model(store, Model(training, WEIGHTS, COST))

    def forbidden(path: Path, *_: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    home = facts if read is read_json else models
    monkeypatch.setattr(home, read.__name__, forbidden)
    with pytest.raises(MachineError, match=r"may not be read by this user .*chmod -R a\+rX"):
        read_model(store, training)
    assert len(list(store.models.iterdir())) == 2


def test_of_two_runs_that_set_a_model_aside_the_slower_one_goes_on(tmp_path: Path) -> None:
    store = Store(tmp_path)
    (training,) = plan_of("direct").trainings.values()
    save_model(store, Model(training, WEIGHTS, COST))
    assert "was set aside as" in set_model_aside(store, training.key)
    assert "is gone: it is trained anew" in set_model_aside(store, training.key)
