"""The rules of CONTRIBUTING.md that a machine can check."""

from __future__ import annotations

import ast
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import in_process
import pytest
from folders import ROOT

ROOMS = ("lrfer_bench", "methods", "datasets", "benchmarks", "tests")
FILES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))


@pytest.mark.parametrize("tool", [["ruff", "check", "."], ["mypy"]], ids=["ruff", "mypy"])
def test_linters_are_content(tool: list[str]) -> None:
    if importlib.util.find_spec(tool[0]) is None:  # as under the lowest versions
        pytest.skip(f"no {tool[0]} here: `make test` installs the tools of development")
    done = subprocess.run(
        [sys.executable, "-m", *tool], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


def test_what_new_method_writes_passes_mypy(tmp_path: Path) -> None:
    """With the cache of the test above: what torch and numpy are is known, not read again."""
    if importlib.util.find_spec("mypy") is None:
        pytest.skip("no mypy here: `make test` installs the tools of development")
    for more in ([], ["--package"]):
        assert in_process.lrfer("new-method", "my-idea", "--folder", tmp_path, *more).status == 0
    command = [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml")]
    command += ["--cache-dir", str(ROOT / ".mypy_cache")]
    command += ["my_idea.py", "lrfer-my-idea/lrfer_my_idea/method.py"]
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "MYPYPATH": str(ROOT)}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


LINES, FUNCTION_LINES = 350, 50
"""Files and functions have fewer lines than this."""


def too_long(name: str, text: str) -> Iterator[str]:
    """The file's name if it is too long, and each of its functions that is."""
    if text.count("\n") >= LINES:
        yield name
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            assert node.end_lineno is not None
            if node.end_lineno - node.lineno + 1 >= FUNCTION_LINES:
                yield f"{name} {node.name}"


def test_files_and_functions_are_short() -> None:
    texts = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in FILES}
    assert len(texts) > 50
    found = {long for name, text in texts.items() for long in too_long(name, text)}
    assert not found, f"split these: files under {LINES} lines, functions under {FUNCTION_LINES}"


def test_a_long_file_and_a_long_function_are_found() -> None:
    long = "def f():\n" + "    pass\n" * (FUNCTION_LINES - 1)
    assert list(too_long("a.py", long)) == ["a.py f"]
    assert list(too_long("a.py", "\n" + long.replace("    pass\n", "", 1))) == []
    assert list(too_long("a.py", "\n" * LINES)) == ["a.py"]


def test_the_harness_names_no_method_and_no_data_set() -> None:
    """An import of a built-in one, or a comparison with its name, belongs into its own file."""
    from lrfer_bench.plugins.registry import DATASETS, METHODS

    names = {*METHODS.names(), *DATASETS.names()} - {
        "folder",
        "bicubic",
        "enlarge",
        "direct",
        "classifier",
        "oracle",
    }  # words of their own
    guilty = []
    for path in sorted((ROOT / "lrfer_bench").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Compare):
                words = {
                    n.value
                    for n in ast.walk(node)
                    if isinstance(n, ast.Constant) and isinstance(n.value, str)
                }
                guilty += [f"{path}:{node.lineno}" for _ in words & names]
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
                ("lrfer_bench.methods", "lrfer_bench.datasets")
            ):
                guilty.append(f"{path}:{node.lineno}")
    assert not guilty
