"""Who makes what, where several runs share a results folder: a file for each claim.

A claim is kept fresh while its run lives, and taken over when it was not for a while. Claims only
save work: two runs that make the same thing by mistake make the same bits and write them
atomically. The file system must create a file that has to be new atomically: local disks, NFS from
version 3 on, Lustre and GPFS do.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
import uuid
from pathlib import Path

from lrfer_bench.errors import MachineError
from lrfer_bench.files import unwritable

STALE_SECONDS = 300.0
"""NFS may show a change of a file 60 seconds late, so this is several times as much."""


class Claims:
    """The claims of one run in a folder that other runs use, too.

    stale: seconds after which a claim that nobody kept fresh belongs to nobody
    """

    def __init__(self, folder: Path, stale: float = STALE_SECONDS) -> None:
        self.folder, self.stale = folder, stale
        self.owner = f"{socket.gethostname()} {os.getpid()} {uuid.uuid4().hex}"
        self._mine: set[str] = set()
        self._kept = time.monotonic()
        folder.mkdir(parents=True, exist_ok=True)
        self._clock = folder / f".clock-{self.owner.replace(' ', '-')}"

    def now(self) -> float:
        """The time by the clock that dates the files: machines disagree about theirs."""
        try:
            self._clock.touch()
            return self._clock.stat().st_mtime
        except OSError as error:
            raise unwritable(self._clock, error) from error

    def take(self, name: str) -> bool:
        """True if it is ours to make, False if another run is at it."""
        self.bury(name)
        if not create(self.folder / name, self.owner):
            return False
        self._mine.add(name)
        return True

    def is_taken(self, name: str) -> bool:
        """Whether a living run has it."""
        return (self.folder / name).exists() and not self.is_stale(name)

    def give_back(self, name: str) -> None:
        """It is done, or others may have it. A claim that was taken over is left alone."""
        self._mine.discard(name)
        if self._is_mine(name):
            (self.folder / name).unlink(missing_ok=True)

    def keep(self) -> bool:
        """Keep our claims fresh where it is time to; call it every few seconds. True if it was."""
        if time.monotonic() - self._kept < self.stale / 5:
            return False
        self._kept = time.monotonic()
        for name in self._mine:
            if self._is_mine(name):
                with contextlib.suppress(OSError):
                    os.utime(self.folder / name)
        return True

    def give_all_back(self) -> None:
        """What this run had claimed, others may have."""
        for name in list(self._mine):
            self.give_back(name)

    def close(self) -> None:
        """Give all back, and leave no file behind."""
        self.give_all_back()
        self._clock.unlink(missing_ok=True)

    def _is_mine(self, name: str) -> bool:
        try:
            return (self.folder / name).read_text() == self.owner
        except OSError:
            return False

    def is_stale(self, name: str) -> bool:
        """Whether its run has not been heard of for too long. False if there is no such claim."""
        try:
            return self.now() - (self.folder / name).stat().st_mtime > self.stale
        except (OSError, MachineError):
            return False

    def bury(self, name: str) -> None:
        """Remove a stale claim. Of several runs that see it one does, under a guard."""
        if not self.is_stale(name):
            return
        guard = f".taking-{name}"
        if not create(self.folder / guard, self.owner):
            if self.is_stale(guard):  # its run died in these few lines
                (self.folder / guard).unlink(missing_ok=True)
            return
        try:
            # Another run may have taken it over since we looked: then it is fresh.
            if self.is_stale(name):
                (self.folder / name).unlink(missing_ok=True)
        finally:
            (self.folder / guard).unlink(missing_ok=True)


def create(path: Path, content: str) -> bool:
    """Write a file that must not exist yet; False if it does. UserError for a full disk."""
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    except FileExistsError:
        return False
    except OSError as error:
        raise unwritable(path, error) from error
    try:
        with os.fdopen(handle, "w") as file:
            file.write(content)
    except OSError as error:  # an empty claim of nobody would stop all others for a while
        path.unlink(missing_ok=True)
        raise unwritable(path, error) from error
    return True
