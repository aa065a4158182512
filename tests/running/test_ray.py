"""The Ray engine on two nodes of this machine: the bits of the local engine, also when one is lost.

Nodes have a loopback address and a cache of their own. `ray stop` is not used: it would end every
Ray of the user. One test of each kind runs wherever Ray is installed, the others are slow.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ray = pytest.importorskip("ray")
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled"}
SMALL = ["--preset", "quick", "--no-report"]


class TwoNodes:
    """A head and a second node of one CPU each."""

    def __init__(self, folder: Path) -> None:
        from ray.cluster_utils import Cluster

        self.folder, self.count = folder, 0
        self.cluster = Cluster()
        self.add()  # the head
        self.address = str(self.cluster.address)

    def add(self) -> Any:
        self.count += 1
        cache = self.folder / f"node-{self.count}"
        return self.cluster.add_node(
            num_cpus=1, node_ip_address=f"127.0.0.{20 + self.count}", include_dashboard=False,
            object_store_memory=200 << 20, env_vars={"LRFER_CACHE": str(cache)},
        )  # fmt: skip


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoNodes]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**QUIET, "LRFER_PLUGINS": "", "OMP_NUM_THREADS": "1"}.items():
            patch.setenv(name, value)
        nodes = TwoNodes(tmp_path_factory.mktemp("nodes"))
        nodes.second = nodes.add()  # type: ignore[attr-defined]
        yield nodes
        nodes.cluster.shutdown()


@pytest.fixture
def there(two: TwoNodes, environment: dict[str, str], tiny: list[str], tmp_path: Path) -> Any:
    """Start a run on the cluster, from a folder that is not the checkout: nodes see its path."""

    def start(*words: str, **extra: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-u", "-m", "lrfer_bench", "run", *tiny, *SMALL, *words]
        command += ["--engine", "ray", "--address", two.address, "--results", str(tmp_path / "ray")]
        return subprocess.Popen(
            command, env={**environment, **QUIET, **extra}, cwd=tmp_path, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    return start


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
    there: Any, two: TwoNodes, lrfer: Any, tiny: list[str], tmp_path: Path
) -> None:
    words = ["--methods", "linear,enlarge,raises", "--scales", "2,4"]
    out, errors = (run := there(*words)).communicate(timeout=400)
    assert run.returncode == 1, out + errors
    local = lrfer("run", *tiny, *SMALL, *words, "--results", tmp_path / "local")
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


@pytest.mark.parametrize("how", [pytest.param("stopped", marks=pytest.mark.slow), "a node is lost"])
def test_what_was_cut_off_goes_on_with_the_same_bits(
    how: str, there: Any, two: TwoNodes, lrfer: Any, tiny: list[str], tmp_path: Path
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
    else:
        two.cluster.remove_node(two.second, allow_graceful=False)  # type: ignore[attr-defined]
    out, errors = run.communicate(timeout=400)
    assert run.returncode == 0, out + errors
    assert "tried once more" not in out
    assert how == "stopped" or "is lost; the job goes on elsewhere" in out
    local = lrfer("run", *tiny, *SMALL, *words, "--results", tmp_path / "local")
    assert local.returncode == 0 and bits(tmp_path / "local") == bits(tmp_path / "ray")
