"""How the kill storm kills: at a random moment, or at the n-th change of a file."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

HOOK = '''
"""Kills one process at its n-th change of a file below a folder (LRFER_KILL=ROLE:N:FOLDER).

A second worker that dies alike would be a failure of its method.
"""
import os, signal, sys
role, number, folder = os.environ["LRFER_KILL"].split(":", 2)
shot = os.path.join(os.path.dirname(__file__), "shot")
mine = "worker" if "--multiprocessing-fork" in sys.orig_argv else "main"
left = int(number)

def hook(event, arguments):
    global left
    if event == "open":
        path, flags = arguments[0], arguments[2]
        if not isinstance(flags, int) or not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            return
    elif event not in ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod"):
        return
    else:
        path = arguments[0]
    try:
        inside = os.fsdecode(path).startswith(folder)
    except TypeError:
        return
    if inside:
        left -= 1
        if left == 0 and not os.path.exists(shot):
            os.mkdir(shot)
            os.kill(os.getpid(), signal.SIGKILL)

if mine == role:
    sys.addaudithook(hook)
'''


@dataclass(frozen=True)
class Kill:
    """One kill: of the "main" process or a "worker", after some seconds or at the n-th change."""

    role: str
    seconds: float | None = None
    number: int | None = None

    @staticmethod
    def drawn(rng: random.Random, role: str, seconds: tuple[float, float], most: int) -> Kill:
        """At a random moment between two, or at one of the first `most` changes of a file."""
        if rng.random() < 0.5:
            return Kill(role, seconds=rng.uniform(*seconds))
        return Kill(role, number=rng.randint(1, most))


@dataclass
class Ended:
    """What became of a command that was shot at."""

    status: int
    said: str
    hit: bool
    orphans: int


def shoot(
    words: list[str], kill: Kill, environment: dict[str, str], folder: Path, where: Path
) -> Ended:
    """Run the program and kill a process of it; orphans: workers alive 5 s after their parent.

    folder: whose changes are counted; where: an existing folder for the hook
    """
    hooks = Path(tempfile.mkdtemp(prefix="hooks-", dir=where))
    extra = {}
    if kill.number is not None:
        (hooks / "sitecustomize.py").write_text(HOOK)
        aim = f"{kill.role}:{kill.number}:{folder}"
        extra = {"LRFER_KILL": aim, "PYTHONPATH": str(hooks)}
    process = subprocess.Popen(
        [sys.executable, "-m", "lrfer_bench", *words],
        env={**environment, **extra},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    seen: dict[int, psutil.Process] = {}
    watching = threading.Thread(target=_watch, args=(process, seen), daemon=True)
    watching.start()
    hit = kill.seconds is not None and _shoot_later(process, kill)
    _, said = process.communicate(timeout=300)
    watching.join(5)
    hit = hit or (hooks / "shot").exists()
    return Ended(process.returncode, said, hit, _orphans(list(seen.values())))


def _watch(process: subprocess.Popen[str], seen: dict[int, psutil.Process]) -> None:
    while process.poll() is None:
        with contextlib.suppress(psutil.Error):
            for child in psutil.Process(process.pid).children(recursive=True):
                seen.setdefault(child.pid, child)
        time.sleep(0.05)


def _shoot_later(process: subprocess.Popen[str], kill: Kill) -> bool:
    deadline = time.monotonic() + (kill.seconds or 0)
    while time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.01)
    if process.poll() is not None:
        return False
    if kill.role == "main":
        process.kill()
        return True
    with contextlib.suppress(psutil.Error):
        for child in psutil.Process(process.pid).children():
            if "--multiprocessing-fork" in child.cmdline():
                os.kill(child.pid, signal.SIGKILL)
                return True
    return False


def _orphans(children: list[psutil.Process]) -> int:
    _, alive = psutil.wait_procs(children, timeout=5)
    alive = [one for one in alive if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
    for one in alive:
        one.kill()
    return len(alive)
