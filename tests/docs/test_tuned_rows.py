"""The tuned rows of docs/results.md are those of the records, each against `direct`."""

from __future__ import annotations

import re

import pytest
from folders import REFERENCE, REFERENCE_GPU, ROOT

from lrfer_bench.planning.settings_file import read_settings_file
from lrfer_bench.reporting import numbers
from lrfer_bench.reporting.boards import Board
from lrfer_bench.reporting.choose import Choice
from lrfer_bench.reporting.collect import Options, Report, collect
from lrfer_bench.reporting.duel import duel
from lrfer_bench.reporting.frame import load
from lrfer_bench.reporting.words import answers, headline

CHOSEN = ROOT / "results" / "reference-tuning" / "tuning" / "settings.toml"
TEXT = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
SECTION = TEXT[TEXT.index("## Tuned rows") :].partition("\n## ")[0]
ROW = re.compile(r"^\| `([^`]+)` \| (.*?) \| (.*?) \|$", re.MULTILINE)
"""Method, accuracy with its interval, and what it is more than direct."""


def board_of(report: Report) -> Board:
    """That of what was trained and tested on bicubic."""
    (board,) = [
        each for each in report.boards
        if (each.preset, each.protocol) == ("cpu@2", "bicubic@1")
    ]  # fmt: skip
    return board


def rows() -> dict[str, tuple[str, str]]:
    """What the records say, by the names that the page has."""
    report = collect([REFERENCE], Options(Choice(scales=[4]), pictures="none", page=False))
    board = board_of(report)
    found = {}
    for line in board.ranked:
        record = line.rows[4].record
        if record.method.trials != 8:
            continue
        accuracy = line.rows[4].accuracy
        rounds = duel([REFERENCE], line.label, "direct", Choice(scales=[4])).rounds
        (one,) = [each for each in rounds if each.board.preset == "cpu@2"
                  and each.board.protocol == "bicubic@1"]  # fmt: skip
        gap = one.difference
        low, value, high = (numbers.signed(v, 1) for v in (gap.low, gap.value, gap.high))
        found[line.label] = (
            f"{numbers.percent(accuracy)} {numbers.bounds(accuracy)}",
            f"{value} [{low}, {high}], p {numbers.p_text(gap.p)}",
        )
    return found


def test_the_table_is_that_of_the_records() -> None:
    shown = {name: (accuracy, gap) for name, accuracy, gap in ROW.findall(SECTION)}
    assert shown == rows() and len(shown) > 3


@pytest.mark.parametrize("label", [name for name, *_ in ROW.findall(SECTION)])
def test_each_row_has_what_its_trials_chose(label: str) -> None:
    name, _, settings = label.partition("[")
    chosen = read_settings_file(CHOSEN).settings[name]
    for part in filter(None, settings.rstrip("]").split(",")):
        setting, _, value = part.partition("=")
        assert str(chosen[setting]) == value


def test_how_far_they_are_from_their_untuned_rows() -> None:
    plain = {
        (r.record.method.name, r.record.method.trials or 0): r.record.metrics.all.accuracy
        for folder in (REFERENCE, REFERENCE_GPU)
        for r in load([folder]).results
        if (r.record.preset, r.record.test.scale, r.record.seed) == ("cpu@2", 4, 0)
        and r.record.metrics
        and r.record.train.scales != [2]
        and r.record.test.protocol == r.record.train.protocol
        and (r.record.method.trials == 8 or not r.record.method.settings)
    }
    tuned = {name for name, trials in plain if trials == 8}
    gaps = [100 * abs(plain[name, 8] - plain[name, 0]) for name in tuned]
    assert f"is more than {max(gaps):.1f} points from" in " ".join(SECTION.split())


def test_what_the_report_says_is_quoted() -> None:
    report = collect([REFERENCE], Options(Choice(scales=[4]), pictures="none", page=False))
    board = board_of(report)
    quoted = re.findall(r"^    (?!lrfer-bench)(.+)$", SECTION, flags=re.MULTILINE)
    clean = board.leak_free
    assert clean is not None
    said = [headline(board), *answers(board), headline(clean), *answers(clean)]
    assert quoted == [one if isinstance(one, str) else one.sentence for one in said]
