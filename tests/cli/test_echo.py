"""Names from records and files are shown in a terminal and in a spreadsheet, never obeyed."""

from __future__ import annotations

import ast
import csv
import io
from pathlib import Path

import in_process
import made_records
import numpy as np
import pandas as pd
import pytest
from folders import ROOT

from lrfer_bench.cli.echo import echo, echo_data
from lrfer_bench.errors import csv_cell, escaped
from lrfer_bench.reporting.collect import Options, collect
from lrfer_bench.reporting.make import write

EVIL = "\x1b]0;title\x07\x1b[2J\r\x9b31m\u202edel\ud800\x00"


@pytest.mark.parametrize("letter", EVIL)
def test_no_control_reaches_a_terminal(letter: str, capsys: pytest.CaptureFixture[str]) -> None:
    echo(f"a{letter}b\nc\td")
    said = capsys.readouterr().out
    assert said.endswith("c\td\n") and "a" in said and "b" in said
    assert letter.isalnum() or letter in "];[" or letter not in said
    assert letter not in "\x1b\x07\r\x9b\u202e\ud800\x00" or "\\" in said


def test_text_of_the_world_stays_as_it_is() -> None:
    text = "é ß 漢字 😀 – ≤ [x] {y}\tz\n"
    assert escaped(text) == text


def test_data_keep_names_that_are_not_utf8(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    echo_data("\udcff.png,happy\n")
    assert capfdbinary.readouterr().out == b"\xff.png,happy\n"


@pytest.mark.parametrize("text", ["=cmd|'/C calc'!A0", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_formula_is_quoted(text: str) -> None:
    assert csv_cell(text) == f"'{text}"


@pytest.mark.parametrize("value", ["happy", "", "a=b", 1, -1.5, None, True, float("nan")])
def test_other_cells_are_as_they_are(value: object) -> None:
    assert csv_cell(value) is value


def test_a_hostile_record_is_told_harmlessly(tmp_path: Path) -> None:
    labels = np.arange(40) % 2
    evil = {"classes": ("=1+1", EVIL.replace("\ud800", "")), "settings": {"x": EVIL[:-2]}}
    made_records.save(tmp_path, labels > 0, labels, source=EVIL[:-2], **evil)
    made_records.save(tmp_path, failure=EVIL[:-2], scale=8, **evil)
    said = in_process.lrfer("report", "--results", tmp_path, "--pictures", "none",
                            "--resamples", "0")  # fmt: skip
    assert said.status == 0 and "\\x1b" in said.out + said.err
    for text in (said.out, said.err):
        assert not set(text) & set("\x1b\x07\x9b\u202e\x00")


def test_no_cell_of_the_tables_is_a_formula(tmp_path: Path) -> None:
    labels = np.arange(40) % 2
    for seed in range(2):
        made_records.save(tmp_path, labels > seed, labels, classes=("=1", "b"), seed=seed)
    made_records.save(tmp_path, failure="=2+2", scale=8, classes=("=1", "b"))
    write(collect([tmp_path], Options(resamples=0, pictures="none", page=False)), tmp_path / "out")
    text = (tmp_path / "out" / "leaderboard.csv").read_text()
    cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    assert cells and not [cell for cell in cells if cell[:1] in tuple("=+-@")]
    numbers = pd.read_csv(io.StringIO(text))["accuracy"]
    assert numbers.dtype == float


def test_sub_commands_print_by_echo_alone() -> None:
    for path in sorted((ROOT / "lrfer_bench" / "cli").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and path.name != "echo.py":
                assert ast.unparse(node.func) not in ("click.echo", "print", "click.secho"), path


def test_bold_is_the_only_code_that_passes(capsys: pytest.CaptureFixture[str]) -> None:
    from lrfer_bench.cli.echo import bold, echo_bold

    echo_bold("a " + bold("b\x1b[2J") + " \x1b[31mc")
    assert capsys.readouterr().out == "a b\\x1b[2J \\x1b[31mc\n"
