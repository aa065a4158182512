"""The rules of CONTRIBUTING.md that a machine can check."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest
from folders import ROOT

ROOMS = ("lrfer_bench", "methods", "datasets", "benchmarks", "tests")
FILES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))


@pytest.mark.parametrize("tool", [["ruff", "check", "."], ["mypy"]], ids=["ruff", "mypy"])
def test_linters_are_content(tool: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", *tool], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


def test_files_are_under_400_lines_and_functions_under_60() -> None:
    long = []
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        if text.count("\n") >= 400:
            long.append(str(path))
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                assert node.end_lineno is not None
                if node.end_lineno - node.lineno + 1 >= 60:
                    long.append(f"{path}:{node.lineno} {node.name}")
    assert not long
    assert len(FILES) > 50


def test_the_harness_names_no_method_and_no_data_set() -> None:
    """An import of a built-in method or data set, or a comparison with its name, belongs into its own file."""
    from lrfer_bench.plugins.registry import DATASETS, METHODS

    names = {*METHODS.names(), *DATASETS.names()} - {
        "folder",
        "bicubic",
        "direct",
        "classifier",
        "oracle",
    }  # words of their own
    guilty = []
    for path in sorted((ROOT / "lrfer_bench").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Compare):
                words = {n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
                guilty += [f"{path}:{node.lineno}" for _ in words & names]
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
                ("lrfer_bench.methods", "lrfer_bench.datasets")
            ):
                guilty.append(f"{path}:{node.lineno}")
    assert not guilty
