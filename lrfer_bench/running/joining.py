"""Several runs in one results folder: equal commands divide the work, on one machine or on many.

The first comer writes what it computes with into claims/run.json; those who come later must compute
with the same, or results would depend on who made them.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

from lrfer_bench.errors import MachineError, UserError
from lrfer_bench.files import read_json
from lrfer_bench.running.environment import computing
from lrfer_bench.store.claims import STALE_SECONDS, Claims, create
from lrfer_bench.store.store import Store
from lrfer_bench.training.arithmetic import PROCESSORS, TO_BE_ALIKE

STALE_VARIABLE = "LRFER_STALE_SECONDS"
WAIT_SECONDS = 5.0


def is_shared(store: Store) -> bool:
    """Whether runs share this results folder at the moment."""
    agreement = _agreement(store)
    if not agreement.exists():
        return False
    claims = Claims(agreement.parent, stale_seconds(store))
    try:
        return claims.is_taken(agreement.name)
    finally:
        claims.close()


def stale_seconds(store: Store) -> float:
    """After how many seconds without a sign the runs that share a folder take one for dead."""
    return float(_read(_agreement(store)).get("stale", STALE_SECONDS))


def _agreement(store: Store) -> Path:
    return store.root / "claims" / "run.json"


class Campaign:
    """The runs that share a results folder now. began: when the first one came.

    Used as a context manager, which gives all claims back, also on Ctrl-C and SIGTERM.
    """

    def __init__(self, store: Store, device: str | None = None) -> None:
        self.claims = Claims(store.root / "claims")
        self._path = self.claims.folder / "run.json"
        self._own = {**computing(device), "id": uuid.uuid4().hex, "stale": _stale_seconds()}
        try:
            self._agreed = self._enter()
        except UserError:
            self.claims.close()
            raise
        self.began = float(self._agreed["began"])
        self.claims.stale = float(self._agreed["stale"])

    def __enter__(self) -> Campaign:
        return self

    def __exit__(self, *exception: object) -> None:
        """The last one to leave takes the agreement along: others may come with other code then."""
        claims, folder = self.claims, self.claims.folder
        claims.give_all_back()
        others = [path.name for path in folder.glob(self._members + "*")]
        if not any(map(claims.is_taken, others)):
            if _read(self._path).get("id") == self._agreed["id"]:
                self._path.unlink(missing_ok=True)
            for name in [path.name for path in folder.iterdir()]:  # those of runs that were killed
                claims.bury(name)
        claims.close()

    def keep(self) -> None:
        """Keep claims and agreement fresh; call it every few seconds.

        UserError where others have agreed on something else, as after a sleep of this machine.
        """
        if not self.claims.keep():
            return
        standing = _read(self._path)
        if standing.get("id") == self._agreed["id"]:
            with suppress(OSError):
                os.utime(self._path)
        elif standing:
            self._agreed = self._enter()
        else:
            with suppress(MachineError):  # the disk may have room again at the next turn
                create(self._path, json.dumps(self._agreed))

    @contextmanager
    def kept_fresh(self) -> Iterator[None]:
        """Keep all fresh by a thread while this one is busy, and takes or gives back no claim.

        Opening a folder of 100,000 records takes minutes, and others would take us for dead.
        """
        done = threading.Event()

        def keep() -> None:
            while not done.wait(self.claims.stale / 20):
                with suppress(OSError, UserError):  # met again by the thread that works
                    self.keep()

        thread = threading.Thread(target=keep, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    @property
    def _members(self) -> str:
        return _members(self._agreed)

    def _enter(self) -> dict[str, Any]:
        """Agree and be seen as a member, under one and the same agreement.

        The last of the others may leave between the two, and take its agreement along.
        """
        while True:
            agreed = self._agree()
            member = _members(agreed) + uuid.uuid4().hex
            self.claims.take(member)
            if _read(self._path).get("id") == agreed["id"]:
                return agreed
            self.claims.give_back(member)

    def _agree(self) -> dict[str, Any]:
        """The first comer's facts, after a comparison with ours; ours where nobody is here."""
        while True:
            own = {**self._own, "began": self.claims.now()}
            if create(self._path, json.dumps(own)):
                return own
            standing = _read(self._path)
            self.claims.stale = float(standing.get("stale", STALE_SECONDS))
            if standing and self.claims.is_taken(self._path.name):
                _compare(standing, self._own, self._path)
                return standing
            self.claims.bury(self._path.name)


def _members(agreed: dict[str, Any]) -> str:
    """What the claims begin with by which the runs of an agreement are seen."""
    return f".member-{agreed['id']}-"


def _compare(theirs: dict[str, Any], ours: dict[str, Any], path: Path) -> None:
    for name in sorted(set(theirs) | set(ours)):
        if name in ("id", "stale", "began") or theirs.get(name) == ours.get(name):
            continue
        words = {"code": "the code of lrfer-bench"}.get(name, name)
        alike = f" (with {TO_BE_ALIKE} in every shell, newer processors compute as older ones do)"
        raise UserError(
            f"--join: {words} is {ours.get(name, 'missing')} here and "
            f"{theirs.get(name, 'missing')} in the run that began in {path.parent.parent}: runs "
            "that share a folder must compute alike; use the same installation and processor"
            f"{alike if name in PROCESSORS else ''}, or another --results and then "
            "`lrfer-bench merge`; a run that was killed counts for "
            f"{float(theirs.get('stale', STALE_SECONDS)):g} seconds"
        )


def _read(path: Path) -> dict[str, Any]:
    """The agreement; {} when it is gone. It is written in one go, but not at once everywhere."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            content = read_json(path)
            if isinstance(content, dict):
                return content
        except FileNotFoundError:
            return {}
        except (OSError, ValueError):
            pass
        if time.monotonic() > deadline:
            raise UserError(f"{path} cannot be read: delete it when no run uses the folder")
        time.sleep(0.1)


def _stale_seconds() -> float:
    """After how many seconds a silent run counts as dead."""
    word = os.environ.get(STALE_VARIABLE, "")
    try:
        seconds = float(word) if word else STALE_SECONDS
    except ValueError:
        seconds = 0.0
    if not 1 <= seconds < 1e6:
        raise UserError(f"{STALE_VARIABLE}={word} is not a number of seconds of 1 or more")
    return seconds


@contextmanager
def joined(store: Store, device: str | None = None) -> Iterator[Campaign]:
    """Share a results folder with the runs that are there; UserError if they compute otherwise."""
    with terminated_like_interrupted(), Campaign(store, device) as campaign:
        yield campaign


@contextmanager
def terminated_like_interrupted() -> Iterator[None]:
    """SIGTERM, which a cluster sends before it kills, ends a run as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
