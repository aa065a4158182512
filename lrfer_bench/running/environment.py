"""What a result was made with: versions and what computed it, for its record.

No host name, no path.
"""

from __future__ import annotations

import hashlib
import importlib.util
import platform
import subprocess
from functools import lru_cache
from importlib import metadata
from pathlib import Path

import torch

from lrfer_bench.running.devices import devices_of
from lrfer_bench.training.arithmetic import (
    CPU,
    arithmetic,
    arithmetic_of,
    capability,
    gpu_driver,
    gpu_name,
    precision,
)

PACKAGES = ("lrfer-bench", "torch", "timm", "numpy", "scikit-learn", "Pillow")
NOT_COMPARED = ("system", "processor", "commit", "gpu_driver")
"""Facts of a machine that do not change what is computed; the code has a hash of its own."""


@lru_cache(maxsize=4)
def environment(device: torch.device = CPU) -> dict[str, str]:
    """Versions of what the numbers depend on, what computes, and the commit of a checkout.

    "arithmetic" is equal on processors that give the same bits; "gpu", "gpu_driver" and
    "precision" stand only where the device is a GPU.
    """
    found = {
        "python": platform.python_version(),
        "system": platform.system(),
        "processor": processor(),
        "capability": capability(),
        "arithmetic": arithmetic(),
    }
    if device.type != "cpu":
        found |= {"gpu": gpu_name(device), "precision": precision(device)}
        found |= {"gpu_driver": gpu_driver()} if gpu_driver() else {}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    commit = git_commit()
    return {**found, **({"commit": commit} if commit else {})}


def tell_what_computes(device: str) -> None:
    """Ask now what this process computes with: a method may change torch, and its own job only.

    environment() and arithmetic_of() remember their first answers.
    """
    environment(torch.device(device))
    arithmetic_of(torch.device(device))


@lru_cache(maxsize=1)
def code() -> str:
    """A hash of all that lrfer-bench itself runs, built-in methods and data sets included.

    The same for a checkout and for what was installed from it.
    """
    found: dict[str, bytes] = {}
    for package in ("lrfer_bench", "lrfer_bench.methods", "lrfer_bench.datasets"):
        spec = importlib.util.find_spec(package)
        for root in (spec.submodule_search_locations or []) if spec else []:
            for path in Path(root).rglob("*.py"):
                name = f"{package.replace('.', '/')}/{path.relative_to(root).as_posix()}"
                found[name] = path.read_bytes()
    digest = hashlib.sha256()
    for name, content in sorted(found.items()):
        digest.update(f"{name} {len(content)} ".encode() + content)
    return digest.hexdigest()[:12]


def computing(device: str | None = None) -> dict[str, str]:
    """What decides the bits of a result: versions, code and arithmetic.

    device: see devices_of()
    """
    found = environment(torch.device(devices_of(device)[0]))
    facts = {k: v for k, v in found.items() if k not in NOT_COMPARED}
    return {**facts, "code": code()}


def processor() -> str:
    """The processor's model name, or its architecture."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return f"{line.partition(':')[2].strip()} ({platform.machine()})"
    except OSError:
        pass
    return platform.processor() or platform.machine()


def git_commit() -> str:
    """The commit of the checkout that this package runs from, or "".

    It ends with "+" when files differ from the commit.
    """
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():
        return ""
    try:
        head = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, timeout=10
        )
        dirty = subprocess.run(
            ["git", "status", "--porcelain", "--untracked-files=no", "--", "*.py"],
            cwd=root, capture_output=True, text=True, timeout=10,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return (
        head.stdout.strip() + ("+" if dirty.stdout.strip() else "") if head.returncode == 0 else ""
    )
