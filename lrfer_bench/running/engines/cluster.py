"""A Ray cluster as the engine sees it: joining it, its room, and why something is gone."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Container
from typing import Any

# Ray prints what its processes say to standard output, between our lines; read when it is imported.
os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", ".")

import ray
import ray.exceptions

from lrfer_bench.errors import UserError

GONE = (ray.exceptions.RaySystemError, ConnectionError)
ANSWER_SECONDS = 5.0
UNBOUNDED = 1 << 30


def join(address: str, workers: int | None) -> None:
    """Join a cluster, or start Ray on this machine ("local"); UserError where none answers."""
    if "://" in address:
        raise UserError(
            f"--address {address}: Ray Client is not supported; give HOST:PORT of the cluster"
        )
    if ":" in address:
        _ask(address)
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if address == "local":
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        options |= {"include_dashboard": False, **({"num_cpus": workers} if workers else {})}
    try:
        ray.init(address=address, **options)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise UserError(_nobody(address, last_line(error))) from error


def _ask(address: str) -> None:
    """Ray itself waits ten minutes where nobody listens."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=ANSWER_SECONDS).close()
    except (OSError, ValueError, OverflowError) as error:
        raise UserError(_nobody(address, str(error))) from error


def _nobody(address: str, why: str) -> str:
    return (
        f"no Ray cluster answers at {address} ({why}): start one with `ray start --head`, or use "
        "--address local"
    )


def living(left_out: Container[str] = ()) -> list[dict[str, Any]]:
    """The nodes that are alive and not left out."""
    return [node for node in ray.nodes() if node["Alive"] and node["NodeID"] not in left_out]


def room(cpus: float, gpus: float, left_out: Container[str] = ()) -> int:
    """How many models fit on the living nodes at a time."""
    total = 0
    for node in living(left_out):
        has = node["Resources"]
        by_cpu = int(has.get("CPU", 0) / cpus + 1e-6) if cpus else UNBOUNDED
        by_gpu = int(has.get("GPU", 0) / gpus + 1e-6) if gpus else UNBOUNDED
        total += min(by_cpu, by_gpu)
    return total


def described(models: int) -> str:
    """Which cluster was joined: there may be a stranger's on the same machine."""
    nodes = living()
    cpus, gpus = (
        int(sum(node["Resources"].get(kind, 0) for node in nodes)) for kind in ("CPU", "GPU")
    )
    address = ray.get_runtime_context().gcs_address
    counts = ((len(nodes), "node"), (cpus, "CPU"), (gpus, "GPU"))
    words = ", ".join(f"{count} {noun}{'s' * (count != 1)}" for count, noun in counts)
    return f"Ray cluster {address}: {words}; {models} model{'s' * (models != 1)} at a time"


def address_of(node: str) -> str:
    """The address of a node, for people."""
    found = (each["NodeManagerAddress"] for each in ray.nodes() if each["NodeID"] == node)
    return str(next(found, node[:8]))


def nodes_named_in(error: Exception) -> list[str]:
    """The living nodes on whose address an actor could not be made."""
    found = re.search(r"\bip=([0-9a-fA-F.:]+)", str(error))
    return [n["NodeID"] for n in living() if found and n["NodeManagerAddress"] == found[1]]


def is_lost(node: str, error: Exception) -> bool:
    """Whether an actor is gone because its whole node is."""
    lost = (ray.exceptions.NodeDiedError, ray.exceptions.ObjectLostError)
    if isinstance(error, lost) or getattr(error, "preempted", False):
        return True
    return node not in {each["NodeID"] for each in living()}


def cause(error: Exception) -> str:
    """Why an actor is gone, in words; Ray itself tells no more than this."""
    if isinstance(error, ray.exceptions.OutOfMemoryError) or "low on memory" in str(error):
        return "its worker process was ended because its node ran out of memory"
    if "SYSTEM_ERROR" in str(error):
        return "its worker process was killed or crashed (out of memory, or stopped by somebody)"
    return f"its worker process is gone ({last_line(error)})"


def last_line(error: BaseException) -> str:
    """The last words of an error: Ray's come with pages of advice."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
