"""The oracle: on every board of its data, one of several, and met once."""

from __future__ import annotations

import pytest

from lrfer_bench.errors import UserError
from lrfer_bench.reporting.choose import Choice
from lrfer_bench.reporting.collect import Options, collect
from lrfer_bench.reporting.duel import duel
from lrfer_bench.reporting.grid import notes
from lrfer_bench.reporting.values import smallest


@pytest.fixture
def oracle(save):
    return lambda name="oracle", right=320, **fields: save(
        name, right, kind="oracle", scale=1, **fields
    )


def boards(root, **options):
    return collect([root], Options(**{"resamples": 0, **options})).boards


def test_it_stands_on_the_boards_of_all_test_protocols_once(save, oracle):
    for test in ("bicubic@1", "area@1", "camera@1"):
        for scale in (2, 4):
            root = save("direct", 310 - 10 * scale, scale=scale, test_protocol=test)
    oracle()
    oracle(test_protocol="area@1")
    found = boards(root)
    assert len(found) == 3
    for board in found:
        assert [line.label for line in board.lines] == ["direct", "oracle"]
        assert board.sizes == {1: 48, 2: 24, 4: 12}
        assert board.lines[0].retained[2].value == pytest.approx(290 / 320)
        assert board.lines[0].smallest is not None and not board.lines[1].holes
        own = board.ceiling.record.test.protocol
        assert own == board.test_protocol or board.test_protocol == "camera@1"


def test_so_does_every_row_on_hr_that_nothing_was_trained_for(save):
    for test in ("bicubic@1", "camera@1"):
        save("direct", 250, test_protocol=test)
        save("enlarge", 200, train_scales=[], test_protocol=test)
    root = save("enlarge", 300, train_scales=[], scale=1)
    assert [sorted(board.sizes) for board in boards(root)] == [[1, 4], [1, 4]]


def test_alone_it_has_one_board(oracle):
    oracle()
    (board,) = boards(oracle(test_protocol="camera@1"))
    assert board.title == "faces · bicubic@1 · preset cpu@1" and board.ceiling.seeds == [0]


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        ({"a-wide": "mine.py sha256:0123456789ab", "oracle": "lrfer-bench 0.1.0"}, "oracle"),
        ({"z-wide": "mine.py sha256:0123456789ab", "oracle": "lrfer-bench 0.1.0"}, "oracle"),
        ({"wide-10": "other 1.0", "wide-2": "other 1.0"}, "wide-2"),
    ],
)
def test_of_several_the_unchanged_built_in_one_is_the_ceiling_or_the_first(
    save, oracle, names, chosen
):
    for place, (name, source) in enumerate(names.items()):
        oracle(name, 390 - 70 * place, source=source)
    root = save("direct", 200)
    (board,) = boards(root)
    assert board.ceiling.first.method == chosen
    direct = board.lines[0]
    assert direct.retained[4].value == 0.5 / board.ceiling.means["accuracy"]
    assert any(f"the ceiling, whose share others keep, is {chosen}" in n for n in notes(board))


def test_of_one_nothing_is_said(save, oracle):
    oracle()
    (board,) = boards(save("direct", 200))
    assert not any("ceiling" in note for note in notes(board))


def test_a_changed_one_is_not_the_ceiling(save, oracle):
    oracle(right=390, settings={"a": 1})
    oracle(right=380, stage_settings=["classifier[epochs=4x]"])
    oracle(right=320)
    (board,) = boards(save("direct", 200))
    assert board.ceiling.first.method == "oracle"


def test_two_of_them_meet_once(save, oracle):
    for test in ("bicubic@1", "camera@1"):
        for scale in (2, 4):
            save("direct", 250, scale=scale, test_protocol=test)
        oracle(right=320, test_protocol=test)
        root = oracle("wide", right=350, test_protocol=test)
    (one,) = duel([root], "oracle", "wide", Choice()).rounds
    assert one.scale == 1 and one.corrected == one.difference.p
    assert len(duel([root], "oracle", "direct", Choice()).rounds) == 4


def test_others_meet_once_on_hr(save):
    for test in ("bicubic@1", "camera@1"):
        for scale in (1, 4):
            for method, right in (("direct", 250), ("kd", 260)):
                root = save(method, right, scale=scale, train_scales=[1, 4], test_protocol=test)
    rounds = duel([root], "direct", "kd", Choice()).rounds
    assert sorted(one.scale for one in rounds) == [1, 4, 4]


def test_one_row_against_itself_is_refused(save):
    root = save("enlarge", 200, train_scales=[])
    for other in ("enlarge", "bicubic"):
        with pytest.raises(UserError, match="mean the same row, enlarge"):
            duel([root], "enlarge", other, Choice())


def test_a_size_that_failed_is_none_that_a_row_keeps(save, oracle, factory):
    """Nobody was trained for x16, so the row has its numbers without it."""
    oracle()
    for scale in (2, 4):
        root = save("multires", 310, scale=scale, train_scales=[2, 4])
    factory.save(root, failure="no memory", method="multires", scale=16, train_scales=[2, 4])
    (board,) = boards(root)
    assert board.sizes[16] == 3 and smallest(board, board.lines[0]).text == "≤ 12"
