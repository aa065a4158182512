"""A column is declared once: one object puts it into every table, the page and --sort-by."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from folders import ROOT

from lrfer_bench.errors import UserError
from lrfer_bench.reporting import answers, columns, lookup
from lrfer_bench.reporting.collect import Options, collect
from lrfer_bench.reporting.column import Column
from lrfer_bench.reporting.frame import load_frame
from lrfer_bench.reporting.make import write

NEW = Column(
    "letters",
    "Letters",
    "How many letters the method's name has.",
    "lower",
    value=lambda board, line: float(len(line.label)),
)


@pytest.fixture
def one_more(monkeypatch):
    """COLUMNS with a new one in the middle."""
    known = columns.COLUMNS
    monkeypatch.setattr(columns, "COLUMNS", (*known[:9], NEW, *known[9:]))


@pytest.fixture
def written(one_more, bench, tmp_path):
    report = collect([bench], Options(resamples=0, pictures="none", sort_by="letters"))
    write(report, tmp_path)
    return tmp_path


def test_a_new_column_is_in_every_table_by_its_declaration_alone(written):
    lengths = {"direct": "6.000", "enlarge": "7.000", "multires": "8.000"}
    lines = (written / "leaderboard.md").read_text().splitlines()
    heads = [cell.strip() for cell in next(x for x in lines if "Letters" in x).split("|")]
    shown = {}
    for line in lines:
        cells = [cell.strip().strip("*") for cell in line.split("|")]
        if len(cells) == len(heads):
            shown[cells[heads.index("Method")]] = cells[heads.index("Letters")]
    assert {name: shown[name] for name in lengths} == lengths
    order = [name for name in shown if name in ("direct", "gmenet", "enlarge", "multires")]
    assert order[2:] == ["enlarge", "multires"], "sorted by it, the lowest first"

    table = pd.read_csv(written / "leaderboard.csv")
    assert (table["letters"] == table["method"].str.len()).all()
    html = (written / "leaderboard.html").read_text()
    assert '<th scope="col">Letters</th>' in html and "<td>7.000</td>" in html
    tex = (written / "leaderboard.tex").read_text()
    assert " & Letters & " in tex and "& 7.000 &" in tex


def test_a_new_column_is_in_the_data_of_the_page(written):
    text = (written / "index.html").read_text()
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.S).group(1))
    (board,) = data["boards"]
    (at,) = [k for k, column in enumerate(board["columns"]) if column["name"] == "letters"]
    assert board["columns"][at] == {
        "name": "letters", "head": "Letters", "tip": NEW.tip, "up": True, "scale": None,
        "over": False,
    }  # fmt: skip
    assert all(len(line["cells"]) == len(board["columns"]) for line in board["lines"])
    cells = {line["label"]: line["cells"][at] for line in board["lines"]}
    assert cells["enlarge"] == [7.0, "7.000", 0]


def test_a_new_column_is_in_the_table_of_a_browser(written, browser):
    page = browser.new_page()
    page.goto((written / "index.html").as_uri())
    head = page.locator('#table [data-sort="letters"]')
    assert head.inner_text() == "Letters"
    assert head.locator("xpath=..").get_attribute("title") == NEW.tip
    rows = "rows => rows.map(r => r.innerText.split('\\t').map(x => x.trim()))"
    place = page.locator("#table thead th").evaluate_all("c => c.map(x => x.innerText)")
    k = next(k for k, text in enumerate(place) if text.startswith("Letters"))
    wanted = ["6.000", "6.000", "7.000", "8.000"]  # by --sort-by at first
    for order in (wanted, wanted[::-1]):
        shown = page.locator("#table tbody:first-of-type tr").evaluate_all(rows)
        assert [row[k] for row in shown] == order
        head.click()
    page.close()


def test_a_new_column_is_in_the_help_of_sort_by(one_more, monkeypatch):
    module = importlib.import_module("lrfer_bench.cli.report")
    try:
        fresh = importlib.reload(module)  # the help is made when the module is imported
        shown = CliRunner().invoke(fresh.report, ["--help"], terminal_width=80)
        assert "letters" in shown.output
    finally:
        monkeypatch.undo()
        importlib.reload(module)


def test_no_name_is_used_twice_and_every_table_column_says_what_it_is():
    names = [name for column in columns.COLUMNS for name in column.csv_names]
    assert len(names) == len(set(names))
    shown = [column for column in columns.COLUMNS if column.value or column.at_scales]
    assert len(shown) == len({column.name for column in shown})
    assert all(column.tip.endswith(".") for column in shown)
    assert all(column.head for column in shown if column.value)


def test_a_quantity_has_the_name_that_load_results_gives_it(bench):
    """What stands in records has one name: in load_results(), in the CSV and in --sort-by."""
    frame = set(load_frame([bench]).columns)
    csv = {name for column in columns.COLUMNS for name in column.csv_names}
    numbers = {c for c in frame if c.startswith("clean_")} | {
        "n", "accuracy", "balanced_accuracy", "macro_f1", "nll", "ece", "parameters", "macs",
        "latency_ms", "throughput", "train_seconds", "train_seconds_with_stages", "peak_memory_mb",
    }  # fmt: skip
    assert numbers <= frame and numbers <= csv
    assert {"parameters", "train_seconds", "macro_f1"} <= set(lookup.sort_words())


@pytest.mark.parametrize("word", ["acuracy", "accuracy:3", "macs:4", "area:2", "accuracy:", ""])
def test_a_slip_in_sort_by_ends_before_any_logits_are_read(bench, monkeypatch, word):
    def read(result):
        raise AssertionError("logits were read")

    monkeypatch.setattr(answers, "trusted_logits", read)
    with pytest.raises(UserError, match="sort by"):
        collect([bench], Options(sort_by=word))


@pytest.mark.parametrize(("old", "new"), [("params", "parameters"), ("train", "train_seconds")])
def test_old_words_of_sort_by_still_work(bench, old, new):
    board = collect([bench], Options(resamples=0)).boards[0]
    by_old, by_new = (lookup.ordered(board, word, columns.COLUMNS) for word in (old, new))
    assert [line.label for line in by_old] == [line.label for line in by_new]


def test_equal_lines_stay_in_the_order_of_their_ranks_and_holes_come_last(factory, tmp_path):
    labels = np.arange(60) % 7
    for name, right in (("a", 20), ("b", 40), ("c", 30)):
        for scale in (2, 4):
            factory.save(tmp_path, np.arange(60) < right, labels, method=name, scale=scale)
    factory.save(tmp_path, np.arange(60) < 50, labels, method="part", scale=2)
    board = collect([tmp_path], Options(resamples=0)).boards[0]
    assert [e.label for e in lookup.ordered(board, "rank", columns.COLUMNS)][-1] == "part"
    by_cost = [e.label for e in lookup.ordered(board, "macs", columns.COLUMNS)]
    assert by_cost == [e.label for e in board.lines], "all have the same MACs"
    assert [e.label for e in lookup.ordered(board, "area", columns.COLUMNS)] == [
        "b", "c", "a", "part",
    ]  # fmt: skip
    by_scale = [e.label for e in lookup.ordered(board, "accuracy:4", columns.COLUMNS)]
    assert by_scale == ["b", "c", "a", "part"]


def test_a_scale_of_another_board_leaves_the_order(factory, tmp_path):
    labels = np.arange(60) % 7
    for name, right in (("a", 20), ("b", 40)):
        factory.save(tmp_path, np.arange(60) < right, labels, method=name, scale=2)
        factory.save(
            tmp_path, np.arange(60) < right, labels, method=name, scale=4, dataset="others"
        )
    report = collect([tmp_path], Options(resamples=0, sort_by="accuracy:4"))
    assert [list(board.sizes) for board in report.boards] == [[2], [4]]
    for board in report.boards:
        found = lookup.ordered(board, "accuracy:4", report.columns)
        assert [line.label for line in found] == ["b", "a"]


def test_help_is_quick_to_import():
    code = (
        "import sys\n"
        "from lrfer_bench.cli.report import report\n"
        "report(['--help'], standalone_mode=False)\n"
        "bad = {'torch', 'pandas', 'numpy', 'scipy', 'matplotlib'} & set(sys.modules)\n"
        "sys.exit(f'imported: {bad}' if bad else 0)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr
    assert "parameters" in found.stdout
