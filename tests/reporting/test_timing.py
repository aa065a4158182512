"""Latencies: what was measured on what, and what is not sorted by."""

from __future__ import annotations

import made_records
import pytest

from lrfer_bench.reporting import columns, curves, lookup, timing
from lrfer_bench.reporting.collect import Options, collect

ALONE = {"processor": "Chip", "latency_alone": "yes", "latency_threads": "2"}
GPU = {"processor": "Chip", "gpu": "Card", "latency_alone": "yes"}


@pytest.fixture
def board(factory, tmp_path, monkeypatch):
    def make(*environments):
        for k, told in enumerate(environments):
            monkeypatch.setattr(made_records, "ENVIRONMENT", told)
            factory.save(tmp_path, [True] * (40 - k) + [False] * (20 + k), [0, 1, 2] * 20,
                         method=f"m{k}", cost={"latency_ms": 9.0 - 2 * k})  # fmt: skip
        return collect([tmp_path], Options(resamples=50)).boards[0]

    return make


def head(board):
    return next(c.head for c in lookup.in_table(columns.COLUMNS, board) if c.name == "latency_ms")


def order(board):
    return [line.label for line in lookup.ordered(board, "latency_ms", columns.COLUMNS)]


def fronts(board):
    figure = curves.pareto([board], {f"m{k}": made_look() for k in range(3)}, "latency_ms")
    return [line for line in figure.axes[0].get_lines() if line.get_drawstyle() == "steps-post"]


def made_look():
    from lrfer_bench.reporting.palette import Look

    return Look("#000000", "o")


def test_measured_alike_and_alone_they_are_sorted_by_and_form_a_front(board):
    found = board(ALONE, ALONE, ALONE)
    assert head(found) == "Latency (Chip · 2 threads · batch 1)"
    assert order(found) == ["m2", "m1", "m0"]
    assert len(fronts(found)) == 1 and timing.note(found) == ""


@pytest.mark.parametrize(
    ("environments", "said"),
    [
        ([{"processor": "Chip"}] * 3, "Latency (Chip · batch 1 · beside other work)"),
        ([ALONE, ALONE, GPU], "Latency (batch 1, hardware or load differ)"),
        ([ALONE, ALONE, {"processor": "Chip"}], "Latency (batch 1, hardware or load differ)"),
    ],
)
def test_under_other_load_or_hardware_they_are_neither(board, environments, said):
    found = board(*environments)
    assert head(found) == said
    assert order(found) == [line.label for line in found.lines], "the order of the ranks"
    assert fronts(found) == [] and "they form no front" in timing.note(found)


def test_a_gpu_stands_in_the_head(board):
    assert head(board(GPU, GPU)) == "Latency (Card · batch 1)"
