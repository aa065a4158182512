"""Which sizes are ranked, and which gaps are holes, where rows stand at unequal sizes."""

from lrfer_bench.reporting.collect import Options, collect


def test_scales_that_only_the_references_have_so_far_are_holes_of_the_others(factory, tmp_path):
    """A run that is not at its end: nothing is trained for x2 yet."""
    for scale in (2, 4):
        factory.save_hundred(tmp_path, method="bicubic", scale=scale, train_scales=[])
    factory.save_hundred(tmp_path, scale=4)
    board = collect([tmp_path], Options(resamples=100)).boards[0]
    assert board.lr_scales == [4], "alone at x2, enlarge takes no rank from what is trained"
    assert {e.label: (e.holes, e.rank) for e in board.lines} == {
        "enlarge": ({}, 1),
        "direct": ({2: "missing"}, 1),
    }
    assert [e.best for e in board.lines] == [{4}, {4}], (
        "alone at x2, bicubic is not called the best there"
    )


def test_a_size_between_the_trained_ones_is_no_hole(factory, tmp_path):
    for scale in (2, 4):
        factory.save_hundred(tmp_path, scale=scale)
        factory.save_hundred(tmp_path, method="other", scale=scale)
    factory.save_hundred(tmp_path, method="bicubic", scale=3, train_scales=[])
    factory.save_hundred(tmp_path, scale=3, train_scales=[4])
    board = collect([tmp_path], Options(resamples=100)).boards[0]
    assert not any(3 in line.holes for line in board.lines)


def test_an_evaluated_model_at_one_more_size_takes_no_rank_from_the_others(factory, tmp_path):
    for scale in (2, 4):
        factory.save_hundred(tmp_path, scale=scale)
    for scale in (2, 3, 4):
        factory.save_hundred(tmp_path, method="mine", scale=scale, train_scales=[], existing=True)
    board = collect([tmp_path], Options(resamples=100)).boards[0]
    assert board.lr_scales == [2, 4]
    assert {e.label: (e.holes, e.rank) for e in board.lines} == {
        "direct": ({}, 1),
        "mine": ({}, 1),
    }


def test_a_row_that_is_set_apart_at_one_more_size_takes_no_rank_from_the_others(factory, tmp_path):
    for scale in (2, 4):
        factory.save_hundred(tmp_path, scale=scale)
    for scale in (2, 4, 8):
        factory.save_hundred(tmp_path, method="crops", scale=scale, tta="ten crops")
    board = collect([tmp_path], Options(resamples=100)).boards[0]
    assert board.lr_scales == [2, 4]
    assert [(line.rank, line.holes) for line in board.ranked] == [(1, {})]
