"""The program understands every command that README and docs show.

The three guides are walked through.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from folders import ROOT, TINY
from PIL import Image

from lrfer_bench.cli import cli
from lrfer_bench.store.store import Store

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
WALKED = [
    "add-a-method.md",
    pytest.param("first-hour.md", marks=pytest.mark.slow),
    pytest.param("protocols.md", marks=pytest.mark.slow),
]


def steps(page: Path) -> Iterator[tuple[str, str]]:
    """("file", python text) and ("command", line), in the page's order.

    Indented and fenced blocks count.
    """
    fence: list[str] | None = None
    language = ""
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("```"):
            if fence is not None and language == "python":
                yield "file", "\n".join(fence) + "\n"
            fence, language = ([], line[3:].strip()) if fence is None else (None, "")
        elif fence is not None and language == "python":
            fence.append(line)
        elif (fence is not None or line.startswith("    ")) and re.match(
            r"\s*(?:[A-Z_]+=\S+ )*lrfer-bench\b", line
        ):
            yield "command", line.strip()


COMMANDS = [(page.name, text) for page in PAGES for kind, text in steps(page) if kind == "command"]


def words_of(command: str) -> tuple[dict[str, str], list[str], str]:
    """(variables, arguments after lrfer-bench, file that the output goes to)"""
    words = shlex.split(command, comments=True)
    variables = {}
    while "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        variables[name] = value
    target = ""
    arrow = next((word for word in words if word in (">", ">>")), None)
    if arrow:
        target = words[words.index(arrow) + 1]
        words = words[: words.index(arrow)]
    return variables, words[1:], target


@pytest.mark.parametrize(
    ("page", "command"), COMMANDS, ids=[f"{page}: {text[:60]}" for page, text in COMMANDS]
)
def test_the_program_knows_every_command(page: str, command: str) -> None:
    variables, words, _ = words_of(command)
    if any(name.endswith("_COMPLETE") for name in variables):
        return
    found: click.Command = cli
    context = click.Context(cli)
    while isinstance(found, click.Group):
        name = words.pop(0)
        inner = found.get_command(context, name)
        assert inner is not None, f'{page} shows "{command}", but there is no {name}'
        found = inner
    found.make_context(found.name, words, resilient_parsing=False)


@pytest.mark.parametrize("page", WALKED)
def test_a_guide_can_be_walked(page: str, environment: dict[str, str], tmp_path: Path) -> None:
    """In order, in one folder; every step has to succeed.

    Runs take drawn faces in place of SynthFace. check-method does not: whether a small training on
    those learns anything hangs on the processor's last bits.
    """
    prepare(page, environment, tmp_path)
    ran = 0
    for kind, text in steps(ROOT / "docs" / page):
        if kind == "file":
            write_or_run(text, environment, tmp_path)
            continue
        variables, words, target = words_of(text)
        if words and words[0] in ("run", "plan"):
            words += [
                "--dataset",
                "tinyfaces",
                "--workers",
                "1",
                *(["--no-report"] if words[0] == "run" else ["--no-estimate"]),
            ]
        done = lrfer_bench(words, environment | variables, tmp_path)
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
        if target:
            assert "lrfer-bench" in done.stdout and "_LRFER_BENCH_COMPLETE" in done.stdout
        ran += 1
    assert ran >= 5


def lrfer_bench(words: list[str], environment: dict[str, str], folder: Path) -> Any:
    variables = {**environment, "LRFER_PLUGINS": str(TINY), "SHELL": "/bin/bash"}
    command = [sys.executable, "-m", "lrfer_bench", *words]
    return subprocess.run(
        command, cwd=folder, env=variables, capture_output=True, text=True, timeout=300, check=False
    )


def prepare(page: str, environment: dict[str, str], folder: Path) -> None:
    """What a reader has by then: a picture of a face, a results folder from another machine."""
    if page != "first-hour.md":
        return
    Image.fromarray(np.full((40, 40), 128, np.uint8)).save(folder / "face.png")
    words = [
        "run",
        "--dataset",
        "tinyfaces",
        "--methods",
        "linear",
        "--scales",
        "2",
        "--no-report",
        "--results",
        "from-the-cluster",
    ]
    assert lrfer_bench(words, environment, folder).returncode == 0
    shutil.rmtree(folder / "from-the-cluster" / "models")


def write_or_run(text: str, environment: dict[str, str], folder: Path) -> None:
    """A block that begins with its file's name is that file.

    Any other is a script, run on the drawn faces.
    """
    named = re.match(r'"""(\w+\.py)\b', text)
    if named:
        (folder / named[1]).write_text(text)
        return
    script = folder / "script.py"
    script.write_text(
        text.replace("scales=[2, 4])", 'scales=[2, 4], dataset="tinyfaces", preset="quick")')
    )
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**environment, "LRFER_PLUGINS": str(TINY), "PYTHONPATH": str(folder)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert any(Store(folder / "results").scan())
