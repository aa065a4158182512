"""A Ray cluster as the engine sees it: joining it, its room, and why something is gone."""

from __future__ import annotations

import os
import re
import select
import socket
import subprocess
import sys
from collections.abc import Container
from typing import Any

# Ray prints what its processes say to standard output, between our lines; read when it is imported.
os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", ".")

import ray
import ray.exceptions
from ray._private import services

from lrfer_bench.errors import UserError

GONE = (ray.exceptions.RaySystemError, ConnectionError)
TOUCH_SECONDS, ANSWER_SECONDS = 5.0, 8.0
OLDEST = (2, 49)
"""Before it, actors could not be kept off a node by name."""
ASK = """
import sys
from ray._raylet import GcsClient
print("asking", flush=True)
try:
    client = GcsClient(address=sys.argv[1])
    client.internal_kv_get(b"CLUSTER_METADATA", namespace=b"cluster")
    print("answered", flush=True)
except Exception as error:
    print([line for line in str(error).splitlines() if line.strip()][-1:], flush=True)
"""
"""Whether a Ray head listens; the last line of its error where it refuses, for want of a token."""
UNBOUNDED = 1 << 30
NO_GPU = (
    "torch sees no GPU there, though Ray counts one: install torch for its driver, or use "
    "--gpus-per-model 0"
)


def join(address: str, workers: int | None) -> None:
    """Join a cluster, or start Ray on this machine ("local"); UserError where none answers."""
    address = resolved(address)
    if ":" in address:
        _ask(address)
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if address == "local":
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        options |= {"include_dashboard": False, **({"num_cpus": workers} if workers else {})}
    try:
        ray.init(address=address, **options)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise UserError(_versions(address, error) or _nobody(address, last_line(error))) from error


def check_version() -> None:
    """UserError for an installed Ray that is too old for this engine."""
    found = re.match(r"(\d+)\.(\d+)", ray.__version__)
    if found and (int(found[1]), int(found[2])) < OLDEST:
        raise UserError(
            f"the Ray engine needs Ray {OLDEST[0]}.{OLDEST[1]} or newer, {ray.__version__} is "
            'installed: pip install -U "lrfer-bench[ray]", here and on every node'
        )


def resolved(address: str) -> str:
    """ "local" or HOST:PORT; "auto" is what RAY_ADDRESS names, or what runs on this machine."""
    source = "--address"
    if address == "auto" and os.environ.get("RAY_ADDRESS"):
        source, address = "RAY_ADDRESS", os.environ["RAY_ADDRESS"]
    if "://" in address:
        raise UserError(
            f"{source} {address}: Ray Client is not supported; give HOST:PORT of the cluster"
        )
    if address != "auto":
        return address
    try:
        return services.canonicalize_bootstrap_address(address) or "local"
    except (ConnectionError, ValueError, OSError) as error:
        raise UserError(_nobody(address, last_line(error))) from error


def _ask(address: str) -> None:
    """Ray itself waits ten minutes where nobody listens, or another program does.

    Its client cannot be given a time to wait, nor be stopped: a process of its own can.
    """
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=TOUCH_SECONDS).close()
    except (OSError, ValueError, OverflowError) as error:
        raise UserError(_nobody(address, str(error))) from error
    command = [sys.executable, "-c", ASK, address]
    pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "bufsize": 0}
    with subprocess.Popen(command, **pipes) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()  # a loaded machine may take long to import Ray
            heard, _, _ = select.select([process.stdout], [], [], ANSWER_SECONDS)
            answer = process.stdout.readline() if heard else b""
        finally:
            process.kill()
    if answer.strip() != b"answered":
        why = answer.decode(errors="replace").strip("[]'\" \n")
        why = why or "something listens there, but not as a Ray head does"
        raise UserError(_nobody(address, why))


def _versions(address: str, error: Exception) -> str:
    """The sentence for a cluster of another Ray or Python; "" where the error says nothing of it.

    Ray's error has a line for each, of the cluster first.
    """
    found = re.findall(r"Ray: (\S+)\s+Python: (\S+)", str(error))
    if len(found) != 2:
        return ""
    theirs, ours = (f"Ray {version} under Python {python}" for version, python in found)
    return (
        f"the cluster at {address} runs {theirs}, this machine has {ours}: install the same "
        "versions everywhere"
    )


def _nobody(address: str, why: str) -> str:
    source = " of RAY_ADDRESS" if address == os.environ.get("RAY_ADDRESS") else ""
    return (
        f"no Ray cluster answers at {address}{source} ({why}): start one with `ray start --head`, "
        "or use --address local"
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


def gone(error: BaseException) -> UserError:
    """The sentence for an error of GONE."""
    return UserError(
        f"the Ray cluster is gone ({last_line(error)}): finished cells are kept, and the same "
        "command goes on"
    )


def last_line(error: BaseException) -> str:
    """The last words of an error: Ray's come with pages of advice."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
