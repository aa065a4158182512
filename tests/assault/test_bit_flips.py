"""A bit that turned in a stored file enters no result: it is set aside, told, or made anew.

$LRFER_ASSAULT_FLIPS flips of each kind of file (6 if it is not set).
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import registries
from folders import PLUGINS
from made_engine import HereEngine, MadeEngine
from tunings import asked as tuning_asked

import lrfer_bench
from lrfer_bench.contract.preset import preset_of
from lrfer_bench.errors import UserError
from lrfer_bench.planning.request import Request
from lrfer_bench.plugins.loading import load_plugin
from lrfer_bench.running import cost, session, work
from lrfer_bench.running.engines.base import Engine
from lrfer_bench.running.session import run_session
from lrfer_bench.training.checkpoint import load_checkpoint
from lrfer_bench.tuning import tune
from results import bits as results_bits

pytestmark = pytest.mark.slow

FLIPS = int(os.environ.get("LRFER_ASSAULT_FLIPS", "6"))
RESULTS = ("records/*.json", "logits/*.npz", "models/*.safetensors", "models/*.json")
CACHE = ("*/*.images.npy", "*/*.labels.npy", "*/*.leaked.npy", "*/meta.json", "*/lr/*.npy")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A user's machine in this process: a cache of its own, and workers that are this process."""
    monkeypatch.setenv("LRFER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(session, "engine_for", lambda *words, **more: HereEngine())
    monkeypatch.setattr(tune, "engine_for", lambda *words, **more: MadeEngine())
    for name in ("latency_ms", "throughput"):
        monkeypatch.setattr(cost, name, lambda method, lr: 1.0)
    with registries.pristine():
        load_plugin(PLUGINS / "tiny.py")
        load_plugin(PLUGINS / "tunable.py")
        yield


def run(results: Path, **more: Any) -> None:
    """Run what is missing, as a new process would: nothing is remembered of the files."""
    work.prepared_data.cache_clear()
    request = Request(
        methods=["linear", "enlarge"], dataset="tinyfaces", scales=[2], results=results,
        preset=preset_of("quick@1"), plugins=[PLUGINS / "tiny.py"], **more,
    )  # fmt: skip
    run_session(request)


def bits(results: Path) -> dict[str, Any]:
    return results_bits(results, "models/*.safetensors", "logits/*.npz")


def turned(path: Path, rng: random.Random) -> bytes:
    """Turn one bit of a file; what it held before."""
    before = path.read_bytes()
    after = bytearray(before)
    after[rng.randrange(len(after))] ^= 1 << rng.randrange(8)
    path.write_bytes(after)
    return before


def flips(pattern: str) -> Iterator[tuple[int, random.Random]]:
    for number in range(FLIPS):
        yield number, random.Random(f"{pattern} {number}")


@pytest.mark.parametrize("pattern", RESULTS)
def test_results(pattern: str, tmp_path: Path) -> None:
    results = tmp_path / "results"
    run(results)
    wanted, table = bits(results), lrfer_bench.load_results(results)
    for _, rng in flips(pattern):
        path = rng.choice(sorted(results.glob(pattern)))
        turned(path, rng)
        shown = lrfer_bench.load_results(results)  # a table before anything is mended
        assert all(row in table["accuracy"].values for row in shown["accuracy"])
        if pattern.startswith("models/"):  # a model is read once a cell asks for it
            for record in results.glob("records/*.json"):
                record.unlink()
        run(results)
        assert bits(results) == wanted
        for aside in [*results.rglob("*.damaged*"), *results.rglob("*.changed*")]:
            aside.unlink()


@pytest.mark.parametrize("pattern", CACHE)
def test_the_cache(pattern: str, tmp_path: Path) -> None:
    run(tmp_path / "first")
    wanted, cache = bits(tmp_path / "first"), tmp_path / "cache" / "datasets"
    for number, rng in flips(pattern):
        path = rng.choice(sorted(cache.glob(pattern)))
        turned(path, rng)
        results = tmp_path / f"again-{number}"
        run(results)
        assert bits(results) == wanted
        shutil.rmtree(results)


class _Stopped(BaseException):
    pass


def test_checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stopping(HereEngine):
        def submit(self, job: Any) -> None:
            def stop(told: Any) -> None:
                if list(tmp_path.glob("results/checkpoints/*.ckpt")):
                    raise _Stopped

            work.run_training(job, stop)

    engine: Callable[..., Engine] = lambda *words, **more: Stopping()  # noqa: E731
    with monkeypatch.context() as patch:
        patch.setattr(session, "engine_for", engine)
        with pytest.raises(_Stopped):
            run(tmp_path / "results")
    (path,) = tmp_path.glob("results/checkpoints/*.ckpt")
    whole, key = path.read_bytes(), path.stem
    assert load_checkpoint(path, key)[0] is not None
    for _, rng in flips("checkpoint"):
        path.write_bytes(whole)
        turned(path, rng)
        state, why = load_checkpoint(path, key)
        assert state is None and why


def test_studies(tmp_path: Path) -> None:
    results = tmp_path / "results"
    request = tuning_asked(results, "tunable", trials=2)
    tune.run_tuning(request)
    (path,) = (results / "tuning").glob("*.json")
    whole = path.read_bytes()
    for _, rng in flips("study"):
        path.write_bytes(whole)
        turned(path, rng)
        with pytest.raises(UserError, match="restore or delete"):
            tune.run_tuning(request)
