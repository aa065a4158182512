"""Which seeds stand in a table while others are still being trained, or were not tested."""

from __future__ import annotations

import numpy as np
import pytest

from lrfer_bench.reporting.choose import Choice
from lrfer_bench.reporting.collect import Options, collect
from lrfer_bench.reporting.duel import duel
from lrfer_bench.reporting.grid import notes
from lrfer_bench.reporting.make import frame
from lrfer_bench.reporting.words import headline


@pytest.fixture
def stopped(save):
    """Seed 0 of two methods is whole; a run of seed 1 was stopped after its first cell."""
    for scale in (2, 4, 8):
        save("good", 280, scale=scale)
        save("poor", 240, scale=scale)
    return save("good", 300, scale=2, seed=1)


def board(root, **options):
    return collect([root], Options(**{"resamples": 200, **options})).boards[0]


def test_a_run_stopped_amid_its_second_seed_is_a_table_of_the_first(stopped):
    found = board(stopped)
    good = next(line for line in found.lines if line.label == "good")
    assert good.rank == 1 and not good.holes
    assert good.rows[2].means["accuracy"] == 0.7, "seed 1 of x2 does not count"
    assert headline(found).startswith("good is the most accurate")
    assert any("good (seed 1)" in note for note in notes(found))


def test_partial_means_take_all_seeds(stopped):
    good = next(line for line in board(stopped, partial=True).lines if line.label == "good")
    assert good.rows[2].means["accuracy"] == pytest.approx(0.725)


def test_a_comparison_takes_all_seeds_that_both_have(stopped, save):
    save("poor", 240, scale=2, seed=1)
    counts = {r.scale: r.difference.seeds for r in duel([stopped], "good", "poor", Choice()).rounds}
    assert counts == {2: 2, 4: 1, 8: 1}


def test_a_failed_seed_still_leaves_a_hole(stopped, save, factory):
    for scale in (4, 8):
        factory.save(stopped, method="good", scale=scale, seed=1, failure="out of memory")
    good = next(line for line in board(stopped).lines if line.label == "good")
    assert good.rank is None and good.holes == {4: "1 of 2 seeds", 8: "1 of 2 seeds"}


def test_a_failed_cell_is_seen_also_where_its_seed_was_not_tested_elsewhere(stopped, factory):
    factory.save(stopped, method="poor", scale=4, seed=1, failure="out of memory")
    poor = next(line for line in board(stopped).lines if line.label == "poor")
    assert set(poor.holes) == {2, 4, 8} and poor.holes[4] == "1 of 2 seeds"


def test_a_size_that_a_model_only_met_may_have_fewer_seeds(save):
    for seed in (0, 1):
        for scale in (2, 4):
            root = save("one", 280 + seed, scale=scale, train_scales=[2, 4], seed=seed)
    save("one", 200, scale=3, train_scales=[2, 4])
    one = board(root).lines[0]
    assert {scale: row.seeds for scale, row in one.rows.items()} == {2: [0, 1], 3: [0], 4: [0, 1]}
    assert not one.holes and one.rows[3].means["accuracy"] == 0.5


def test_rows_of_one_seed_among_others_are_said_to_be_over_images_only(save):
    for seed in (0, 1):
        root = save("two", 280, seed=seed)
    save("one", 240)
    said = " ".join(notes(board(root)))
    assert "Means over 1 or 2 seeds" in said and "with one seed over test images only" in said
    assert "on the seeds that both have" in said
    assert "One seed in common" in headline(board(root)), "all comparisons are of one seed"


def test_a_row_that_trains_nothing_has_the_sizes_of_those_beside_it(save):
    """Seed 0 was tested between the sizes, too; that takes seed 1 from nobody."""
    for seed in (0, 1):
        for scale in (2, 4):
            save("one", 280, scale=scale, seed=seed)
            save("enlarge", 200 + 10 * seed, scale=scale, seed=seed, train_scales=[])
    root = save("enlarge", 180, scale=3, train_scales=[])
    save("enlarge", 300, scale=1, train_scales=[])
    found = board(root)
    rows = next(line for line in found.lines if line.label == "enlarge").rows
    assert {scale: row.seeds for scale, row in rows.items()} == {
        1: [0], 2: [0, 1], 3: [0], 4: [0, 1]
    }  # fmt: skip
    assert not any("Seeds left out" in note for note in notes(found))


