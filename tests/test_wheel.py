"""As a stranger: the wheel and a plugin's wheel in a fresh environment, end to end.

Everything runs outside the checkout.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from typing import Any

import pytest
from folders import ROOT, TINY

from lrfer_bench.store.schema import Record
from lrfer_bench.store.store import Store

PARTS = ("lrfer_bench", "methods", "datasets", "pyproject.toml", "README.md", "LICENSE")
BROKEN = {
    "pyproject.toml": '[project]\nname = "lrfer-broken"\nversion = '
    '"0.3"\n[project.entry-points."lrfer_bench.methods"]\n'
    'broken-one = "lrfer_broken:Nothing"\ndirect = '
    '"lrfer_broken:Nothing"\n[tool.setuptools]\npackages = ["lrfer_broken"]\n',
    "lrfer_broken/__init__.py": "import a_library_of_yesterday\n",
}


class Place:
    """A virtual environment that sees the libraries of this one, but not this checkout."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.bin = folder, folder / "venv" / "bin"
        venv.create(folder / "venv", with_pip=False)
        (self.site,) = (folder / "venv" / "lib").glob("python*/site-packages")
        (self.site / "libraries.pth").write_text(
            sysconfig.get_path("purelib") + "\n"
        )  # its own .pth files are not read
        hidden = ("PYTHONPATH", "LRFER_PLUGINS")
        self.environment = {k: v for k, v in os.environ.items() if k not in hidden}
        self.environment |= {
            "LRFER_CACHE": str(folder / "cache"),
            "OMP_NUM_THREADS": "1",
            "COLUMNS": "100",
        }

    def call(self, *words: object) -> subprocess.CompletedProcess[str]:
        command = [str(self.bin / "lrfer-bench"), *map(str, words)]
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )

    def install(self, source: Path) -> None:
        """Build a wheel of a source tree and install it."""
        wheels = self.folder / f"wheels-{source.name}"
        pip = [sys.executable, "-m", "pip"]
        flags = ["--no-deps", "--no-build-isolation", "--quiet", "--disable-pip-version-check"]
        run([*pip, "wheel", *flags, "--wheel-dir", str(wheels), str(source)])
        (wheel,) = wheels.glob("*.whl")
        run(
            [
                *pip,
                "--python",
                str(self.bin / "python"),
                "install",
                "--no-deps",
                "--quiet",
                "--no-index",
                str(wheel),
            ]
        )


def run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    pytest.importorskip("setuptools")
    place = Place(tmp_path_factory.mktemp("stranger"))
    source = place.folder / "source"
    source.mkdir()
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(
                ROOT / part, source / part, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            shutil.copy(ROOT / part, source / part)
    place.install(source)
    shutil.rmtree(source)
    return place


@pytest.mark.slow
def test_the_wheel_is_whole(place: Place) -> None:
    installed = place.site / "lrfer_bench"
    found = place.call("methods", "show", "direct")
    assert found.returncode == 0 and "from lrfer-bench " in found.stdout, found.stderr
    for file in (
        "templates/method.py.txt",
        "py.typed",
        "protocols/golden.npz",
        "report/templates/page.html",
        "methods/direct.card.toml",
        "datasets/synthface_data/synthface48.npz",
    ):
        assert (installed / file).is_file(), file
    for command in (
        ["datasets", "show", "synthface"],
        ["protocols", "show", "bicubic"],
        ["plan", "--methods", "direct", "--no-estimate"],
    ):
        done = place.call(*command)
        assert done.returncode == 0, done.stderr
    assert "equal to its golden arrays" in place.call("protocols", "show", "bicubic").stdout


@pytest.mark.slow
def test_a_plugin_package_runs_end_to_end(place: Place) -> None:
    """new-method --package, build, install, check, run, report, predict, merge.

    The run has a built-in method beside the new one.
    """
    assert place.call("new-method", "my-idea", "--package").returncode == 0
    place.install(place.folder / "lrfer-my-idea")
    shutil.rmtree(place.folder / "lrfer-my-idea")
    listed = place.call("methods", "list")
    assert (
        "a small network that also restores the HR face  [lrfer-my-idea 0.1.0]" in listed.stdout
    ), listed.stderr
    tiny = ["--plugin", TINY, "--dataset", "tinyfaces"]
    checked = place.call("check-method", "my-idea", *tiny)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    done = place.call(
        "run", *tiny, "--methods", "my-idea,gmenet", "--scales", "2,4", "--workers", "2"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (place.folder / "results" / "report" / "index.html").is_file()
    records = [
        record for record in Store(place.folder / "results").scan() if isinstance(record, Record)
    ]
    assert {(r.method.name, r.test.scale, r.status) for r in records} == {
        (name, scale, "finished") for name in ("my-idea", "gmenet") for scale in (2, 4)
    }
    sources = {record.method.name: record.method.source for record in records}
    assert sources["my-idea"] == "lrfer-my-idea 0.1.0" and sources["gmenet"].startswith(
        "lrfer-bench "
    )
    merged = place.call("merge", "results", "--results", "mine")
    assert merged.returncode == 0 and "4 taken" in merged.stdout
    code = (
        "import lrfer_bench as l; t = l.load_results(); p = l.load_model(t.key[0]); "
        "print(p.lr_size)"
    )
    python: Any = subprocess.run(
        [str(place.bin / "python"), "-c", code],
        cwd=place.folder, env=place.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert python.stdout.strip() in ("(8, 8)", "(4, 4)"), python.stderr


@pytest.mark.slow
def test_a_broken_package_is_listed_with_its_error_and_takes_nobody_down(place: Place) -> None:
    for name, text in BROKEN.items():
        path = place.folder / "lrfer-broken" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    place.install(place.folder / "lrfer-broken")
    listed = place.call("methods", "list")
    assert listed.returncode == 0 and "direct" in listed.stdout
    assert "left out: broken-one" in listed.stderr and "a_library_of_yesterday" in listed.stderr
    assert '"direct" of lrfer-broken 0.3 is taken by lrfer-bench' in listed.stderr
    assert place.call("plan", "--methods", "direct", "--no-estimate").returncode == 0
    wanted = place.call("plan", "--methods", "broken-one", "--no-estimate")
    assert wanted.returncode == 2 and "lrfer-broken 0.3 cannot be imported" in wanted.stderr
