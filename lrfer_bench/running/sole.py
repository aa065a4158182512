"""One run at a time works in a results folder; what earlier ones left there is swept."""

from __future__ import annotations

import json
import os
import platform
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import filelock
import psutil

from lrfer_bench.errors import UserError
from lrfer_bench.files import read_json, sweep, this_machine, write_atomically
from lrfer_bench.running.joining import is_shared, stale_seconds
from lrfer_bench.running.models import has_model
from lrfer_bench.store.store import Store

LOCK, OWNER = ".run.lock", ".run.json"
LOOK_SECONDS = 30.0
SHORT, LONG = 0.05, 0.5
"""Seconds between two looks, drawn: many that start together must not look together."""


@contextmanager
def sole_run(store: Store, may_join: bool = True) -> Iterator[None]:
    """Hold the results folder for one run. UserError that says who holds or shares it already.

    may_join: whether what runs has an option --join that could be advised.

    The system lets a lock go when its process dies, however it dies. Where a file system knows no
    locks, nothing is held.
    """
    if is_shared(store):
        advice = "start this one with --join as well" if may_join else "wait until they have ended"
        raise UserError(
            f"runs with --join share {store.root} now: {advice}, or give it a folder of its own "
            f"with --results; one that was killed counts for {stale_seconds(store):g} seconds"
        )
    lock = _lock(store.root)
    try:
        _acquire(lock, store.root)
    except filelock.Timeout:
        raise _taken(store.root, may_join) from None
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
    lock, deadline = _lock(store.root), time.monotonic() + LOOK_SECONDS
    while not is_shared(store):
        try:
            _acquire(lock, store.root)
        except filelock.Timeout:
            if time.monotonic() > deadline or _holder_lives_here(store.root):
                raise _taken(store.root) from None
        except (OSError, NotImplementedError):
            return  # no locks here: nothing is held
        else:
            lock.release()
            return
        time.sleep(random.uniform(SHORT, LONG))


def _lock(root: Path) -> filelock.BaseFileLock:
    """A lock of the system, that other users see as well; OSError where there are none.

    filelock's other kind, a file that stands for a lock, would outlive a run that was killed.
    """
    try:
        return filelock.FileLock(root / LOCK, mode=0o666, fallback_to_soft=False)
    except TypeError:  # an older filelock, see _acquire()
        return filelock.FileLock(root / LOCK, mode=0o666)


def _acquire(lock: filelock.BaseFileLock, root: Path) -> None:
    """At once, or Timeout where a run holds it, also one whose lock is another user's alone.

    Where there are no locks, OSError or NotImplementedError: filelock turned to its other kind.
    """
    try:
        lock.acquire(timeout=0)
    except PermissionError:
        if _holder_lives_here(root):
            raise filelock.Timeout(lock.lock_file) from None
        raise
    if isinstance(lock, filelock.SoftFileLock):
        lock.release()
        raise NotImplementedError


def _taken(root: Path, may_join: bool = True) -> UserError:
    sharing = " and merge them afterwards; runs that all have --join share a folder"
    return UserError(
        f"another run works in {root} ({_owner(root)}): wait until it has ended, or give this one "
        f"a folder of its own with --results{sharing if may_join else ''}"
    )


def _holder_lives_here(root: Path) -> bool:
    """Whether a run said that it holds the folder, and its process runs on this machine.

    Who only looks at the lock says nothing; a killed run has left what it said.
    """
    try:
        about = read_json(root / OWNER)
        return about["machine"] == this_machine() and psutil.pid_exists(about["pid"])
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return False


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
    about = {
        "pid": os.getpid(), "host": platform.node(), "machine": this_machine(),
        "since": time.strftime("%Y-%m-%d %H:%M"),
    }  # fmt: skip
    with suppress(UserError):  # only the sentence for a second run is lost
        write_atomically(root / OWNER, json.dumps(about).encode())


def _owner(root: Path) -> str:
    try:
        about = read_json(root / OWNER)
        return f"process {about['pid']} on {about['host']}, since {about['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "its process is not known"