def test_alone_it_has_all_sizes(save):
    save("enlarge", 210, scale=2, seed=1, train_scales=[])
    for scale in (2, 3):
        root = save("enlarge", 200, scale=scale, train_scales=[])
    (line,) = board(root).lines
    assert {scale: row.seeds for scale, row in line.rows.items()} == {2: [0], 3: [0]}


def test_a_partial_area_does_not_hang_on_resamples(stopped):
    found = {}
    for resamples in (0, 200):
        lines = board(stopped, partial=True, resamples=resamples).lines
        found[resamples] = {line.label: line.area for line in lines}
    for label, area in found[200].items():
        assert area.value == found[0][label].value
        assert np.isnan(area.low) == (label == "good"), "its sizes have other seeds: no interval"


@pytest.fixture
def two_boards(save):
    """Rows trained under bicubic at two scales and seeds, one under camera at another scale."""
    for seed, right in ((0, 200), (1, 220)):
        for scale in (2, 4):
            save("enlarge", right, scale=scale, seed=seed, train_scales=[])
            save("direct", 280, scale=scale, seed=seed)
    save("enlarge", 160, scale=8, train_scales=[])
    return save("direct", 180, scale=8, protocol="camera@1", test_protocol="bicubic@1")


def test_a_scale_of_another_board_takes_no_seed_away(two_boards):
    report = collect([two_boards], Options(resamples=200))
    assert [board.protocol for board in report.boards] == ["bicubic@1", "camera@1"]
    here, there = (
        next(line for line in board.lines if line.label == "enlarge") for board in report.boards
    )
    assert {s: row.seeds for s, row in here.rows.items()} == {2: [0, 1], 4: [0, 1], 8: [0]}
    assert here.rows[2].means["accuracy"] == pytest.approx(0.525)
    assert not here.holes and here.rank and not here.rows[2].left
    assert there.rows[8].seeds == [0] and there.rank


def test_such_a_row_is_one_line_of_the_csv(two_boards):
    table = frame(collect([two_boards], Options(resamples=200)))
    lines = table[table.method == "enlarge"].set_index("scale").seed_list
    assert lines.to_dict() == {2: "0;1", 4: "0;1", 8: "0"}


def test_each_board_has_the_seeds_of_its_own_scales(two_boards, save):
    """Under camera x2 and x8 are trained for: seed 1 of enlarge is not at both."""
    save("direct", 260, scale=2, protocol="camera@1", test_protocol="bicubic@1")
    report = collect([two_boards], Options(resamples=200))
    seeds = {
        board.protocol: {s: row.seeds for s, row in line.rows.items()}
        for board in report.boards
        for line in board.lines
        if line.label == "enlarge"
    }
    assert seeds["bicubic@1"] == {2: [0, 1], 4: [0, 1], 8: [0]}
    assert seeds["camera@1"] == {2: [0], 4: [0], 8: [0]}
    assert len(frame(report).query("method == 'enlarge'")) == 3


def test_more_seeds_of_a_ceiling_take_no_warning_from_rows_with_one(save, factory):
    save("good", 300)
    root = save("poor", 100)
    for seed in (0, 1):
        save("oracle", 320, seed=seed, kind="oracle", scale=1)
    said = notes(board(root))
    assert said[0].startswith("One seed: intervals are over test images only")
    assert not any("seeds that both have" in note for note in said)


def test_means_that_are_equal_but_for_the_order_of_their_sum_share_a_rank(save):
    for seed, (one, other) in enumerate(zip((40, 80, 120), (120, 80, 40), strict=True)):
        save("aaa", one, seed=seed)
        root = save("bbb", other, seed=seed)
    found = board(root, resamples=0)
    assert [line.rank for line in found.lines] == [1, 1]
    assert all(line.best == {4} for line in found.lines)


@pytest.mark.parametrize(
    ("seeds_of_poor", "words"),
    [((0, 1), "A row whose seeds scatter is told apart later"), ((0,), "one of few seeds may")],
)
def test_why_ranks_need_not_follow_the_means(seeds_of_poor, words, save):
    """Other seeds at another size are no reason: rows are compared size by size."""
    for scale in (2, 4, 8):
        for seed in (0, 1):
            root = save("good", 280, scale=scale, seed=seed)
            save("third", 200, scale=scale, seed=seed)
        for seed in seeds_of_poor:
            save("poor", 240, scale=scale, seed=seed)
    for name in ("good", "poor", "third"):
        save(name, 100, scale=3)
    said = [note for note in notes(board(root, partial=True)) if "need not follow" in note]
    assert len(said) == 1 and words in said[0]
