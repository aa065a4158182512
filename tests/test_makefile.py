"""What `make` would do, as `make -n` tells it: `run` brings no tools of development."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from folders import ROOT


def told(target: str, folder: Path) -> str:
    if shutil.which("make") is None:
        pytest.skip("there is no make")
    done = subprocess.run(
        ["make", "-n", target, f"VENV={folder / 'venv'}"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


def test_run_installs_what_running_needs_and_says_how_large(tmp_path: Path) -> None:
    said = told("run", tmp_path)
    assert re.search(r"pip install --quiet -e \.$", said, re.M)
    assert "[dev]" not in said and "-m pytest" not in said
    assert re.search(r"\d GB", said) and "README" in said
    assert "lrfer-bench run" in said


def test_test_installs_the_tools_as_well(tmp_path: Path) -> None:
    said = told("test", tmp_path)
    assert "-e ." in said and "-e '.[dev]'" in said and "pytest" in said
    assert said.index("-e .\n") < said.index("-e '.[dev]'")


def test_what_is_installed_already_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / ".installed").touch()
    assert "pip install" not in told("run", tmp_path)


def test_the_readme_says_how_to_have_the_cpu_build() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "pytorch.org" in text and re.search(r"about 1 GB", text)
