"""A model that is tested once is no second method, whatever lines it stands in."""

from __future__ import annotations

import numpy as np
import pytest

from lrfer_bench.reporting import curves, panels, values
from lrfer_bench.reporting.choose import Choice
from lrfer_bench.reporting.collect import Options, collect
from lrfer_bench.reporting.copies import own_lines
from lrfer_bench.reporting.duel import duel
from lrfer_bench.reporting.page_data import page_data
from lrfer_bench.reporting.words import answers, headline
from lrfer_bench.scoring.paired import holm, mcnemar

N = 400
LABELS = np.resize(np.arange(7), N)


@pytest.fixture
def save(factory, tmp_path):
    """Save a cell that has `right` of 400 images right, from `start` on."""

    def save(method, right, start=0, **fields):
        found = np.roll(np.arange(N) < right, start)
        factory.save(tmp_path, found, LABELS, method=method, **fields)
        return tmp_path

    return save


def board(root, **options):
    return collect([root], Options(**{"resamples": 200, **options})).boards[0]


def lines(found):
    return {line.label: line for line in found.lines}


def test_testing_a_model_at_another_size_changes_no_p_of_its_own_size(save):
    for method, right in (("good", 300), ("near", 280), ("far", 260)):
        root = save(method, right, start=right)
    before = {label: line.p.get(4) for label, line in lines(board(root)).items()}
    for method, right in (("good", 200), ("near", 190)):
        save(method, right, scale=3, train_scales=[4])
    after = lines(board(root))
    assert {label: after[label].p.get(4) for label in before} == before
    assert len(before) == 3 and len(after) == 5, "each tested model has a line of its own"
    for copy, own in (("good (trained at x4)", "good"), ("near (trained at x4)", "near")):
        assert after[copy].p.get(4) == after[own].p.get(4)
        assert (4 in after[copy].best) == (4 in after[own].best)
    right = {"good": (300, 300), "near": (280, 280), "far": (260, 260)}
    masks = {name: np.roll(np.arange(N) < count, start) for name, (count, start) in right.items()}
    raw = [
        float(mcnemar((masks["good"] & ~masks[k]).sum(), (masks[k] & ~masks["good"]).sum()))
        for k in ("near", "far")
    ]
    assert [before["near"], before["far"]] == pytest.approx(holm(raw).tolist())


def test_a_model_is_not_said_to_be_level_with_itself(save):
    save("good", 300)
    save("poor", 100)
    root = save("good", 200, scale=3, train_scales=[4])
    found = board(root)
    assert "(trained at x4)" not in headline(found)
    assert "significantly ahead of the other one" in headline(found)
    assert [a.sure for a in answers(found)] == [True]
    ranks = {label: line.rank for label, line in lines(found).items()}
    assert ranks == {"good": 1, "good (trained at x4)": 1, "poor": 2}


def test_nobody_is_called_better_who_is_worse_on_the_seeds_that_both_have(save):
    """Over its two seeds A has 65 %, B has 64 % with one; on that one B is far ahead."""
    save("a", 240, seed=0)
    save("a", 280, seed=1)
    root = save("b", 256, seed=0)
    found = board(root)
    assert duel([root], "a", "b", Choice()).rounds[0].difference.value == pytest.approx(-0.04)
    assert "significantly ahead" not in headline(found)
    assert found.untested == {"b": "better than the best on the seeds that both have"}
    (answer,) = answers(found)
    assert (answer.best, answer.sure) == ("a", False)
    assert answer.said == (
        "the only one that can be ranked; b is better on the seeds that both have"
    )
    save("c", 100, seed=0)
    found = board(save("c", 100, seed=1))
    assert "of those that could be ranked" in headline(found), "b is neither behind nor forgotten"
    assert [line.rank for line in found.lines if line.label in "abc"].count(None) == 1


def test_the_best_is_ahead_by_what_compare_says(save):
    for method, right in (("good", 300), ("even", 299), ("poor", 200)):
        root = save(method, right)
    (answer,) = answers(board(root))
    assert answer.said == "level with even"
    assert answer.lead.startswith("better than poor by 25.0 points [")
    one = duel([root], "good", "poor", Choice(), resamples=200).rounds[0].difference
    assert f"[{100 * one.low:.1f}, {100 * one.high:.1f}]" in answer.lead


def test_what_a_row_costs_is_of_the_sizes_that_all_have(save):
    """A model that is tested between the sizes is no dearer than its own."""
    for scale, cost in ((2, 1.0), (4, 2.0)):
        root = save("one", 300, scale=scale, cost={"latency_ms": cost, "macs": cost})
        save("many", 290, scale=scale, train_scales=[2, 4], cost={"latency_ms": cost, "macs": cost})
    save("many", 290, scale=3, train_scales=[2, 4], cost={"latency_ms": 9.0, "macs": 9.0})
    found = board(root)
    for line in found.ranked:
        assert values.largest(found, line, "macs") == 2.0
        assert values.cost_text("macs", str)(found, line).whole == "1.0 to 2.0"


def test_a_model_in_two_lines_is_one_mark(save):
    for method, right in (("good", 300), ("near", 280)):
        for scale in (4, 3):
            root = save(method, right, scale=scale, train_scales=[4])
    report = collect([root], Options(resamples=0))
    figure = curves.pareto(report.boards, report.looks, "macs")
    marks = [line for line in figure.axes[0].get_lines() if line.get_marker() not in ("", "None")]
    assert len(marks) == 2
    (shown,) = page_data(report)["boards"]
    copies = {line["label"]: (line["off_scale"], line["copies"]) for line in shown["lines"]}
    assert copies == {
        "good": (False, {}), "near": (False, {}),
        "good (trained at x4)": (True, {4: "good"}), "near (trained at x4)": (True, {4: "near"}),
    }  # fmt: skip
    sheet = panels.recall(report.boards[0], report.looks)
    assert [text.get_text() for text in sheet.legends[0].get_texts()] == ["good", "near"]


def test_a_method_that_stands_at_other_sizes_alone_is_drawn(save):
    save("many", 290, scale=3, train_scales=[2, 4])
    root = save("one", 300, scale=3, train_scales=[4])
    report = collect([root], Options(resamples=0))
    found = report.boards[0]
    assert [line.label for line in own_lines(found.ranked)] == [line.label for line in found.ranked]
    sheet = panels.recall(found, report.looks)
    assert len(sheet.legends[0].get_texts()) == 2
