"""The tuned rows of docs/results.md are those of the records, each against `direct`."""

from __future__ import annotations

import re

import pytest
from folders import REFERENCE, REFERENCE_GPU, ROOT

from lrfer_bench.planning.settings_file import read_settings_file
from lrfer_bench.reporting import numbers
from lrfer_bench.reporting.boards import Board
from lrfer_bench.reporting.choose import Choice
from lrfer_bench.reporting.collect import Options, collect
from lrfer_bench.reporting.duel import duel
from lrfer_bench.reporting.frame import load
from lrfer_bench.reporting.lines import Line
from lrfer_bench.reporting.words import answers, headline

CHOSEN = ROOT / "results" / "reference-tuning" / "tuning" / "settings.toml"
TEXT = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
SECTION = TEXT[TEXT.index("## Tuned rows") :].partition("\n## ")[0]
ROW = re.compile(r"^\| `([^`]+)` \| (.*?) \| (.*?) \| (.*?) \|$", re.MULTILINE)
"""Method; at 24, 12 and 6 pixels its accuracy, and what it is more than direct."""
SCALES = (2, 4, 8)
FOLDERS = (REFERENCE, REFERENCE_GPU)


@pytest.fixture(scope="module")
def board() -> Board:
    """That of what was trained and tested on bicubic."""
    report = collect([REFERENCE], Options(pictures="none", page=False))
    (found,) = [
        each for each in report.boards
        if (each.preset, each.protocol) == ("cpu@2", "bicubic@1")
    ]  # fmt: skip
    return found


def is_tuned(line: Line) -> bool:
    return any(row.record.method.trials == 8 for row in line.rows.values())


def cells(line: Line) -> tuple[str, ...]:
    rounds = duel([REFERENCE], line.label, "direct", Choice()).rounds
    gaps = {
        one.scale: one.difference for one in rounds
        if (one.board.preset, one.board.protocol) == ("cpu@2", "bicubic@1")
    }  # fmt: skip
    found = []
    for scale in SCALES:
        gap, accuracy = gaps[scale], line.rows[scale].accuracy
        low, value, high = (numbers.signed(v, 1) for v in (gap.low, gap.value, gap.high))
        percent = f"{numbers.percent(accuracy)} {numbers.bounds(accuracy)}"
        found.append(f"{percent}<br>{value} [{low}, {high}]")
    return tuple(found)


def test_the_table_is_that_of_the_records(board: Board) -> None:
    shown = {name: tuple(shares) for name, *shares in ROW.findall(SECTION)}
    assert shown == {line.label: cells(line) for line in board.lines if is_tuned(line)}
    assert len(shown) == 10


@pytest.mark.parametrize("label", [name for name, *_ in ROW.findall(SECTION)])
def test_each_row_has_what_its_trials_chose(label: str) -> None:
    name, _, settings = label.partition("[")
    chosen = read_settings_file(CHOSEN).settings[name]
    for part in filter(None, settings.rstrip("]").split(",")):
        setting, _, value = part.partition("=")
        assert str(chosen[setting]) == value


def test_how_far_they_are_from_their_untuned_rows() -> None:
    plain: dict[tuple[str, int, bool], float] = {}
    for record in (result.record for folder in FOLDERS for result in load([folder]).results):
        tuned = record.method.trials == 8
        of_its_size = record.test.scale in record.train.scales
        same = record.test.protocol == record.train.protocol == "bicubic@1"
        first = (record.preset, record.seed) == ("cpu@2", 0)
        if first and same and of_its_size and (tuned or not record.method.settings):
            assert record.metrics is not None
            plain[record.method.name, record.test.scale, tuned] = record.metrics.all.accuracy
    gaps = [100 * abs(a - plain[name, scale, False]) for (name, scale, t), a in plain.items() if t]
    assert f"is more than {max(gaps):.1f} points from" in " ".join(SECTION.split())


def test_what_the_report_says_is_quoted(board: Board) -> None:
    quoted = re.findall(r"^    (?!lrfer-bench)(.+)$", SECTION, flags=re.MULTILINE)
    clean = board.leak_free
    assert clean is not None
    said = [headline(board), *answers(board), headline(clean), *answers(clean)]
    assert quoted == [one if isinstance(one, str) else one.sentence for one in said]


def test_what_is_said_of_direct(board: Board) -> None:
    assert board.leak_free is not None
    plain = " ".join(SECTION.split())
    (whole,), (clean,) = (
        [line for line in each.lines if line.label == "direct"] for each in (board, board.leak_free)
    )
    accuracies = [numbers.percent(whole.rows[scale].accuracy) for scale in SCALES]
    assert "({}, {} and {} % there at 24, 12 and 6 pixels)".format(*accuracies) in plain
    assert f"(corrected p {numbers.p_text(whole.p[2])} and {numbers.p_text(clean.p[2])})" in plain
    assert f"with the leaked faces (p {numbers.p_text(whole.p[4])}); without them nothing" in plain
    assert whole.rank != 1 != clean.rank and clean.p[4] > 0.05 < whole.p[8]
