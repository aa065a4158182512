"""The Ray engine on two nodes of this machine: the bits of the local engine, also when one is lost.

Nodes have a loopback address and a cache of their own. `ray stop` is not used: it would end every
Ray of the user. One test of each kind runs wherever Ray is installed, the others are slow.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from folders import TINY

ray = pytest.importorskip("ray")
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled"}
SMALL = ["--preset", "quick", "--no-report"]


class TwoNodes:
    """A head and a second node of one CPU each."""

    def __init__(self, folder: Path, head: int = 1) -> None:
        from ray.cluster_utils import Cluster

        self.folder, self.count = folder, 0
        self.cluster = Cluster()
        self.add(head)
        self.address = str(self.cluster.address)

    def add(self, cpus: int = 1) -> Any:
        self.count += 1
        cache = self.folder / f"node-{self.count}"
        return self.cluster.add_node(
            num_cpus=cpus, node_ip_address=f"127.0.0.{20 + self.count}", include_dashboard=False,
            object_store_memory=200 << 20, env_vars={"LRFER_CACHE": str(cache)},
        )  # fmt: skip

    def workers(self) -> list[psutil.Process]:
        """The processes that train for us, told by the cache of their node."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                ours = process.environ().get("LRFER_CACHE", "").startswith(str(self.folder))
                if ours and process.cmdline()[:1] == ["ray::Slot"]:
                    found.append(process)
        return found


