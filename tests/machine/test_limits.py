"""Cores and memory: a container's quota counts, not the machine it stands on."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from lrfer_bench.machine import limits


@pytest.fixture
def cgroups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty /sys/fs/cgroup on a machine of 64 cores and 256 GB."""
    monkeypatch.setattr(limits, "CGROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(limits, "MINE", tmp_path / "mine")
    monkeypatch.setattr(psutil.Process, "cpu_affinity", lambda self: list(range(64)), raising=False)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("Memory", (), {"total": 256 << 30}))
    return tmp_path


def write(folder: Path, mine: str, **files: str) -> None:
    """files: "cgroup__box__cpu.max" is the file cgroup/box/cpu.max."""
    (folder / "mine").write_text(mine)
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_without_a_quota_the_affinity_counts(cgroups: Path) -> None:
    assert limits.usable_cores() == 64 and limits.memory() == 256 << 30
    write(cgroups, "0::/\n", **{"cgroup__cpu.max": "max 100000\n", "cgroup__memory.max": "max\n"})
    assert limits.usable_cores() == 64 and limits.memory() == 256 << 30


@pytest.mark.parametrize(
    ("mine", "files"),
    [
        ("0::/\n", {"cgroup__cpu.max": "200000 100000\n", "cgroup__memory.max": "8589934592\n"}),
        # The quota of a group above, as Kubernetes gives pods.
        ("0::/pod/box\n", {"cgroup__pod__cpu.max": "250000 100000\n",
                           "cgroup__pod__box__cpu.max": "max 100000\n",
                           "cgroup__pod__memory.max": "8589934592\n"}),
        # /proc names the host's path, which a container does not see.
        ("0::/docker/3f2a\n", {"cgroup__cpu.max": "200000 100000\n",
                               "cgroup__memory.max": "8589934592\n"}),
        ("4:memory:/box\n1:cpu,cpuacct:/box\n0::/\n",
         {"cgroup__cpu,cpuacct__box__cpu.cfs_quota_us": "200000\n",
          "cgroup__cpu,cpuacct__box__cpu.cfs_period_us": "100000\n",
          "cgroup__memory__box__memory.limit_in_bytes": "8589934592\n",
          "cgroup__memory__memory.limit_in_bytes": "9223372036854771712\n"}),
    ],
)  # fmt: skip
def test_the_quota_of_a_container_counts(cgroups: Path, mine: str, files: dict[str, str]) -> None:
    write(cgroups, mine, **files)
    assert limits.usable_cores() == 2 and limits.memory() == 8 << 30


def test_half_a_core_is_one_worker(cgroups: Path) -> None:
    files = {"cgroup__cpu__box__cpu.cfs_quota_us": "50000",
             "cgroup__cpu__box__cpu.cfs_period_us": "100000"}  # fmt: skip
    write(cgroups, "1:cpu:/box\n", **files)
    assert limits.usable_cores() == 1
    write(cgroups, "1:cpu:/box\n", **{**files, "cgroup__cpu__box__cpu.cfs_quota_us": "-1"})
    assert limits.usable_cores() == 64


def test_this_machine() -> None:
    assert 1 <= limits.usable_cores() <= (psutil.cpu_count() or 1)
    if hasattr(os, "sched_getaffinity"):
        assert limits.usable_cores() <= len(os.sched_getaffinity(0))
    assert 0 < limits.memory() <= psutil.virtual_memory().total


def test_a_system_that_does_not_say(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(limits, "MINE", tmp_path / "none")
    monkeypatch.delattr(psutil.Process, "cpu_affinity", raising=False)
    monkeypatch.setattr(psutil, "cpu_count", lambda: None)
    assert limits.usable_cores() == 1
