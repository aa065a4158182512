"""A first try with fewer scales does not stand beside the run that followed it."""

from __future__ import annotations

import pytest

from lrfer_bench.reporting.choose import Choice
from lrfer_bench.reporting.collect import Options, collect
from lrfer_bench.reporting.duel import duel
from lrfer_bench.reporting.grid import notes


@pytest.fixture
def tried(factory, tmp_path):
    """multires trained for x2 and x4 first, then for x8 as well; direct at all three."""
    world = factory.World(120)
    for scale in (2, 4, 8):
        world.save(tmp_path, 0.5, scale=scale)
        world.save(tmp_path, 0.5, method="multires", scale=scale, train_scales=[1, 2, 4, 8])
        if scale < 8:
            world.save(tmp_path, 0.5, method="multires", scale=scale, train_scales=[1, 2, 4])
    return tmp_path


def test_the_unfinished_one_is_folded_away_and_said(tried):
    report = collect([tried], Options(resamples=100))
    (board,) = report.boards
    assert sorted(line.label for line in board.lines) == ["direct", "multires"]
    assert all(line.rank for line in board.lines) and report.holes == []
    assert "Folded away: multires (trained at x1, x2, x4)" in " ".join(notes(board))


def test_compare_finds_it_by_the_name_that_the_note_has(tried):
    found = duel([tried], "multires (trained at x1, x2, x4)", "multires", Choice(), resamples=100)
    assert [one.scale for one in found.rounds] == [2, 4]


def test_unfolded_shows_both(tried):
    board = collect([tried], Options(resamples=100, unfolded=True)).boards[0]
    labels = [line.label for line in board.lines]
    assert len(labels) == 3 and "multires (trained at x1, x2, x4)" in labels
    assert "Folded away" not in " ".join(notes(board))


def test_a_line_is_not_folded_behind_an_unfinished_one(factory, tmp_path):
    world = factory.World(60)
    for scale in (2, 4):
        world.save(tmp_path, 0.5, scale=scale)
    world.save(tmp_path, 0.5, scale=8)
    for scales in ([1, 2], [1, 2, 4]):
        world.save(tmp_path, 0.5, method="multires", scale=2, train_scales=scales)
    assert len(collect([tmp_path], Options(resamples=0)).boards[0].lines) == 3
