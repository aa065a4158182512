"""A worker process: takes jobs from a pipe, one at a time, with one torch thread on a CPU."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

TELL_EVERY_SECONDS = 0.5


def work(pipe: Connection, plugins: Sequence[str], log: str) -> None:
    """Serve jobs until the other end closes. Whatever a job raises is answered, never let through."""
    with contextlib.suppress(OSError):
        os.setsid()  # Ctrl-C is for the main process; and what a plugin starts can be stopped with its worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _redirect_output(Path(log))
    import torch

    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
    from lrfer_bench.registry import load_plugins

    load_plugins(plugins)
    while True:
        try:
            job = pipe.recv()
        except (EOFError, OSError):
            return
        _answer(pipe, job)


def _answer(pipe: Connection, job: Any) -> None:
    from lrfer_bench.engines.base import Failed, Finished
    from lrfer_bench.jobs import TrainJob, failure_of, run_test, run_training

    try:
        result = run_training(job, _teller(pipe, job.key)) if isinstance(job, TrainJob) else run_test(job)
    except BrokenPipeError:
        os._exit(1)  # the main process is gone: the checkpoint on disk is all that is left to do
    except BaseException as error:  # sys.exit in a plugin must not cost the worker
        sentence, trace = failure_of(error, job.label)
        pipe.send(Failed(job.key, sentence, trace))
    else:
        pipe.send(Finished(job.key, result))


def _teller(pipe: Connection, key: str) -> Callable[[Any], None]:
    """Progress at most twice a second, but every finished epoch and every note."""
    from lrfer_bench.engines.base import Progressed

    last = 0.0

    def tell(progress: Any) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= TELL_EVERY_SECONDS or progress.val_score is not None or progress.note:
            pipe.send(Progressed(key, progress))
            last = now

    return tell


def _redirect_output(log: Path) -> None:
    """What a method prints goes to a log: standard output belongs to the program."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.stdout = os.fdopen(1, "w", buffering=1, closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