@contextlib.contextmanager
def made(folder: Path, head: int = 1) -> Iterator[TwoNodes]:
    """A cluster of one node in a quiet environment; more may be added."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**QUIET, "LRFER_PLUGINS": "", "OMP_NUM_THREADS": "1"}.items():
            patch.setenv(name, value)
        nodes = TwoNodes(folder, head)
        try:
            yield nodes
        finally:
            nodes.cluster.shutdown()


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoNodes]:
    with made(tmp_path_factory.mktemp("nodes")) as nodes:
        nodes.second = nodes.add()  # type: ignore[attr-defined]
        yield nodes


@pytest.fixture
def start(environment: dict[str, str], tiny: list[str], tmp_path: Path) -> Any:
    """Start a run on a cluster, from a folder that is not the checkout: nodes see its path."""

    def start(address: str, *words: str, **extra: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-u", "-m", "lrfer_bench", "run", *tiny, *SMALL, *words]
        command += ["--engine", "ray", "--address", address, "--results", str(tmp_path / "ray")]
        return subprocess.Popen(
            command, env={**environment, **QUIET, **extra}, cwd=tmp_path, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    return start


@pytest.fixture
def there(two: TwoNodes, start: Any) -> Any:
    """Start a run on the two nodes."""
    return lambda *words, **extra: start(two.address, *words, **extra)


def bits(results: Path) -> dict[str, Any]:
    """What must be equal wherever it was made: no times, no costs."""
    found: dict[str, Any] = {}
    for path in results.glob("records/*.json"):
        record = json.loads(path.read_text())
        rows = [{k: v for k, v in row.items() if k != "seconds"} for row in record["history"]]
        found[path.name] = (record["status"], record["logits_sha256"], record["metrics"], rows)
    for path in results.glob("models/*.safetensors"):
        found[path.name] = path.read_bytes()
    return found


def test_the_bits_of_the_local_engine_and_a_failure_names_the_author_s_file(
    there: Any, two: TwoNodes, quickly: Any, tiny: list[str], tmp_path: Path
) -> None:
    words = ["--methods", "linear,enlarge,raises", "--scales", "2,4"]
    out, errors = (run := there(*words)).communicate(timeout=400)
    assert run.returncode == 1, out + errors
    local = quickly("run", *tiny, *SMALL, *words, "--results", tmp_path / "local")
    assert local.returncode == 1 and bits(tmp_path / "local") == bits(tmp_path / "ray")
    assert len(bits(tmp_path / "ray")) == 9  # six records, three models
    assert f"Ray cluster {two.address}: 2 nodes, 2 CPUs, 0 GPUs; 2 models at a time" in out
    failed = [line for line in out.splitlines() if line.startswith("failed: ")]
    assert len(failed) == 2 and all("support/plugins/tiny.py:" in line for line in failed)
    assert "raylet" not in out
    # The data set came as bytes: each node has it in a cache of its own, or found that of the disk.
    assert not list((two.folder).glob("node-*/datasets/.tmp-*"))


@pytest.mark.slow
def test_a_driver_that_computes_otherwise_gets_no_node(there: Any, tmp_path: Path) -> None:
    run = there("--methods", "linear", "--scales", "2", ATEN_CPU_CAPABILITY="default")
    out, errors = run.communicate(timeout=400)
    assert run.returncode == 2, out + errors
    assert "computes as this machine does" in errors and "arithmetic is" in errors
    assert not list((tmp_path / "ray").glob("records/*"))


def test_a_method_that_kills_its_worker_is_tried_once_more_and_costs_no_other_cell(
    there: Any, tmp_path: Path
) -> None:
    out, errors = (run := there("--methods", "dies,linear", "--scales", "2")).communicate(
        timeout=400
    )
    assert run.returncode == 1, out + errors
    assert out.count("tried once more") == 1 and "its worker process was killed or crashed" in out
    status = {name.split("_")[1]: found[0] for name, found in bits(tmp_path / "ray").items()
              if name.endswith(".json")}  # fmt: skip
    assert status == {"dies": "failed", "linear": "finished"}


def can_hide() -> bool:
    """Whether a folder can be hidden from a process here: a mount that it alone sees."""
    if not shutil.which("unshare"):
        return False
    tried = ["unshare", "-m", "sh", "-c", f"mount -t tmpfs none {shlex.quote(str(TINY.parent))}"]
    return subprocess.run(tried, capture_output=True, check=False).returncode == 0


@contextlib.contextmanager
def blind_node(nodes: TwoNodes, hidden: list[Path]) -> Iterator[Path]:
    """A node of one CPU on which folders are empty, as without a shared disk; yields its cache."""
    cache = nodes.folder / "blind"
    mounts = [f"mount -t tmpfs none {shlex.quote(str(folder))}" for folder in hidden]
    ray_start = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", "--num-cpus=1",
                 f"--address={nodes.address}", "--node-ip-address=127.0.0.40",
                 f"--object-store-memory={200 << 20}"]  # fmt: skip
    script = " && ".join([*mounts, f"exec {shlex.join(ray_start)}"])
    process = subprocess.Popen(
        ["unshare", "-m", "sh", "-c", script], env={**os.environ, "LRFER_CACHE": str(cache)},
        start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        assert any("runtime started" in line for line in process.stdout), "the node did not start"
        yield cache
    finally:
        process.terminate()  # `ray start --block` ends what it started
        process.communicate(timeout=60)


def test_a_node_without_our_disk_gets_data_plugin_and_weights_as_bytes(
    start: Any, environment: dict[str, str], quickly: Any, tiny: list[str], tmp_path: Path
) -> None:
    if not can_hide():
        pytest.skip("folders cannot be hidden from a process here: it takes root and unshare")
    words = ["--methods", "linear,raises", "--scales", "2"]
    local = quickly("run", *tiny, *SMALL, *words, "--results", tmp_path / "local")
    assert local.returncode == 1
    folder = tmp_path / "nodes"
    hidden = [Path(environment["LRFER_CACHE"]), TINY.parent, tmp_path / "local"]
    with made(folder, head=0) as nodes, blind_node(nodes, hidden) as cache:
        out, errors = (run := start(nodes.address, *words)).communicate(timeout=400)
    assert run.returncode == 1, out + errors
    assert bits(tmp_path / "local") == bits(tmp_path / "ray")
    assert "support/plugins/tiny.py:" in out  # the author's own path, which the node does not have
    assert list(cache.glob("datasets/*/*")) and list(cache.glob("plugins/*/tiny.py"))


CUTS = [pytest.param(how, marks=pytest.mark.slow) for how in ("stopped", "killed")]


@pytest.mark.parametrize("how", [*CUTS, "a node is lost"])
def test_what_was_cut_off_goes_on_with_the_same_bits(
    how: str, there: Any, two: TwoNodes, quickly: Any, tiny: list[str], tmp_path: Path
) -> None:
    words = ["--data-option", "train=640", "--methods", "slow", "--scales", "2,4"]
    often = {"LRFER_CHECKPOINT_SECONDS": "1"}
    run = there(*words, **often)
    deadline = time.monotonic() + 300
    while len(list((tmp_path / "ray" / "checkpoints").glob("*.ckpt"))) < 2:
        assert time.monotonic() < deadline and run.poll() is None
        time.sleep(0.2)
    if how == "stopped":
        run.send_signal(signal.SIGINT)
        _, errors = run.communicate(timeout=60)
        assert run.returncode == 130 and "checkpoint that came home: the same command" in errors
        run = there(*words, **often)
    elif how == "killed":
        run.kill()
        run.communicate(timeout=60)
        deadline = time.monotonic() + 60
        while two.workers():
            assert time.monotonic() < deadline, "workers outlive a driver that was killed"
            time.sleep(0.2)
        run = there(*words, **often)
    else:
        two.cluster.remove_node(two.second, allow_graceful=False)  # type: ignore[attr-defined]
    out, errors = run.communicate(timeout=400)
    assert run.returncode == 0, out + errors
    assert "tried once more" not in out
    assert how != "a node is lost" or "is lost; the job goes on elsewhere" in out
    local = quickly(
        "run", *tiny, *SMALL, *words, "--results", tmp_path / "local", LRFER_TEST_SLEEP="0"
    )
    assert local.returncode == 0 and bits(tmp_path / "local") == bits(tmp_path / "ray")
