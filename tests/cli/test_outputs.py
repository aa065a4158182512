"""Files that a user names: what is there already is kept, unless --force replaces it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from signal import SIGPIPE

import click
import in_process
import pytest
import registries
from folders import REFERENCE, TINY
from PIL import Image

from lrfer_bench.cli import COMMANDS, cli

SMALL = ["--plugin", TINY, "--dataset", "tinyfaces", "--scales", "2", "--protocols", "bicubic"]


@pytest.mark.parametrize(
    ("words", "file"),
    [
        (["predict", "face.png", "--results", "nowhere", "--out"], "said.csv"),
        (["faces", *SMALL, "--data-option", "nothing=1", "--out"], "faces.png"),
        (["compare", "direct", "nobody", "--results", "nowhere", "--images"], "differ.csv"),
        (["export", "--results", "nowhere", "--out"], "model.onnx"),
    ],
)
def test_a_file_that_is_there_is_kept_and_named_before_anything_is_read(
    words: list[str], file: str, tmp_path: Path
) -> None:
    """Everything else in these calls is wrong, too: the file is what is said."""
    path = tmp_path / file
    path.write_text("mine")
    with registries.kept():
        done = in_process.lrfer(*words, path)
    assert done.status == 2 and f"{file} is there already" in done.err, done.err
    assert f"another {words[-1]}, or replace it with --force" in done.err
    assert path.read_text() == "mine"


def test_force_replaces(tmp_path: Path) -> None:
    path = tmp_path / "differ.csv"
    path.write_text("mine")
    asked = ["compare", "direct", "srfer", "--results", REFERENCE, "--resamples", "100"]
    done = in_process.lrfer(*asked, "--scales", "8", "--images", path, "--force")
    assert done.status == 0 and path.read_text() != "mine", done.err


def test_a_picture_is_named_as_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "Fig.png").write_text("mine")
    with registries.kept():
        kept = in_process.lrfer("faces", *SMALL, "--out", tmp_path / "Fig.PNG")
        assert kept.status == 2 and "Fig.png is there already" in kept.err
        done = in_process.lrfer("faces", *SMALL, "--out", tmp_path / "Fig.PNG", "--force")
    assert done.status == 0 and f"in {tmp_path / 'Fig.png'}" in done.out, done.err
    assert Image.open(tmp_path / "Fig.png").format == "PNG"


def test_every_command_that_writes_a_named_file_knows_force() -> None:
    """--out or --images for a FILE; report writes a folder."""
    context, found = click.Context(cli), []
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        words = {word for parameter in command.params for word in parameter.opts}
        if name != "report" and words & {"--out", "--images"}:
            assert "--force" in words, name
            found.append(name)
    assert found == ["compare", "predict", "export", "faces"]


def test_a_reader_that_went_away_has_the_status_of_every_program() -> None:
    """`lrfer-bench methods list | head`: 1 would say that a cell failed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "lrfer_bench", "methods", "list"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b"" and process.wait() == 128 + SIGPIPE


def test_a_page_that_no_report_made_is_kept(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<html>mine</html>")
    asked = ["report", "--results", REFERENCE, "--pictures", "none", "--resamples", "0", "--quiet"]
    done = in_process.lrfer(*asked, "--out", tmp_path)
    assert done.status == 2 and "index.html was not made by a report" in done.err, done.err
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]
    for _ in range(2):  # a report's own page is replaced
        done = in_process.lrfer(*asked, "--out", tmp_path / "report")
        assert done.status == 0 and (tmp_path / "report" / "index.html").is_file(), done.err
