"""Leaderboards in a terminal."""

from __future__ import annotations

import re

import click
from click.testing import CliRunner

from lrfer_bench.cli.boards import board_lines
from lrfer_bench.cli.report import report
from lrfer_bench.reporting.collect import Options, collect


def test_heads_bold_ties_and_the_oracle_under_hr(bench):
    board = collect([bench], Options(resamples=200)).boards[0]
    lines = board_lines(board)
    head = click.unstyle(lines[0])
    assert re.findall(r"\S+ \d+ px", head) == ["x2 24 px", "x4 12 px", "x8 6 px", "HR 48 px"]
    plain = {line.label: click.unstyle(text) for line, text in
             zip(board.lines, lines[1:], strict=True)}  # fmt: skip
    assert plain["oracle"].index("[") > head.index("HR"), "its number stands under HR"
    assert plain["oracle"][: head.index("HR")].split() == ["–", "oracle"]
    for line, text in zip(board.lines, lines[1:], strict=True):
        bold = re.findall(r"\x1b\[1m([\d.]+)\x1b\[0m", text)
        assert len(bold) == len(line.best), line.label
        assert (f"\x1b[1m{line.label}\x1b[0m" in text) == line.best_overall
    assert any(len(line.best) for line in board.lines)


def test_names_are_shown_and_not_obeyed(factory, tmp_path):
    factory.save(tmp_path, [True, False] * 9, [0, 1] * 9, settings={"x": "\x1b[2J"})
    text = "\n".join(board_lines(collect([tmp_path], Options(resamples=0)).boards[0]))
    assert "\x1b[2J" not in text and "\\x1b[2J" in text


def test_a_pipe_gets_plain_text_and_no_progress(bench, tmp_path):
    asked = ["--results", str(bench), "--out", str(tmp_path), "--resamples", "100"]
    done = CliRunner().invoke(report, [*asked, "--pictures", "none"], catch_exceptions=False)
    assert "\x1b" not in done.output and "\r" not in done.output
    assert "gmenet is the most accurate over 24, 12 and 6 pixels together" in done.output


def test_progress_is_told_step_by_step(bench, tmp_path):
    from lrfer_bench.reporting.make import make_report

    told: list[str] = []
    make_report([bench], tmp_path, Options(resamples=0, pictures="curves"), told.append)
    assert told[:2] == ["reading records", "counting 39 cells"]
    assert told[-2:] == ["picture 1 of 2: curves", "picture 2 of 2: curves-clean"]


def test_the_terminal_sorts_as_the_tables_do(save, tmp_path):
    for method, right, macs in (("big", 300, 3), ("small", 250, 1), ("middle", 200, 2)):
        root = save(method, right, cost={"macs": macs})
    asked = ["--results", str(root), "--out", str(tmp_path / "out"), "--resamples", "0"]
    asked += ["--pictures", "none", "--sort-by"]

    def order(column):
        done = CliRunner().invoke(report, [*asked, column], catch_exceptions=False)
        return re.findall(r"^ +\d +(big|middle|small)", done.output, re.MULTILINE)

    assert order("macs") == ["small", "middle", "big"]
    assert order("rank") == ["big", "small", "middle"]


def test_what_sets_a_row_apart_and_why_one_has_no_rank_stand_below(save, tmp_path):
    save("many", 300, seed=0)
    save("many", 300, seed=1)
    save("crops", 350, tta="ten crops")
    root = save("other", 200, seed=2)
    asked = ["--results", str(root), "--out", str(tmp_path / "out"), "--pictures", "none"]
    done = CliRunner().invoke(report, [*asked, "--resamples", "100"], catch_exceptions=False)
    assert "\n  crops: test-time augmentation: ten crops\n" in done.output
    assert "\n  No rank: other (no common seed)." in done.output
