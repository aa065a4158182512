"""new-method: what it writes is clean, works, and never goes over what is there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import in_process
import pytest


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("new")
    for more in ([], ["--package"]):
        done = in_process.lrfer("new-method", "my-idea", "--folder", folder, *more)
        assert done.status == 0 and "lrfer-bench check-method" in done.out, done.err
    return folder


@pytest.mark.parametrize(
    "tool",
    [
        ["ruff", "check", "--isolated", "--select", "E4,E7,E9,F,I,B,UP", "."],
        ["ruff", "format", "--isolated", "--check", "--line-length", "120", "."],
    ],
    ids=["ruff", "format"],
)
def test_it_passes_ruff(written: Path, tool: list[str]) -> None:
    command = [sys.executable, "-m", *tool]
    done = subprocess.run(command, cwd=written, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_file_runs_by_itself_and_passes_its_check(
    written: Path, lrfer: Any, tiny: list[str]
) -> None:
    done = subprocess.run(
        [sys.executable, "my_idea.py"], cwd=written, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "torch.Size([2, 7])", done.stderr
    checked = lrfer("check-method", written / "my_idea.py", *tiny)
    assert checked.returncode == 0 and checked.stdout.endswith("all is well\n"), checked.stdout


def test_nothing_is_overwritten(written: Path) -> None:
    before = {path: path.read_bytes() for path in written.rglob("*") if path.is_file()}
    for more in ([], ["--package"]):
        again = in_process.lrfer("new-method", "my-idea", "--folder", written, *more)
        assert again.status == 2 and "already" in again.err
    assert {path: path.read_bytes() for path in written.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("name", "words"),
    [("direct", '"direct"'), ("My_Idea", "as a name"), ("-x", "has no option"),
     ("../up", "as a name"), ("class", "Python"), (51 * "n", "up to 50"),
     ("torch", "would hide"), ("task", "would hide"), ("none", "would hide"), ("f", "would hide")],
)  # fmt: skip
def test_names_that_will_not_do(tmp_path: Path, name: str, words: str) -> None:
    done = in_process.lrfer("new-method", name, "--folder", tmp_path)
    assert done.status == 2 and words in done.err and not list(tmp_path.iterdir())


def test_the_command_in_a_package_s_file_works_where_it_is_installed(
    written: Path, tmp_path: Path
) -> None:
    package = written / "lrfer-my-idea"
    info = tmp_path / "lrfer_my_idea-0.1.0.dist-info"
    info.mkdir()  # what an installation leaves
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lrfer-my-idea\nVersion: 0.1.0\n")
    points = "[lrfer_bench.methods]\nmy-idea = lrfer_my_idea.method:MyIdea\n"
    (info / "entry_points.txt").write_text(points)
    command = [sys.executable, "-m", "lrfer_my_idea.method"]
    paths = os.pathsep.join([str(package), str(tmp_path)])
    done = subprocess.run(command, cwd=package, env={**os.environ, "PYTHONPATH": paths},
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.stdout.strip() == "torch.Size([2, 7])", done.stderr
