"""The Ray engine: one actor for each model at a time, wherever the cluster has room.

Bytes travel, so no disk need be shared. Retries and resuming are the runner's and ours, not Ray's:
its own would begin again from nothing.
"""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

# first: it sets what Ray reads when it is imported
from lrfer_bench.running.engines import cluster  # isort: skip
import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from lrfer_bench.errors import UserError
from lrfer_bench.planning.request import check_workers
from lrfer_bench.running.engines import home
from lrfer_bench.running.engines.base import Engine, Event, Failed, Finished, Noted
from lrfer_bench.running.engines.fileserver import FileServer
from lrfer_bench.running.engines.shares import check_shares, checkpoint_seconds
from lrfer_bench.running.engines.slot import Saved, Slot, Unused, data_of
from lrfer_bench.running.engines.travel import differences, pack
from lrfer_bench.running.engines.weights import Weights, Work
from lrfer_bench.running.jobs import Job, TrainJob
from lrfer_bench.running.models import Model

LOOK_SECONDS = 5.0
PATIENCE_SECONDS = 60.0
VERDICT_SECONDS = 60.0
MOVES = 5
"""So many lost nodes may one job survive before it counts as what kills them."""
EARLY_DEATHS = 2
"""So many workers may be dead before they say a word of a job, and it costs the job no try."""


@dataclass
class _Actor:
    handle: Any
    node: str = ""
    work: Work | None = None
    heard: bool = False
    """Whether it has told anything of its work."""


