"""Tuning from outside: on SynthFace, killed in the middle, and never with a look at the test."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import in_process
import numpy as np
import pytest
import registries
from folders import PLUGINS

import lrfer_bench
from lrfer_bench.plugins.loading import load_plugin
from lrfer_bench.plugins.registry import METHODS
from lrfer_bench.store.schema import Record
from lrfer_bench.store.store import Store

TUNABLE = PLUGINS / "tunable.py"
ASKED = ["tune", "--plugin", TUNABLE, "--methods", "tunable,settled", "--scales", "2"]


def tuning(results: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (results / "tuning").glob("*")}


def record_of(results: Path, method: str) -> Record:
    found = [r for r in Store(results).scan() if isinstance(r, Record)]
    return next(record for record in found if record.method.name == method)


def test_tuned_on_synthface_and_run_with_what_was_chosen(
    lrfer: Any, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    cache = tmp_path_factory.mktemp("cache")  # other tests make test faces small in theirs
    common = ["--plugin", TUNABLE, "--results", tmp_path, "--preset", "quick@1", "--scales", "8",
              "--workers", "2", "--methods"]  # fmt: skip
    done = lrfer("tune", *common, "tunable,settled", "--trials", "3", "--epochs", "1",
                 LRFER_CACHE=str(cache))  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "settled: nothing to tune" in done.stdout and "1 (defaults)" in done.stdout
    assert (tmp_path / "tuning" / "trials.md").read_text() in done.stdout
    said = done.stdout.splitlines()[-1].partition("Use the best: lrfer-bench run ")[2]
    settings, *rest = said.partition(" --methods tunable ")[::2]
    assert settings == f"--settings {tmp_path}/tuning/settings.toml"
    options = set(" ".join(rest).split(" --"))
    assert options == {"--scales 8", f"plugin {TUNABLE}", "preset quick@1", f"results {tmp_path}"}
    assert not (tmp_path / "records").exists() and not (tmp_path / "logits").exists()
    assert list(cache.glob("datasets/synthface-*"))
    assert not list(cache.glob("datasets/synthface-*/lr/test.*")), "no test face was made small"

    settings = tmp_path / "tuning" / "settings.toml"
    done = lrfer("run", *common, "tunable", "--settings", settings, "--epochs", "1",
                 "--no-report")  # fmt: skip
    assert done.returncode == 0, done.stderr
    study = json.loads((tmp_path / "tuning" / "tunable.json").read_text())
    best = max(study["trials"], key=lambda trial: trial["score"])
    tuned = record_of(tmp_path, "tunable").method
    assert tuned.trials == 3
    assert {"weight": 0.01, "kind": "plain", **tuned.settings} == best["settings"]
    found = lrfer_bench.report(tmp_path, resamples=0, pictures="none", page=False)
    assert found.trials.tolist() == [3]
    assert "tuned, 3 trials" in (tmp_path / "report" / "leaderboard.md").read_text()


@pytest.fixture(scope="module")
def alone(lrfer: Any, tiny: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tuning that nobody stops, with one worker."""
    results: Path = tmp_path_factory.mktemp("alone")
    done = lrfer(*ASKED, *tiny, "--trials", "6", "--workers", "1", "--results", results)
    assert done.returncode == 0, done.stderr
    return results


def plant_leftover(folder: Path) -> None:
    """What a process leaves that was killed while it wrote."""
    code = "from lrfer_bench.files import own_prefix; print(own_prefix())"
    dead = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    folder.mkdir(parents=True)
    (folder / f"{dead.stdout.strip()}half").write_text("{")


def test_a_tuning_stopped_twice_ends_like_one_left_alone(
    alone: Path, lrfer: Any, tiny: list[str], environment: dict[str, str], tmp_path: Path
) -> None:
    asked = [*map(str, ASKED), *tiny, "--trials", "6", "--workers", "2", "--results", str(tmp_path)]
    plant_leftover(tmp_path / "tuning")
    for models, stop in ((1, signal.SIGINT), (3, signal.SIGKILL)):
        process = subprocess.Popen(
            [sys.executable, "-m", "lrfer_bench", *asked],
            env={**environment, "LRFER_TEST_SLEEP": "0.1"},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        deadline = time.monotonic() + 120
        while len(list(tmp_path.glob("models/*.json"))) < models and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(stop)
        _, said = process.communicate(timeout=60)
        assert "Traceback" not in said
        if stop == signal.SIGINT:
            assert process.returncode == 130 and "the same command" in said
        assert "settings.toml" not in tuning(tmp_path), "it was stopped before its end"
    assert lrfer(*asked).returncode == 0
    assert tuning(tmp_path) == tuning(alone)


def test_python_sees_the_same(
    alone: Path, tiny: list[str], environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LRFER_CACHE", environment["LRFER_CACHE"])
    said: list[str] = []
    with registries.kept():
        table = lrfer_bench.tune(
            ["tunable", "settled"], trials=6, dataset="tinyfaces", scales=2, results=alone,
            plugins=[TUNABLE, tiny[1]], tell=said.append,
        )  # fmt: skip
        with pytest.raises(lrfer_bench.UserError, match="trials"):
            lrfer_bench.tune("tunable", trials=2.5, plugins=[TUNABLE])  # type: ignore[arg-type]
        with pytest.raises(lrfer_bench.UserError, match="overwrite"):
            lrfer_bench.tune("tunable", overwrite="always", plugins=[TUNABLE])
    assert table.trial.tolist() == [1, 2, 3, 4, 5, 6] and set(table.method) == {"tunable"}
    assert table[table.chosen].score.tolist() == [table.score.max()]
    assert len(said) == 1 and "settled" in said[0], "all trials were there already"


def test_the_method_of_these_tests_would_notice_a_test_file(tmp_path: Path) -> None:
    np.save(tmp_path / "test.images.npy", np.zeros(3))
    with registries.kept():
        load_plugin(TUNABLE)
        opened = sys.modules[METHODS.load("tunable").__module__].opened_test_files
        if not Path("/proc/self/fd").is_dir():
            pytest.skip("no /proc here: what a process has open is not known")
        file = str(tmp_path / "test.images.npy")
        assert file not in opened()
        mapped = np.load(file, mmap_mode="r")
        assert file in opened() and mapped.size == 3


def test_a_cluster_is_for_the_engine_ray(tmp_path: Path) -> None:
    words = ["--plugin", TUNABLE, "--methods", "tunable", "--scales", "2", "--results", tmp_path]
    with registries.pristine():
        done = in_process.lrfer("tune", *words, "--address", "10.0.0.1:6379")
    assert done.status == 2 and "use them with --engine ray" in done.err
    assert not (tmp_path / "models").exists()
