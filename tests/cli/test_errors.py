"""Mistakes end with a sentence and status 2, or leave out what is broken.

tests/test_messages.py has the sentences.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import in_process
import pytest
from folders import PLUGINS

from lrfer_bench.cli import main
from lrfer_bench.errors import CellError, UserError
from lrfer_bench.predicting import wanted


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "--overwrite", "maybe"], "maybe"),
        (["run", "--seeds", "a"], "--seeds"),
        (["run", "--workers", "many"], "many"),
        (["report", "--colour", "red"], "--colour"),
        (["methods", "shwo"], "shwo"),
    ],
    ids=" ".join,
)
def test_words_that_click_refuses(
    arguments: list[str], words: str, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    said = in_process.lrfer(*arguments)
    assert said.status == 2 and words in said.err and "Traceback" not in said.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "arguments", [["--debug", "presets", "show", "qick"], ["presets", "show", "qick", "--debug"]]
)
def test_debug_lets_python_show_the_traceback(arguments: list[str]) -> None:
    with pytest.raises(UserError, match="qick"):
        main(arguments)


def test_a_method_that_fails_outside_a_run_ends_with_a_sentence(monkeypatch: Any) -> None:
    def fails(*_: Any) -> None:
        raise CellError("Mine.forward returned NaN")

    monkeypatch.setattr(wanted, "cells_meant", fails)
    asked = ["predict", "--method", "mine", "a.png"]
    said = in_process.lrfer(*asked)
    assert (said.status, said.err) == (2, "lrfer-bench: Mine.forward returned NaN\n")
    with pytest.raises(CellError):
        main([*asked, "--debug"])


def test_a_broken_plugin_is_left_out_and_named(lrfer: Any) -> None:
    broken = PLUGINS / "broken.py"
    listed = lrfer("methods", "list", "--plugin", broken)
    assert listed.returncode == 0 and "direct" in listed.stdout
    assert "broken.py" in listed.stderr and "a_module_that_is_not_there" in listed.stderr


def test_a_full_disk_stops_with_a_sentence(lrfer: Any, tiny: list[str], tmp_path: Path) -> None:
    """A small file system of our own, where the system lets us mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() != 0 or os.system(f"mount -t tmpfs -o size=300k tmpfs {disk} 2>/dev/null") != 0:
        pytest.skip(
            "a small file system cannot be mounted here: a full disk is tested in test_store.py "
            "only"
        )
    try:
        done = lrfer(
            "run",
            *tiny,
            "--methods",
            "bicubic",
            "--scales",
            "2",
            "--results",
            disk / "results",
            "--no-report",
        )
        assert done.returncode in (1, 2), done.stdout
        assert (
            "No space left on device" in done.stderr + done.stdout
            and "Traceback" not in done.stderr
        )
    finally:
        os.system(f"umount {disk}")
