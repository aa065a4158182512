"""Cores and memory that this process may use: of the machine, or of its container's quota."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil

CGROUPS = Path("/sys/fs/cgroup")
MINE = Path("/proc/self/cgroup")


def usable_cores() -> int:
    """The number of cores that this process may use, 1 or more.

    The smaller of its affinity and of its cgroup's quota (docker --cpus=2), rounded down.
    """
    if hasattr(psutil.Process, "cpu_affinity"):  # not on macOS
        cores = len(psutil.Process().cpu_affinity())
    else:
        cores = psutil.cpu_count() or 1
    return max(1, min([cores, *(int(quota) for quota in _core_quotas())]))


def memory() -> int:
    """Bytes of memory that this process may use: of the machine, or the least limit of a cgroup."""
    return min([psutil.virtual_memory().total, *_memory_limits()])


def _core_quotas() -> Iterator[float]:
    for folder in _folders("cpu"):
        both = _numbers(folder / "cpu.max")  # version 2: "50000 100000", or "max 100000"
        if not both:
            both = _numbers(folder / "cpu.cfs_quota_us") + _numbers(folder / "cpu.cfs_period_us")
        if len(both) == 2 and both[0] > 0 and both[1] > 0:  # version 1 says -1 for "no limit"
            yield both[0] / both[1]


def _memory_limits() -> Iterator[int]:
    for folder in _folders("memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):
            yield from (limit for limit in _numbers(folder / name) if limit > 0)


def _folders(controller: str) -> Iterator[Path]:
    """The folders of this process's cgroup and of those above it, for both versions of cgroups.

    In a container the path of /proc may be the host's: then only the top is there.
    """
    try:
        lines = MINE.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        _, names, path = [*line.split(":", 2), "", ""][:3]
        if names and controller not in names.split(","):
            continue
        for top in (CGROUPS / names, CGROUPS / controller) if names else (CGROUPS,):
            inside = top / path.lstrip("/")
            yield inside
            yield from (above for above in inside.parents if above.is_relative_to(top))


def _numbers(path: Path) -> list[int]:
    """The integers of a file such as cpu.max; none where it says "max" or is not there."""
    try:
        words = path.read_text(encoding="ascii", errors="replace").split()
    except OSError:
        return []
    return [int(word) for word in words if word.lstrip("-").isdigit()]
