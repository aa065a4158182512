"""What other processes do to this machine meanwhile: a latency taken beside them says little."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass

import psutil

IDLE_CORES, IDLE_SHARE = 0.25, 0.01
"""A quiet system keeps a quarter of a core busy, or one in a hundred of many, and no more."""
IDLE_GPU_PERCENT = 5.0
WINDOW_SECONDS = 1.0
"""The system counts in steps of 10 ms, so it is watched for so long at least."""


@dataclass(frozen=True)
class Moment:
    """A point in time: seconds by the clock, and seconds of cores used by all and by us."""

    clock: float
    all: float
    ours: float

    def cores_of_others(self, later: Moment) -> float:
        """How many cores other processes used on average from this moment to a later one."""
        others = (later.all - self.all) - (later.ours - self.ours)
        return max(0.0, others) / max(later.clock - self.clock, 1e-9)


def now() -> Moment:
    """This moment. Two that are compared lie WINDOW_SECONDS apart, or more."""
    whole, own = psutil.cpu_times(), psutil.Process().cpu_times()
    names = ("user", "nice", "system", "irq", "softirq", "steal")  # user holds guests as well
    used = sum(float(getattr(whole, name, 0.0)) for name in names)
    return Moment(time.monotonic(), used, own.user + own.system)


def cores_of_others() -> float:
    """How many cores other processes use in the next second, while this one sleeps."""
    start = now()
    time.sleep(WINDOW_SECONDS)
    return start.cores_of_others(now())


def is_quiet(cores: float) -> bool:
    """Whether so many cores in use by others are what a system needs for itself."""
    return cores <= max(IDLE_CORES, IDLE_SHARE * (psutil.cpu_count() or 1))


def gpu_percent(uuid: str) -> float | None:
    """How busy a GPU was in the last second, 0..100; None where NVIDIA's driver does not say.

    uuid: as nvidia-smi has it, "GPU-..."; its number would depend on CUDA_VISIBLE_DEVICES.
    """
    command = ["nvidia-smi", "-i", uuid, "--query-gpu=utilization.gpu",
               "--format=csv,noheader,nounits"]  # fmt: skip
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
        return float(said.stdout.strip())
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
