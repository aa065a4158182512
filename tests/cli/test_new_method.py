"""new-method: what it writes is clean, works, and never goes over what is there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from folders import ROOT


@pytest.fixture(scope="module")
def written(lrfer: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("new")
    for more in ([], ["--package"]):
        done = lrfer("new-method", "my-idea", "--folder", folder, *more)
        assert done.returncode == 0 and "lrfer-bench check-method" in done.stdout, done.stderr
    return folder


@pytest.mark.parametrize(
    "tool",
    [["ruff", "check", "--isolated", "--select", "E4,E7,E9,F,I,B,UP"],
     ["ruff", "format", "--isolated", "--check", "--line-length", "120"],
     ["mypy", "--disallow-untyped-defs", "--follow-imports=silent", "--ignore-missing-imports"]],
    ids=["ruff", "format", "mypy"],
)  # fmt: skip
def test_it_passes_ruff_and_mypy(written: Path, tool: list[str]) -> None:
    targets = ["my_idea.py", "lrfer-my-idea/lrfer_my_idea/method.py"] if tool[0] == "mypy" else ["."]
    done = subprocess.run([sys.executable, "-m", *tool, *targets], cwd=written, capture_output=True, text=True, check=False,
                          env={**os.environ, "MYPYPATH": str(ROOT)})  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_file_runs_by_itself_and_passes_its_check(written: Path, lrfer: Any, tiny: list[str]) -> None:
    done = subprocess.run([sys.executable, "my_idea.py"], cwd=written, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "torch.Size([2, 7])", done.stderr
    checked = lrfer("check-method", written / "my_idea.py", *tiny)
    assert checked.returncode == 0 and checked.stdout.endswith("all is well\n"), checked.stdout


def test_nothing_is_overwritten(written: Path, lrfer: Any) -> None:
    before = {path: path.read_bytes() for path in written.rglob("*") if path.is_file()}
    for more in ([], ["--package"]):
        again = lrfer("new-method", "my-idea", "--folder", written, *more)
        assert again.returncode == 2 and "already" in again.stderr
    assert {path: path.read_bytes() for path in written.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("name", "words"),
    [("direct", '"direct"'), ("My_Idea", "as a name"), ("-x", "o such option"),
     ("../up", "as a name"), ("class", "Python"),
     ("torch", "would hide"), ("task", "would hide")],
)  # fmt: skip
def test_names_that_will_not_do(lrfer: Any, tmp_path: Path, name: str, words: str) -> None:
    done = lrfer("new-method", name, "--folder", tmp_path)
    assert done.returncode == 2 and words in done.stderr and not list(tmp_path.iterdir())
