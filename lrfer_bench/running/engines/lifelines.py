"""Nobody is left behind: workers end with their parent, and cleaning up is not broken off."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator

import psutil

PR_SET_PDEATHSIG = 1
STOPS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
"""Signals that stop a run as Ctrl-C does."""
WATCH_SECONDS = 0.5


def end_with_parent(end_all: Callable[[], None]) -> None:
    """End this process when the one that started it dies, however it dies.

    end_all ends what runs below this process. On Linux the system sends SIGTERM at once; a thread
    watches as well, for other systems and for a main thread that hears no signals.
    """
    parent = multiprocessing.parent_process()
    if parent is None or parent.pid is None:
        return

    def leave(*_: object) -> None:
        try:
            end_all()
        finally:
            os._exit(1)

    with contextlib.suppress(ValueError):  # not in the main thread of a program of somebody's own
        signal.signal(signal.SIGTERM, leave)
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    watched = threading.Thread(target=_watch, args=(parent.pid, leave), daemon=True)
    watched.start()


def _watch(pid: int, leave: Callable[[], None]) -> None:
    try:
        parent = psutil.Process(pid)
        while parent.is_running() and (os.name != "posix" or os.getppid() == pid):
            time.sleep(WATCH_SECONDS)
    except psutil.NoSuchProcess:
        pass
    leave()


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """A block that a second Ctrl-C, SIGTERM or SIGHUP does not break off."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, *STOPS)}
    for number in before:
        signal.signal(number, signal.SIG_IGN)
    try:
        yield
    finally:
        for number, handler in before.items():
            if handler is not None:
                signal.signal(number, handler)


def stop_like_ctrl_c() -> None:
    """SIGTERM and SIGHUP raise KeyboardInterrupt; one that is ignored (by nohup) stays ignored."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    for number in STOPS:
        with contextlib.suppress(ValueError):  # not in the main thread
            if signal.getsignal(number) == signal.SIG_DFL:
                signal.signal(number, stop)
