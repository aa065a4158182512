"""Machines that compute other bits are told apart, and a training is never a mixture of two."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from lrfer_bench.training import checkpoint as checkpoints
from lrfer_bench.training.arithmetic import arithmetic, arithmetic_of, capability, older_arithmetic
from lrfer_bench.training.checkpoint import load_checkpoint, save_checkpoint

PROBE = """
import json
from lrfer_bench.running.environment import environment
print(json.dumps(environment()))
"""


NO_VECTORS = ("DEFAULT", "NO AVX")
"""How torch calls a processor without vector instructions, by its version."""


def elsewhere(level: str, threads: str = "1", **more: str) -> dict[str, str]:
    """environment() of another process, under these vector instructions."""
    changed = {"ATEN_CPU_CAPABILITY": level, "OMP_NUM_THREADS": threads, **more}
    done = subprocess.run(
        [sys.executable, "-c", PROBE],
        env={**os.environ, **changed}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: dict[str, str] = json.loads(done.stdout)
    return found


def test_vector_instructions_are_told_apart_and_threads_do_not_matter() -> None:
    plain, same = elsewhere("default"), elsewhere("default", threads="2")
    assert plain["capability"] in NO_VECTORS and plain == same
    if capability() in NO_VECTORS:
        pytest.skip("this processor has no other vector instructions to compare with")
    vector, again = elsewhere("avx2"), elsewhere("avx2", threads="2")
    assert vector["capability"] == "AVX2" and vector == again
    assert vector["arithmetic"] != plain["arithmetic"]
    assert {k for k in plain if plain[k] != vector[k]} == {"capability", "arithmetic"}


def test_a_newer_processor_can_compute_as_an_older_one_does() -> None:
    """What doctor prints is what a process computes with under the variables that it names."""
    if "AVX" not in capability():
        pytest.skip("this processor has none of the instructions in question")
    older = elsewhere("avx2", ONEDNN_MAX_CPU_ISA="AVX2")
    assert older["arithmetic"] == older_arithmetic() and older["capability"] == "AVX2"
    assert capability() != "AVX2" or older_arithmetic() == arithmetic()


def test_the_probe_leaves_random_state_and_threads_alone() -> None:
    arithmetic.cache_clear()
    torch.manual_seed(3)
    state, threads = torch.random.get_rng_state(), torch.get_num_threads()
    with torch.no_grad():  # a caller's mode does not reach it
        first = arithmetic()
    assert torch.equal(torch.random.get_rng_state(), state)
    assert torch.get_num_threads() == threads
    arithmetic.cache_clear()
    assert arithmetic() == first and arithmetic_of() == first and len(first) == 12


@pytest.mark.parametrize("made_by", ["0123456789ab", None])
def test_a_checkpoint_of_another_arithmetic_is_set_aside(
    made_by: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "c.ckpt"
    if made_by:
        with monkeypatch.context() as patch:
            patch.setattr(checkpoints, "arithmetic_of", lambda device: made_by)
            save_checkpoint(path, "one", {"history": []})
    else:  # one from before checkpoints told it, and had a checksum
        torch.save({"key": "one", "history": []}, path)
    state, why = load_checkpoint(path, "one")
    assert state is None and "starts anew" in why
    assert ("another arithmetic" in why) == bool(made_by) or "checksum" in why
    assert not made_by or (made_by in why and arithmetic() in why)
    assert not path.exists() and (tmp_path / "c.ckpt.unusable").exists()
    save_checkpoint(path, "one", {"history": []})
    assert load_checkpoint(path, "one")[0] is not None
