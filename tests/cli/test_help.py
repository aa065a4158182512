"""Every sub-command's help fits a screen, groups many options and ends with two examples.

The examples work.
"""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import in_process
import numpy as np
import pytest
import registries
from click.testing import CliRunner
from folders import TINY
from PIL import Image

from lrfer_bench.cli import cli

ROWS, COLUMNS = 48, 80
MANY = 7
LONG = (
    "run",
    "tune",
    "plan",
    "evaluate",
    "check-method",
    "datasets prepare",
    "datasets verify",
    "datasets render",
    "faces",
    "report --results",
    "export --method srfer",
    "predict --method direct --scale 2",
    "new-method my-idea",
)
"""Examples that train, read a data set that is not here, or are run by the guides' tests:
understood here, not run.
"""


def commands(
    group: click.Group = cli, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command with its words, groups as well."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


ALL = list(commands())
EXAMPLES = [(path, example) for path, command in ALL for example in command.examples]


@pytest.mark.parametrize(("path", "command"), ALL, ids=[" ".join(path) for path, _ in ALL])
def test_every_path_knows_the_home_folder(path: tuple[str, ...], command: click.Command) -> None:
    """A shell hands `--results=~/faces` on as it is: it would be a folder called "~" here."""
    for parameter in command.params:
        if isinstance(parameter.type, click.Path):
            found = parameter.type.convert("~/faces", parameter, None)
            assert found == Path.home() / "faces", parameter.name


@pytest.mark.parametrize(("path", "command"), ALL, ids=[" ".join(path) for path, _ in ALL])
def test_a_help_is_one_screen_with_headings_and_two_examples(
    path: tuple[str, ...], command: click.Command
) -> None:
    shown = CliRunner().invoke(
        cli, [*path, "--help"], terminal_width=COLUMNS, prog_name="lrfer-bench"
    )
    assert shown.exit_code == 0, shown.output
    lines = shown.output.rstrip().splitlines()
    assert len(lines) <= ROWS and max(map(len, lines)) <= COLUMNS
    beginning = lines.index("Examples:")
    assert len(lines) - beginning == 3, "two examples are the last that a help shows"
    assert all(line.startswith(f"  lrfer-bench {path[0]}") for line in lines[beginning + 1 :])
    options = [param for param in command.params if isinstance(param, click.Option)]
    if len(options) >= MANY:
        headings = [
            line
            for line in lines
            if line.endswith(":") and not line.startswith(" ") and line != "Examples:"
        ]
        assert len(headings) >= 2, "so many options need headings"
    for option in options:
        assert option.opts[0] in shown.output and option.help, (
            f"{option.opts[0]} does not say what it is for"
        )


@pytest.mark.parametrize(("path", "example"), EXAMPLES, ids=[example for _, example in EXAMPLES])
def test_an_example_is_understood(path: tuple[str, ...], example: str) -> None:
    words = shlex.split(example)[1:]
    found: click.Command | None = cli
    while isinstance(found, click.Group):
        found = found.get_command(click.Context(found), words.pop(0))
        assert found is not None
    found.make_context(path[-1], words, resilient_parsing=False)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, quickly: Any) -> Path:
    """A user's folder.

    Records and models of a small run, the same from two other machines, a plugin, pictures.
    """
    folder = tmp_path_factory.mktemp("user")
    done = quickly(
        "run",
        "--plugin",
        TINY,
        "--dataset",
        "tinyfaces",
        "--methods",
        "direct,multires",
        "--scales",
        "2,4",
        "--no-report",
        "--results",
        folder / "results",
    )
    assert done.returncode == 0, done.stderr
    for other in ("from-the-cluster", "laptop", "cluster"):
        shutil.copytree(folder / "results", folder / other / "results")
    assert in_process.lrfer("new-method", "my-idea", "--folder", folder).status == 0
    (folder / "faces").mkdir()
    for path in ("face.png", "faces/one.png"):
        Image.fromarray(np.full((40, 40), 128, np.uint8)).save(folder / path)
    return folder


RUN = sorted(
    {
        example
        for _, example in EXAMPLES
        if not example.removeprefix("lrfer-bench ").startswith(LONG)
    }
)


@pytest.mark.parametrize("example", RUN)
def test_an_example_works(
    example: str, place: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    monkeypatch.setenv("HOME", str(place))
    monkeypatch.setenv("LRFER_CACHE", environment["LRFER_CACHE"])
    monkeypatch.setenv("LRFER_PLUGINS", str(TINY))
    words = [re.sub("^~", str(place), word) for word in shlex.split(example)[1:]]
    with registries.kept():
        said = in_process.lrfer(*words)
    assert said.status == 0 and said.out, said.err
