"""One run at a time works in a results folder; what earlier ones left there is swept."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

import filelock

from lrfer_bench.errors import UserError
from lrfer_bench.files import read_json, sweep, write_atomically
from lrfer_bench.running.joining import is_shared
from lrfer_bench.running.models import has_model
from lrfer_bench.store.store import Store

LOCK, OWNER = ".run.lock", ".run.json"
TRIES, MOMENT_SECONDS = 10, 0.3


@contextmanager
def sole_run(store: Store) -> Iterator[None]:
    """Hold the results folder for one run. UserError that says who holds or shares it already.

    The system lets a lock go when its process dies, however it dies. Where a file system knows no
    locks, nothing is held.
    """
    if is_shared(store):
        raise UserError(
            f"runs with --join share {store.root} now: start this one with --join as well, or give "
            "it a folder of its own with --results"
        )
    lock = filelock.FileLock(store.root / LOCK)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise UserError(
            f"another run works in {store.root} ({_owner(store.root)}): wait until it has ended, "
            "or give this one a folder of its own with --results and merge them afterwards; runs "
            "that all have --join share a folder"
        ) from None
    except (OSError, NotImplementedError):
        yield
        return
    try:
        _tell_owner(store.root)
        yield
    finally:
        with suppress(OSError):
            (store.root / OWNER).unlink(missing_ok=True)
        lock.release()


def check_no_sole_run(store: Store) -> None:
    """UserError where a run without --join holds the folder.

    Equal commands start together: one that only looks at the lock, as here, holds it for a moment.
    """
    for tries_left in reversed(range(TRIES)):
        try:
            with sole_run(store) if not is_shared(store) else nullcontext():
                return
        except UserError:
            if not tries_left:
                raise
            time.sleep(MOMENT_SECONDS)


def sweep_store(store: Store, checkpoints: bool) -> None:
    """Remove what killed runs left: temporary files, and checkpoints of finished trainings.

    checkpoints: false where trainings are made anew although there are models of them.
    """
    folders = [store.root, *store.root.glob("*"), *(store.root / "plugins").glob("*")]
    for folder in folders:
        sweep(folder)
    for path in store.checkpoints.glob("*.ckpt") if checkpoints else ():
        if has_model(store, path.stem):
            with suppress(OSError):
                path.unlink()


def _tell_owner(root: Path) -> None:
    about = {"pid": os.getpid(), "host": platform.node(), "since": time.strftime("%Y-%m-%d %H:%M")}
    with suppress(UserError):  # only the sentence for a second run is lost
        write_atomically(root / OWNER, json.dumps(about).encode())


def _owner(root: Path) -> str:
    try:
        about = read_json(root / OWNER)
        return f"process {about['pid']} on {about['host']}, since {about['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "its process is not known"
