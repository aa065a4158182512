"""Fixtures that all rooms share."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import in_process
import pytest
import registries
from folders import PLUGINS
from in_process import Said

from lrfer_bench.plugins.contents import expect_nothing

# Before torch is imported anywhere: two threads a process are slower than one, and results are then
# repeatable.
os.environ["OMP_NUM_THREADS"] = "1"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real images (FER2013, FERPlus).

    Tests that need it are skipped where it is missing.
    """
    folder = Path(os.environ.get("LRFER_TEST_DATA") or "no folder")
    for name in ("fer2013.npz", "fer2013new.csv", "fer2013_csv.py", "fer2013_duplicates.json"):
        if not (folder / name).is_file():
            pytest.skip(f"no {name} in {folder}: set LRFER_TEST_DATA to the folder that holds it")
    return folder


@pytest.fixture(autouse=True)
def no_run_file_of_another_test() -> Iterator[None]:
    """What a run file told of its weights holds for the rest of a process, and for no other run."""
    yield
    expect_nothing()


Lrfer = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a user's shell, with a cache of its own."""
    cache = tmp_path_factory.mktemp("cache")
    return {
        **os.environ,
        "LRFER_CACHE": str(cache),
        "OMP_NUM_THREADS": "1",
        "COLUMNS": "100",
        "LRFER_PLUGINS": "",
    }


@pytest.fixture(scope="session")
def lrfer(environment: dict[str, str]) -> Lrfer:
    """lrfer("run", "--methods", "direct", ...): the program, run from outside as a user would.

    A run has one worker unless it asks for more: the cores are busy with other tests, and each
    worker loads torch.
    """

    def call(
        *arguments: object, timeout: float = 240, **extra: str
    ) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "lrfer_bench", *map(str, arguments)]
        if arguments[:1] == ("run",) and not {"--workers", "--engine", "--help"} & set(arguments):
            command += ["--workers", "1"]
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=timeout,
            env={**environment, **extra},
            check=False,
        )

    return call


Inside = Callable[..., Said]


@pytest.fixture
def inside(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Inside:
    """inside("methods", "list"): as lrfer(), but in this process, which saves seconds a call.

    No plugin counts that was loaded before, and afterwards none that was loaded meanwhile.
    """

    def call(*words: object, **variables: str) -> Said:
        for name in ("LRFER_CACHE", "LRFER_PLUGINS"):
            monkeypatch.setenv(name, variables.get(name, environment[name]))
        with registries.pristine():
            return in_process.lrfer(*words)

    return call


@pytest.fixture(scope="session")
def quickly(environment: dict[str, str]) -> Lrfer:
    """As lrfer(), in this process, models trained here: for records that are needed, not proved."""

    def call(*words: object, **variables: str) -> subprocess.CompletedProcess[str]:
        from made_engine import ToldEngine

        with pytest.MonkeyPatch.context() as patch, registries.pristine():
            for name in ("LRFER_CACHE", "LRFER_PLUGINS", "COLUMNS"):
                patch.setenv(name, environment[name])
            for name, value in variables.items():
                patch.setenv(name, value)
            patch.setattr(
                "lrfer_bench.running.session.engine_for", lambda request, logs: ToldEngine()
            )
            return subprocess.CompletedProcess(list(words), *in_process.lrfer(*words))

    return call


@pytest.fixture(scope="session")
def tiny() -> list[str]:
    """The options that bring the plugin of tests/support/plugins/tiny.py and its data set."""
    return ["--plugin", str(PLUGINS / "tiny.py"), "--dataset", "tinyfaces"]


@pytest.fixture(scope="session")
def trained(quickly: Lrfer, tiny: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results folder: linear (two seeds), enlarge and a failed cell.

    All are at x2 on the drawn faces.
    """
    results = tmp_path_factory.mktemp("trained") / "results"
    done = quickly(
        "run",
        *tiny,
        "--methods",
        "linear,enlarge,raises",
        "--scales",
        "2",
        "--seeds",
        "0,1",
        "--no-report",
        "--workers",
        "2",
        "--results",
        results,
    )
    assert done.returncode == 1 and "2 cells failed" in done.stderr, done.stderr
    return results


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--run-slow", action="store_true", help="also run the tests marked slow")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--run-slow"):
        return
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="slow: run with --run-slow"))
