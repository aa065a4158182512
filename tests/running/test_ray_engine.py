"""The Ray engine with made answers in place of a cluster; no Ray is started."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lrfer_bench.contract.preset import preset_of
from lrfer_bench.errors import UserError
from lrfer_bench.planning.build import build_plan
from lrfer_bench.planning.plan import DataRef
from lrfer_bench.planning.request import Request
from lrfer_bench.running.engines.base import Failed, Finished, Noted
from lrfer_bench.running.jobs import TrainJob
from lrfer_bench.running.models import Model, TrainingCost

ray = pytest.importorskip("ray")
from lrfer_bench.running.engines import cluster  # noqa: E402
from lrfer_bench.running.engines.ray import EARLY_DEATHS, RayEngine, _Actor  # noqa: E402
from lrfer_bench.running.engines.slot import Saved  # noqa: E402
from lrfer_bench.running.engines.travel import Kit  # noqa: E402

DATA = DataRef("faces", "f" * 64, "/nowhere", ("a", "b", "c"), 1, (48, 48), False)
CPU_FACTS = {"torch": "2", "arithmetic": "feedfeedfeed"}


def killed(*words: Any, **options: Any) -> None:
    pass


class Handle:
    """An actor that remembers what it is asked to run; each stream is one list of answers."""

    def __init__(self, *streams: list[Any]) -> None:
        self.streams, self.asked = list(streams), []
        self.run = SimpleNamespace(options=lambda **_: SimpleNamespace(remote=self._run))

    def _run(self, *given: Any) -> Iterator[Any]:
        self.asked.append(given)
        return iter(self.streams.pop(0))


def answer(thing: Any) -> Any:
    """As ray.get() does: an error that was stored is raised."""
    if isinstance(thing, Exception):
        raise thing
    return thing


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> RayEngine:
    """An engine in a cluster of the nodes "a" and "b", without workers yet."""
    nodes = [
        {"NodeID": name, "Alive": True, "NodeManagerAddress": f"10.0.0.{number}",
         "Resources": {"CPU": 1.0, "GPU": 1.0}}
        for number, name in enumerate("ab", 1)
    ]  # fmt: skip
    monkeypatch.setattr(ray, "nodes", lambda: nodes)
    monkeypatch.setattr(ray, "get", answer)
    monkeypatch.setattr(ray, "kill", killed)
    monkeypatch.setattr(ray, "put", lambda model: SimpleNamespace(model=model))
    made = RayEngine([])
    made._kit = Kit([], CPU_FACTS, 60.0)
    made._gpus = 0.0
    made._server = "server"
    return made


def job() -> TrainJob:
    plan = build_plan(Request(["fskd"], scales=[2], preset=preset_of("quick")), DATA)
    below, above = list(plan.trainings.values())[:2]
    model = Model(below, b"weights", TrainingCost(1.0, "last", 1, 1, [], 1.0))
    return TrainJob(above, {below.key: model})


def idle(engine: RayEngine, node: str, *streams: list[Any]) -> Handle:
    handle = Handle(*streams)
    engine._idle.append(_Actor(handle, node))
    return handle


def hear(engine: RayEngine) -> list[Any]:
    """The next word of the one job that runs, and what the engine then starts."""
    (stream,) = engine._busy
    events = engine._told(stream)
    engine._begin()
    return events


def arrived(engine: RayEngine, said: Any) -> str:
    """Why the node of a worker that says this is left out."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ray, "get", lambda ref: answer(said))
        engine._pending["ref"] = _Actor(Handle())
        engine._arrived("ref")
    return "; ".join(engine._left_out.values())


DEAD = ray.exceptions.ActorDiedError()


def test_a_job_that_moves_takes_its_weights_along_and_keeps_none_here(engine: RayEngine) -> None:
    todo = job()
    first = idle(engine, "gone", [DEAD])
    engine.submit(todo)
    second = idle(engine, "b", [Finished(todo.key, Model(todo.training, b"", None))])  # type: ignore[arg-type]
    assert hear(engine) == [] and any("is lost" in note for note in engine._notes)
    (given,), (again,) = first.asked, second.asked
    assert given[0].models == again[0].models == {}
    assert given[1] is again[1] and list(given[1]) == list(todo.models)
    assert all(actor.work.job.models == {} for actor in engine._busy.values() if actor.work)
    (event,) = hear(engine)
    assert isinstance(event, Finished) and not engine._works()


