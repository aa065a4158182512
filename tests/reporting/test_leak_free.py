"""The track without leaked rows is a whole table: as if the leaked rows had never been there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lrfer_bench.cli.boards import board_lines
from lrfer_bench.reporting.collect import Options, collect
from lrfer_bench.reporting.counts import class_recall, confusion
from lrfer_bench.reporting.frame import load_frame
from lrfer_bench.reporting.grid import main_grid, notes
from lrfer_bench.reporting.make import frame, write
from lrfer_bench.reporting.pictures import picture_jobs
from lrfer_bench.reporting.words import headline
from lrfer_bench.running.status import Status, news
from lrfer_bench.store.answers import Logits
from lrfer_bench.store.store import Store

N, LEAKED = 240, 120
LABELS = np.arange(N) * 5 % 7
CLEAN = np.arange(N) >= LEAKED
METHODS = {"memory": (120, 40), "learner": (60, 90), "twin": (60, 89)}
"""How many of the leaked and of the other images each has right at x2; at x4 ten fewer of each."""


def right(leaked: int, others: int) -> np.ndarray:
    found = np.zeros(N, dtype=bool)
    found[:leaked] = True
    found[LEAKED : LEAKED + others] = True
    return found


def save(factory, roots, correct, **fields):
    """The same logits in both folders, in the second without the leaked rows."""
    logits = factory.make_logits(correct, LABELS, 7, CLEAN)
    rest = Logits(logits.logits[CLEAN], LABELS[CLEAN], CLEAN[CLEAN])
    for root, part in zip(roots, (logits, rest), strict=True):
        Store(root).save(factory.make_record(part, **fields), part)


@pytest.fixture(scope="module")
def pair(factory, tmp_path_factory):
    """Reports on all rows, and on records of the other rows alone, with intervals."""
    roots = [tmp_path_factory.mktemp(name) for name in ("all", "rest")]
    oracle = {"method": "oracle", "kind": "oracle", "protocol": "hr", "scale": 1}
    save(factory, roots, right(115, 100), **oracle)
    for name, (leaked, others) in METHODS.items():
        for scale, fewer in ((2, 0), (4, 10)):
            save(factory, roots, right(leaked - fewer, others - fewer), method=name, scale=scale)
    return [collect([root], Options(resamples=200)) for root in roots]


def texts(board, columns):
    grid = main_grid(board, "rank", columns)
    return [[cell.whole for cell in line] for line in [*grid.lines, *grid.apart]], grid.heads


def test_every_cell_is_that_of_a_table_without_the_leaked_rows(pair):
    """Accuracy, rank, area, size that keeps 90 %, macro-F1, balanced accuracy, and the order."""
    whole, rest = pair
    clean, heads = texts(whole.boards[0].leak_free, whole.columns)
    assert (clean, heads) == texts(rest.boards[0], rest.columns)
    assert clean != texts(whole.boards[0], whole.columns)[0]
    assert whole.boards[0].ranked[0].label == "memory"
    ranks = {line.label: line.rank for line in whole.boards[0].leak_free.ranked}
    assert ranks == {"learner": 1, "twin": 1, "memory": 3}


def test_matrix_and_recall_follow(pair):
    whole, rest = pair
    for line, other in zip(whole.boards[0].leak_free.lines, rest.boards[0].lines, strict=True):
        for scale, row in line.rows.items():
            assert np.array_equal(confusion(row), confusion(other.rows[scale]))
            assert [class_recall(row, k) for k in range(7)] == [
                class_recall(other.rows[scale], k) for k in range(7)
            ]
            assert confusion(row).sum() == N - LEAKED


def test_metrics_that_were_asked_for_follow(factory, tmp_path):
    labels, clean = LABELS[:120], CLEAN[60:180]
    factory.save(tmp_path, np.arange(120) < 60, labels, clean)
    report = collect([tmp_path], Options(resamples=100, metrics=["kappa", "brier"]))
    (row,) = report.rows
    for name in ("kappa", "brier"):
        assert row.leak_free.means[name] == pytest.approx(row.means[f"clean_{name}"])
        assert row.leak_free.means[name] != pytest.approx(row.means[name])
        assert row.leak_free.measured[name].low < row.leak_free.means[name]


def test_every_format_has_it(pair, tmp_path: Path):
    whole, rest = pair
    whole.options = Options(resamples=200, pictures="none")
    write(whole, tmp_path)
    title = "without leaked rows (120 of 240 test images)"
    for ending in ("md", "html", "tex"):
        text = (tmp_path / f"leaderboard.{ending}").read_text()
        assert title in text.replace("\\", ""), ending
    mine, theirs = frame(whole), frame(rest)
    for name in ("rank", "best", "area", "area_low", "retained", "accuracy_high", "macro_f1"):
        pd.testing.assert_series_equal(mine[f"clean_{name}"], theirs[name], check_names=False)
    assert board_lines(whole.boards[0].leak_free) == board_lines(rest.boards[0])
    names = {job.name for job in picture_jobs(whole.boards, whole.looks, everything=True)}
    folder = "pictures/faces-bicubic1-bicubic1-cpu1-clean"
    assert {f"{folder}/confusion", f"{folder}/recall", f"{folder}/reliability"} <= names
    assert {"curves-clean", "pareto-macs-clean"} <= names


def test_neither_table_says_that_all_images_leak(pair):
    board = pair[0].boards[0]
    for each in (board, board.leak_free):
        assert "Every test image" not in headline(each) + "".join(notes(each))


def test_without_leaks_there_is_one_table(pair):
    assert pair[1].boards[0].leak_free is None
    assert all(row.leak_free is row for row in pair[1].rows)


def test_of_no_face_there_is_no_accuracy(factory, tmp_path):
    """Where every test image also stands in train."""
    labels = np.arange(40) % 7
    record = factory.save(tmp_path, np.ones(40, bool), labels, clean=np.zeros(40, bool))
    (line,) = load_frame([tmp_path]).to_dict("records")
    assert line["accuracy"] == 1 and line["clean_n"] == 0
    for name in ("clean_accuracy", "clean_macro_f1", "clean_nll", "clean_accuracy_low"):
        assert line[name] is None or np.isnan(line[name]), name
    (said,) = news(Status(cells=1, trainings=0, last=record))
    assert said.endswith("accuracy 1.0000 (every test image also stands in train)")
