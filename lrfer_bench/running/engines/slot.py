"""What an actor of a Ray cluster runs: one job at a time on some node, its events as a stream."""

from __future__ import annotations

import os
import queue
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lrfer_bench.files import own_folder, sweep
from lrfer_bench.planning.plan import DataRef
from lrfer_bench.running.engines.base import Event, Failed, Progressed
from lrfer_bench.running.engines.travel import Kit, all_facts, local_data, unpack
from lrfer_bench.running.engines.worker import answer, prepare_process
from lrfer_bench.running.jobs import Job, TrainJob
from lrfer_bench.running.models import Model


@dataclass(frozen=True)
class Saved:
    """A running training's checkpoint on its way home; it never reaches the runner."""

    key: str
    data: bytes


@dataclass(frozen=True)
class Unused:
    """The checkpoint that came with a job was set aside here; it never reaches the runner."""

    key: str


Send = Callable[[Any], None]


class Slot:
    """Does the jobs of one run. A job runs in a thread, since the stream has the main one."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        if not kit.gpu:  # Ray leaves those of its node in sight
            os.environ["CUDA_VISIBLE_DEVICES"] = ""

    def ready(self) -> tuple[str, dict[str, str]]:
        """(id of this node, what it computes with), for the engine to compare with its own."""
        import ray

        prepare_process()
        self._places = unpack(self._kit)
        self._kit = replace(self._kit, files=())  # they are on this disk now
        return ray.get_runtime_context().get_node_id(), all_facts()

    def run(
        self, job: Job, models: Mapping[str, Any], checkpoint: bytes | None, server: Any
    ) -> Iterator[Event | Saved | Unused]:
        """Do a job; yields what a local worker sends through its pipe, and checkpoints.

        models: key -> reference of a Model in the object store; server: a FileServer of its data
        """
        events: queue.SimpleQueue[Event | Saved | Unused | None] = queue.SimpleQueue()
        thread = threading.Thread(
            target=self._do, args=(job, models, checkpoint, server, events), daemon=True
        )
        thread.start()
        while (event := events.get()) is not None:
            yield event

    def _do(
        self, job: Job, models: Mapping[str, Any], checkpoint: bytes | None, server: Any, out: Any
    ) -> None:
        import ray

        scratch: Path | None = None
        try:
            scratch = new_scratch()
            path = scratch / f"{job.key}.ckpt"
            if checkpoint is not None:
                path.write_bytes(checkpoint)
            fetched = dict(zip(models, ray.get(list(models.values())), strict=True))
            directory = local_data(data_of(job), server)
            send = with_checkpoints(self._named(out.put), job.key, path, self._kit.checkpoint_every)
            answer(send, at_home(job, directory, fetched, path))
        except BaseException as error:  # not the method's: no disk, no network
            sentence = f"{job.label}: {type(error).__name__}: {error}"
            out.put(Failed(job.key, sentence, machine=True))
        finally:
            if scratch is not None:
                shutil.rmtree(scratch, ignore_errors=True)
            out.put(None)

    def _named(self, send: Send) -> Send:
        """A send() whose failures call plugin files as their author does."""

        def renamed(event: Any) -> None:
            if isinstance(event, Failed):
                sentence, trace = event.sentence, event.traceback
                for place, theirs in self._places.items():
                    sentence, trace = sentence.replace(place, theirs), trace.replace(place, theirs)
                event = replace(event, sentence=sentence, traceback=trace)
            send(event)

        return renamed


def new_scratch() -> Path:
    """A folder for the files of one job; those that killed workers left here are removed."""
    user = getattr(os, "getuid", lambda: "")()
    parent = Path(tempfile.gettempdir()) / f"lrfer-bench-{user}"
    parent.mkdir(mode=0o700, exist_ok=True)
    sweep(parent)
    return own_folder(parent)


def data_of(job: Job) -> DataRef:
    """The data set that a job is about."""
    return job.training.data if isinstance(job, TrainJob) else job.cell.data


def at_home(job: Job, directory: str, models: Mapping[str, Model], checkpoint: Path) -> Job:
    """A job with the paths and the device of the node that it is on."""
    import torch

    device = "cuda:0" if torch.cuda.is_available() else "cpu"
    data = replace(data_of(job), directory=directory)
    if isinstance(job, TrainJob):
        training = replace(job.training, data=data)
        return replace(
            job, training=training, models=models, checkpoint=str(checkpoint), device=device
        )
    return replace(job, cell=replace(job.cell, data=data), models=models, device=device)


def with_checkpoints(send: Send, key: str, path: Path, every: float) -> Send:
    """A send() that also sends a new checkpoint, at most once in so many seconds.

    Before them, once, that the one which came with the job is of no use, where it was set aside.
    """
    sent, stamp, came = time.monotonic(), 0, path.exists()

    def both(event: Any) -> None:
        nonlocal sent, stamp, came
        send(event)
        if not isinstance(event, Progressed):
            return
        if came and not path.exists():
            send(Unused(key))
        came = False
        if time.monotonic() - sent >= every and path.exists():
            now = path.stat().st_mtime_ns
            if now != stamp:
                send(Saved(key, path.read_bytes()))
                sent, stamp = time.monotonic(), now

    return both