class RayEngine(Engine):
    """workers: models at a time; None for all that the cluster has room for, also when it grows.

    address: "auto" for the cluster of RAY_ADDRESS or of this machine, "local" to start one here,
    or HOST:PORT. cpus, gpus: what one model gets; gpus None is 1 where a node has any, else 0.
    """

    kept_until = "the last checkpoint that came home"

    def __init__(
        self,
        plugins: Sequence[str | Path],
        workers: int | None = None,
        address: str = "auto",
        cpus: float = 1.0,
        gpus: float | None = None,
    ) -> None:
        check_workers(workers)
        cluster.check_version()
        check_shares(cpus, gpus)
        self._seconds = checkpoint_seconds()
        self._plugins, self._workers, self._address = plugins, workers, address
        self._cpus, self._wanted_gpus = cpus, gpus
        self._pending: dict[Any, _Actor] = {}  # by the answer that each is asked for
        self._idle: list[_Actor] = []
        self._busy: dict[Any, _Actor] = {}  # by the stream of its job
        self._asked: dict[Any, tuple[_Actor, float]] = {}  # not heard of; is its node lost?
        self._queue: deque[Work] = deque()
        self._moves: dict[str, int] = {}
        self._early: dict[str, int] = {}
        self._weights = Weights()
        self._left_out: dict[str, str] = {}
        self._notes: list[str] = []
        self._server: Any = None
        self._hardware: Mapping[str, str] | None = None
        self._owned = False

    @property
    def slots(self) -> int:  # type: ignore[override]
        """Workers that have started; one whose fate is unknown keeps its place."""
        return len(self._idle) + len(self._busy) + len(self._asked) + len(self._queue)

    def __enter__(self) -> RayEngine:
        self._owned = not ray.is_initialized()
        try:
            if self._owned:
                cluster.join(self._address, self._workers)
            self._open()
        except BaseException as error:  # nobody calls close() for what was not entered
            self.close()
            if isinstance(error, cluster.GONE):
                raise cluster.gone(error) from error
            raise
        return self

    def _open(self) -> None:
        has = [node["Resources"].get("GPU", 0) for node in cluster.living()]
        self._gpus = self._wanted_gpus if self._wanted_gpus is not None else float(any(has))
        if not cluster.room(self._cpus, self._gpus):
            raise UserError(
                f"no node of the Ray cluster has {self._cpus:g} CPUs and {self._gpus:g} GPUs for a "
                "model: ask for less with --cpus-per-model or --gpus-per-model"
            )
        self._kit = replace(pack(self._plugins, self._seconds), gpu=self._gpus > 0)
        self._kit_ref = ray.put(self._kit)
        models = self._workers or cluster.room(self._cpus, self._gpus)
        self._notes.append(cluster.described(models))
        self._looked, self._waiting_since = 0.0, time.monotonic()
        self._look()

    def submit(self, job: Job) -> None:
        try:
            needed = {key for work in self._works() for key in work.refs}
            self._queue.append(Work(replace(job, models={}), self._weights.refs(job, needed)))
            self._begin()
        except cluster.GONE as error:
            raise cluster.gone(error) from error

    def wait(self) -> Sequence[Event]:
        try:
            events = self._wait()
        except cluster.GONE as error:
            raise cluster.gone(error) from error
        notes, self._notes = self._notes, []
        return [*(Noted("", note) for note in notes), *events]

    def close(self) -> None:
        actors = [*self._pending.values(), *self._idle, *self._busy.values()]
        actors += [actor for actor, _ in self._asked.values()]
        for handle in [*(actor.handle for actor in actors), *([self._server] * bool(self._server))]:
            with contextlib.suppress(Exception):
                ray.kill(handle, no_restart=True)
        for held in (self._pending, self._idle, self._busy, self._asked, self._queue):
            held.clear()  # type: ignore[attr-defined]
        if self._owned:
            ray.shutdown()
            self._owned = False

    def _wait(self) -> list[Event]:
        self._look()
        self._begin()
        watched = [*self._pending, *self._busy, *self._asked]
        ready: list[Any] = []
        if watched:
            ready, rest = ray.wait(watched, num_returns=1, timeout=1.0)
            if ready and rest:
                ready += ray.wait(rest, num_returns=len(rest), timeout=0)[0]
        else:
            time.sleep(1.0)
        events = [event for thing in ready for event in self._heard(thing)]
        now = time.monotonic()
        for ref, (actor, since) in list(self._asked.items()):
            if now - since > VERDICT_SECONDS:
                del self._asked[ref]
                events += self._gone(actor, ray.exceptions.NodeDiedError("it did not answer"))
        self._begin()
        return events

    # Actors come and go

    def _look(self) -> None:
        """Every few seconds: are there nodes without actors? And do we wait for nothing?"""
        now = time.monotonic()
        if now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        wanted = self._workers or cluster.room(self._cpus, self._gpus, self._left_out)
        here = len(self._idle) + len(self._busy) + len(self._asked) + len(self._pending)
        for _ in range(wanted - here):
            self._hire()
        if here > len(self._pending):
            self._waiting_since = now
        elif now - self._waiting_since > PATIENCE_SECONDS:
            self._waiting_since = now
            count = len(self._pending)
            self._notes.append(
                f"no worker has started yet, {count} are asked for: look at `ray status`"
            )

    def _hire(self) -> None:
        options: dict[str, Any] = {"num_cpus": self._cpus, "num_gpus": self._gpus}
        options |= {"max_restarts": 0, "scheduling_strategy": "SPREAD"}
        if self._left_out:
            options["label_selector"] = {"ray.io/node-id": f"!in({','.join(self._left_out)})"}
        actor = _Actor(ray.remote(Slot).options(**options).remote(self._kit_ref))
        self._pending[actor.handle.ready.remote()] = actor

    def _arrived(self, ref: Any) -> None:
        """An actor has started: what its node computes with decides whether it gets work."""
        actor = self._pending.pop(ref)
        try:
            actor.node, found = ray.get(ref)
        except Exception as error:
            nodes = cluster.nodes_named_in(error)
            if not nodes:  # its node went before it came: that is not news
                self._looked = 0.0
            for node in nodes:
                self._leave_out(node, f"no worker starts there: {cluster.last_line(error)}")
            return
        if self._gpus and "gpu" not in found:
            other = cluster.NO_GPU
        else:
            other = differences(self._expected(found), found)
        if other:
            ray.kill(actor.handle, no_restart=True)
            self._leave_out(actor.node, other)
        else:
            self._idle.append(actor)

    def _expected(self, found: Mapping[str, str]) -> Mapping[str, str]:
        """What a node should compute with: as here, and on a GPU as the first node did.

        The main process's machine often has no GPU.
        """
        if "gpu" not in found:
            return {k: v for k, v in self._kit.facts.items() if k not in ("gpu", "precision")}
        hardware = ("gpu", "precision", "arithmetic", "capability")
        self._hardware = self._hardware or {k: v for k, v in found.items() if k in hardware}
        shared = {k: v for k, v in self._kit.facts.items() if k not in hardware}
        own = {k: v for k, v in found.items() if k in ("arithmetic", "capability")}
        return {**shared, **self._hardware, **own}

    def _leave_out(self, node: str, why: str) -> None:
        """Results of two arithmetics or versions never mix in a run."""
        address = cluster.address_of(node)
        if node not in self._left_out:
            self._left_out[node] = why
            self._notes.append(f"node {address} is left out: {why}")
        self._looked = 0.0
        working = self._idle or self._busy or self._asked
        if not working and not cluster.room(self._cpus, self._gpus, self._left_out):
            raise UserError(
                f"no node of the cluster computes as this machine does; {address}: {why}"
            )

    # Jobs

    def _begin(self) -> None:
        while self._queue and self._idle:
            work, actor = self._queue.popleft(), self._idle.pop()
            actor.work, actor.heard, job = work, False, work.job
            saved = home.read(job)
            run = actor.handle.run.options(num_returns="streaming")
            self._busy[run.remote(job, work.refs, saved, self._served(job))] = actor

    def _works(self) -> list[Work]:
        """Jobs that wait or run, or whose fate is not known."""
        actors = [*self._busy.values(), *(actor for actor, _ in self._asked.values())]
        return [*self._queue, *(actor.work for actor in actors if actor.work)]

    def _served(self, job: Job) -> Any:
        """A server of the run's data set, on this machine."""
        if self._server is None:
            node = ray.get_runtime_context().get_node_id()
            options = {"num_cpus": 0, "max_concurrency": 8}
            here = NodeAffinitySchedulingStrategy(node, soft=False)
            server = ray.remote(FileServer).options(**options, scheduling_strategy=here)
            self._server = server.remote(data_of(job).directory)
        return self._server

    def _heard(self, thing: Any) -> list[Event]:
        if thing in self._pending:
            self._arrived(thing)
            return []
        return self._verdict(thing) if thing in self._asked else self._told(thing)

    def _told(self, stream: Any) -> list[Event]:
        """What a running job says next."""
        actor = self._busy[stream]
        assert actor.work is not None
        job = actor.work.job
        try:
            event = ray.get(next(stream))
            actor.heard = True
        except ray.exceptions.ActorUnavailableError:
            del self._busy[stream]
            self._asked[actor.handle.ready.remote()] = (actor, time.monotonic())
            return []
        except Exception as error:  # also the end of a stream that told no result
            del self._busy[stream]
            return self._gone(actor, error)
        if isinstance(event, Saved):
            return list(home.keep(job, event.data))
        if isinstance(event, Unused):
            home.leave_unused(job)
            return []
        if isinstance(event, (Finished, Failed)):
            del self._busy[stream]
            actor.work = None
            self._idle.append(actor)
        if isinstance(event, Finished) and isinstance(event.result, Model):
            assert isinstance(job, TrainJob)  # with the paths of this machine again
            event = Finished(job.key, replace(event.result, training=job.training))
        return [event]

    def _verdict(self, ref: Any) -> list[Event]:
        """Why an actor is not heard of: a dead process is told at once, a dead node after 15 s."""
        actor, since = self._asked.pop(ref)
        error: Exception
        try:
            ray.get(ref)
            error = ray.exceptions.NodeDiedError("the line was cut")  # it lives, its stream is lost
        except ray.exceptions.ActorUnavailableError:
            time.sleep(0.1)
            self._asked[actor.handle.ready.remote()] = (actor, since)
            return []
        except Exception as found:
            error = found
        return self._gone(actor, error)

    def _gone(self, actor: _Actor, error: Exception) -> list[Event]:
        """A lost node costs nobody a try; a dead process is told to the runner."""
        work = actor.work
        assert work is not None
        job = work.job
        with contextlib.suppress(Exception):
            ray.kill(actor.handle, no_restart=True)
        self._looked = 0.0
        if not cluster.is_lost(actor.node, error):
            self._early[job.key] = self._early.get(job.key, 0) + (not actor.heard)
            if not actor.heard and self._early[job.key] <= EARLY_DEATHS:
                self._queue.appendleft(work)  # it was dead before, or died of something else
                return []
            return [Failed(job.key, f"{job.label}: {cluster.cause(error)}", died=True)]
        self._moves[job.key] = self._moves.get(job.key, 0) + 1
        if self._moves[job.key] >= MOVES:
            return [Failed(job.key, f"{job.label}: {MOVES} nodes were lost while they ran it")]
        self._notes.append(
            f"{job.label}: node {cluster.address_of(actor.node)} is lost; the job goes on elsewhere"
        )
        self._queue.appendleft(work)
        return []