def test_a_checkpoint_that_the_disk_refuses_fails_no_training(
    engine: RayEngine, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    todo = replace(job(), checkpoint=str(tmp_path / "file" / "k.ckpt"))
    done = Finished(todo.key, Model(todo.training, b"", None))  # type: ignore[arg-type]
    idle(engine, "a", [Saved(todo.key, b"state"), done])
    engine.submit(todo)
    (note,) = hear(engine)
    assert isinstance(note, Noted) and "goes on without a checkpoint" in note.text
    (event,) = hear(engine)
    assert isinstance(event, Finished)


def test_a_worker_that_was_dead_already_costs_a_job_no_try(engine: RayEngine) -> None:
    todo = job()
    idle(engine, "a", [Noted(todo.key, "it begins"), DEAD])  # the last one is asked first
    for _ in range(EARLY_DEATHS):
        idle(engine, "a", [DEAD])
    engine.submit(todo)
    for _ in range(EARLY_DEATHS):
        assert hear(engine) == [], "nothing was heard of the job"
    assert [type(event) for event in hear(engine)] == [Noted]
    (event,) = hear(engine)
    assert isinstance(event, Failed) and event.died


def test_a_job_that_kills_its_worker_at_once_is_not_tried_for_ever(engine: RayEngine) -> None:
    todo = job()
    for _ in range(EARLY_DEATHS + 1):
        idle(engine, "a", [DEAD])
    engine.submit(todo)
    events = [event for _ in range(EARLY_DEATHS + 1) for event in hear(engine)]
    assert [event.died for event in events] == [True]


def test_a_node_whose_gpu_torch_does_not_see_is_left_out_among_gpu_workers(
    engine: RayEngine,
) -> None:
    assert arrived(engine, ("a", CPU_FACTS)) == "" and len(engine._idle) == 1
    engine._idle.clear()
    engine._gpus = 1.0
    assert "torch sees no GPU there" in arrived(engine, ("a", CPU_FACTS))
    assert not engine._idle


def test_a_node_without_torch_is_left_out_and_none_left_is_a_sentence(engine: RayEngine) -> None:
    def missing(ip: str) -> Exception:
        return RuntimeError(
            f"ray::Slot.ready() (pid=7, ip={ip}, actor_id=1)\n  import torch\n"
            "ModuleNotFoundError: No module named 'torch'"
        )

    assert "No module named 'torch'" in arrived(engine, missing("10.0.0.1"))
    with pytest.raises(UserError, match=r"10\.0\.0\.2: .*No module named 'torch'"):
        arrived(engine, missing("10.0.0.2"))


def test_more_gpus_than_a_node_has_is_a_sentence_and_what_was_joined_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    left: list[bool] = []
    has = {"NodeID": "a", "Alive": True, "Resources": {"CPU": 8.0, "GPU": 2.0}}
    monkeypatch.setattr(ray, "nodes", lambda: [has])
    monkeypatch.setattr(cluster, "join", lambda *_: None)
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "shutdown", lambda: left.append(True))
    with pytest.raises(UserError, match=r"no node .* 4 GPUs"), RayEngine([], gpus=4.0):
        pass
    assert left == [True]


def test_a_cluster_that_goes_while_a_job_is_handed_over_is_a_sentence(
    engine: RayEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(model: Any) -> None:
        raise ray.exceptions.RaySystemError("GCS is not there")

    monkeypatch.setattr(ray, "put", lost)
    with pytest.raises(UserError, match="cluster is gone"):
        engine.submit(job())


@pytest.mark.parametrize("words", [{"cpus": 1.5}, {"gpus": 2.5}])
def test_above_one_ray_gives_whole_ones(words: dict[str, float]) -> None:
    with pytest.raises(UserError, match="whole ones"):
        RayEngine([], **words)
    RayEngine([], cpus=2.0, gpus=0.25)


@pytest.mark.parametrize("word", ["soon", "-1", "nan"])
def test_a_wrong_number_of_checkpoint_seconds_is_told_at_once(
    word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LRFER_CHECKPOINT_SECONDS", word)
    with pytest.raises(UserError, match="LRFER_CHECKPOINT_SECONDS"):
        RayEngine([])


@pytest.mark.parametrize(("version", "old"), [("2.48.1", True), ("2.49.0", False)])
def test_a_ray_that_is_too_old_is_refused(
    version: str, old: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray, "__version__", version)
    if old:
        with pytest.raises(UserError, match=r"needs Ray 2\.49 .* 2\.48\.1"):
            RayEngine([])
    else:
        RayEngine([])
