""" "My face is N px high and I have M ms": what the page answers, in a real browser."""

from __future__ import annotations

import made_records
import numpy as np
import pytest
from web_page import need, rows

from lrfer_bench.reporting.collect import Options, collect
from lrfer_bench.store.store import Store

ALONE = {"processor": "C", "latency_alone": "yes"}
OTHERS = "the nearest size that these methods were tested at"


@pytest.fixture
def timed(monkeypatch):
    """Latencies of made-up records compare."""
    monkeypatch.setattr(made_records, "ENVIRONMENT", ALONE)


def test_the_nearest_size_and_its_best(open_report, factory, tmp_path):
    factory.fill(tmp_path)
    page = open_report()
    board = collect([tmp_path], Options(resamples=100)).boards[0]
    text = need(page, "10")
    assert text.startswith(f"At 12 px, {OTHERS}: ")
    best = max(board.ranked, key=lambda line: line.rows[4].accuracy.value)
    assert f"{best.label} has" in text
    assert "The time is not used" in need(page, "10", "3") and len(rows(page)) == 4
    assert "The time is not used" in need(page, "", "3"), "whatever the size"


def test_between_the_trained_sizes(open_report, factory, tmp_path):
    world = factory.World(80)
    for name, skill in (("direct", 2.0), ("gmenet", 0.0)):
        world.save(tmp_path, skill, method=name, scale=4)
    world.save(tmp_path, 0.0, method="gmenet", scale=5, train_scales=[4])
    page = open_report()
    text = need(page, "10")
    assert text.startswith("At 10 px: gmenet (trained at x4) has ")
    assert text.endswith("No method was trained for this size; 1 of 2 were tested at it.")
    text = need(page, "12")
    assert text.startswith("At 12 px: direct has ") and "No method" not in text


def test_slower_rows_are_left_out(open_report, factory, tmp_path, timed):
    factory.fill(tmp_path, images=80, seeds=(0,))
    page = open_report()
    text = need(page, "12", "4.5")
    assert text.startswith("At 12 px and within 4.5 ms: ") and "2 slower rows are left out" in text
    assert set(rows(page)) == {"enlarge", "direct"}, "2.5 and 4 ms; the others take 5.5 and 7"
    text = need(page, "", "4.5")
    assert text.startswith("Give the height") and "2 slower rows are left out below, " in text
    assert set(rows(page)) == {"enlarge", "direct"}


def test_a_row_without_a_number_is_not_slow(open_report, factory, tmp_path, timed):
    world = factory.fill(tmp_path, images=80, seeds=(0,))
    fields = {"method": "direct", "train_scales": [4], "cost": {"latency_ms": 4.0}}
    world.save(tmp_path, 0.5, scale=3, **fields)
    page = open_report()
    every = rows(page)
    assert len(every) == 5, "direct (trained at x4) has a row of its own"
    text = need(page, "16", "100")
    assert rows(page) == every and "slower" not in text
    assert text.endswith("4 rows below were not tested at this size.")
    text = need(page, "12", "4.5")
    assert text.endswith("2 slower rows are left out below.")
    need(page, "", "100")
    assert rows(page) == every, "nor where it lacks some size and none is asked for"


@pytest.mark.parametrize("time", ["0", "-3"])
def test_no_time_at_all_is_not_passed_over_in_silence(open_report, factory, tmp_path, timed, time):
    factory.fill(tmp_path, images=80, seeds=(0,))
    page = open_report()
    assert need(page, "12", time).endswith("Give a time of more than 0 ms.")
    assert len(rows(page)) == 4 and "ms=" not in page.evaluate("location.hash")


def three(root, *, images=1000):
    """At x4 bbb is level with aaa, the best, and ccc with neither, though not far below bbb."""
    labels = np.resize(np.arange(7), images)
    rng = np.random.default_rng(0)
    best, second = (rng.permutation(images) < count for count in (700, 690))
    third = second.copy()
    third[np.flatnonzero(second)[:22]] = False
    for name, right, ms in (("aaa", best, 50.0), ("bbb", second, 5.0), ("ccc", third, 3.0)):
        cost = {"latency_ms": ms, "macs": int(ms * 1_000_000)}
        made_records.save(root, right, labels, method=name, scale=4, cost=cost)


def test_level_is_what_was_tested_against_the_best(open_report, tmp_path, timed):
    three(tmp_path)
    page = open_report()
    assert "Level with it and cheaper: " in need(page, "12")
    text = need(page, "12", "10")
    assert "bbb has 69" in text and "Level" not in text, "ccc was tested against aaa only"


def test_without_tests_nothing_is_level(open_report, factory, tmp_path):
    labels = np.resize(np.arange(7), 400)
    for name, macs in (("aaa", 90), ("bbb", 10)):  # of equal accuracy
        right = np.roll(np.arange(400) < 200, 100 * macs)
        factory.save(tmp_path, right, labels, method=name, scale=4, cost={"macs": macs})
    assert "Level" in need(open_report(), "12")
    assert "Level" not in need(open_report(resamples=0), "12")


def test_what_could_not_be_tested_is_level_with_nothing(open_report, factory, tmp_path):
    world = factory.fill(tmp_path, images=400, seeds=(0,), leaked=0)
    world.save(tmp_path, 2.5, method="star", scale=4)
    for path in Store(tmp_path).logits.glob("*star*"):
        path.unlink()
    text = need(open_report(), "12")
    assert text.startswith("At 12 px: star has ") and "Level" not in text


def test_a_lucky_seed_is_not_the_answer(open_report, factory, tmp_path):
    """b's mean is higher by the seed that it has alone; on their own common seed a is better."""
    labels = np.resize(np.arange(7), 400)
    right = {("a", 0): 280, ("a", 1): 200, ("b", 0): 250}
    for (method, seed), count in right.items():
        factory.save(tmp_path, np.arange(400) < count, labels, method=method, seed=seed, scale=4)
    board = collect([tmp_path], Options(resamples=100)).boards[0]
    assert board.against[4] == "a" and "b" in [line.label for line in board.lines if line.beaten]
    assert need(open_report(), "12").startswith("At 12 px: a has ")


def test_hr_counts_where_methods_were_tested_at_it(open_report, factory, tmp_path):
    world = factory.fill(tmp_path, images=80, seeds=(0,))
    assert need(open_report(), "48").startswith(f"At 24 px, {OTHERS}: "), "the oracle alone"
    fields = {"scale": 1, "protocol": "hr", "test_protocol": "bicubic@1", "train_scales": [1]}
    world.save(tmp_path, 1.5, method="gmenet", **fields)
    page = open_report()
    text = need(page, "48")
    assert text.startswith("At 48 px: gmenet (trained at hr) has ")
    assert text.endswith("1 of 4 methods were tested at this size.")
    assert need(page, "40").startswith(f"At 48 px, {OTHERS}: ")


def test_where_nothing_is_finished(open_report, factory, tmp_path):
    factory.save(tmp_path, method="direct", failure="boom", traceback="x")
    page = open_report()
    assert need(page, "12") == "No method that can be compared is finished here."
    assert page.locator("#chart").inner_text() == "Nothing to draw: no method is finished here."
    assert page.locator("#cost-note").inner_text() == ""
