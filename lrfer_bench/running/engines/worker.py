"""A worker process: takes jobs from a pipe, one at a time, with one torch thread on a CPU."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from lrfer_bench.running.engines.processes import (
    adopt_orphans,
    end,
    left_behind,
    own_session,
    redirect_output,
)

TELL_EVERY_SECONDS = 0.5
Send = Callable[[Any], None]


def work(pipe: Connection, plugins: Sequence[tuple[str, bytes]], log: str) -> None:
    """Serve jobs until the other end closes. What a job raises is answered, never let through.

    plugins: path and content of each plugin file, as the plan was made with it
    """
    own_session()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    note = redirect_output(Path(log))
    prepare_process()
    from lrfer_bench.plugins.loading import load_plugin

    for file, content in plugins:
        load_plugin(Path(file), content)
    while True:
        try:
            job = pipe.recv()
        except (EOFError, OSError):
            return
        if note:
            _note(pipe, job, note)
            note = ""
        try:
            answer(pipe.send, job)
        except BrokenPipeError:
            os._exit(1)  # the main process is gone: the checkpoint on disk is all that is left


def _note(pipe: Connection, job: Any, text: str) -> None:
    from lrfer_bench.running.engines.base import Noted

    with contextlib.suppress(OSError):  # the main process is gone: the job will find out
        pipe.send(Noted(job.key, text))


def prepare_process() -> None:
    """One torch thread, and what methods start stays below this process."""
    import torch

    from lrfer_bench.running.engines.torch_state import remembered

    adopt_orphans()
    torch.set_num_threads(1)
    with contextlib.suppress(RuntimeError):  # it is set already, or work has begun
        torch.set_num_interop_threads(1)
    remembered()


def answer(send: Send, job: Any) -> None:
    """Do a job; send() gets what it tells and, last, how it ended."""
    from lrfer_bench.errors import DataError, MachineError
    from lrfer_bench.running.engines.base import Event, Failed, Finished
    from lrfer_bench.running.engines.torch_state import put_back
    from lrfer_bench.running.environment import tell_what_computes
    from lrfer_bench.running.work import failure_of, result_of
    from lrfer_bench.training.stopping import Stopped

    put_back()  # what plugin files changed while they were loaded
    crowded = False
    try:
        tell_what_computes(job.device)
        event: Event = Finished(job.key, result_of(job, teller(send, job.key)))
    except BrokenPipeError:
        raise
    except (MachineError, DataError) as error:
        event = Failed(job.key, f"{job.label}: {error}", machine=True)
    except BaseException as error:  # sys.exit in a plugin must not cost the worker
        crowded = _is_crowded(error, job)
        scores = error.scores if isinstance(error, Stopped) else None
        event = Failed(job.key, *failure_of(error, job), died=crowded, scores=scores)
    _end_left_behind(send, job)
    _tell_changes(send, job, put_back())
    if crowded:  # only here, since the error held what was on the GPU
        _leave_gpu(job.device)
    send(event)


def _is_crowded(error: BaseException, job: Any) -> bool:
    """Whether a GPU's memory was full: others that share it may need less at a second try."""
    full = isinstance(error, RuntimeError) and "out of memory" in str(error)
    return full and str(job.device) != "cpu"


def _leave_gpu(device: str) -> None:
    """Give back what torch keeps for itself: other processes share the card."""
    import gc

    import torch

    gc.collect()
    if torch.device(device).type == "cuda":
        with contextlib.suppress(RuntimeError):  # a broken context: the failure is told in any case
            torch.cuda.empty_cache()


def _end_left_behind(send: Send, job: Any) -> None:
    """Processes that a method started and left are ended with its job, and their author is told."""
    left = left_behind()
    if not left:
        return
    from lrfer_bench.running.engines.base import Noted
    from lrfer_bench.running.work import author_place

    end(left)
    some = f"{len(left)} process{'es' if len(left) > 1 else ''}"
    text = (
        f"{job.label}: it left {some} running, ended now: stop them in the code that starts them "
        f"({author_place(job)})"
    )
    send(Noted(job.key, text))


def _tell_changes(send: Send, job: Any, changed: Sequence[str]) -> None:
    """Other methods have the bits that they have without this one; its author is told."""
    if not changed:
        return
    from lrfer_bench.running.engines.base import Noted
    from lrfer_bench.running.work import author_place

    text = (
        f"{job.label}: it changed {', '.join(changed)} of torch for the whole process, put back "
        f"for the jobs after it: change it for a part of the code only ({author_place(job)})"
    )
    send(Noted(job.key, text))


def teller(send: Send, key: str) -> Callable[[Any], None]:
    """Progress at most twice a second, but every finished epoch and every note."""
    from lrfer_bench.running.engines.base import Noted, Progressed
    from lrfer_bench.training.loop import Note

    last = 0.0

    def tell(told: Any) -> None:
        nonlocal last
        now = time.monotonic()
        if isinstance(told, Note):
            send(Noted(key, told.text))
        elif now - last >= TELL_EVERY_SECONDS or told.val_score is not None:
            send(Progressed(key, told))
            last = now

    return tell
