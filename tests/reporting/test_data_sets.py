"""Several data sets in one results folder, copies of one, and one under several names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lrfer_bench.errors import UserError
from lrfer_bench.predicting.wanted import Wanted, cell_meant
from lrfer_bench.reporting.choose import Choice
from lrfer_bench.reporting.collect import Options, Report, collect, how_made
from lrfer_bench.reporting.duel import duel
from lrfer_bench.reporting.pictures import _leak_free

N = 200
LABELS = np.repeat([0, 1, 2, 3], N // 4)
SAME = "7f" * 32


@pytest.fixture
def save(factory: Any, tmp_path: Path) -> Any:
    def save(method: str, right: int = 100, **fields: Any) -> Path:
        count = fields.pop("images", N)
        correct = np.arange(count) < right
        factory.save(tmp_path, correct, LABELS[:count], classes="abcd", method=method, **fields)
        return tmp_path

    return save


def table(root: Path, **choice: Any) -> Report:
    return collect([root], Options(Choice(**choice), resamples=0))


def test_one_set_of_faces_under_several_names_is_one_data_set(save: Any) -> None:
    """A run under another name finds its cells done, so no table under that name has them."""
    save("direct", dataset="mine", fingerprint=SAME, scale=2)
    save("kd", dataset="mine", fingerprint=SAME, scale=4)
    root = save("direct", dataset="faces", fingerprint=SAME, scale=4)
    made = table(root)
    (board,) = made.boards
    assert board.dataset == "mine", "the name of most records"
    assert {line.label: set(line.rows) for line in board.lines} == {"direct": {2, 4}, "kd": {4}}
    assert made.warnings == [
        "the data set mine has records under the name faces, too: the faces and labels are the same"
    ]
    assert len(table(root, datasets=["faces"]).boards[0].lines) == 2
    assert [one.scale for one in duel([root], "kd", "direct", Choice()).rounds] == [4]


def test_copies_of_one_name_are_asked_for_together_or_one_by_one(save: Any) -> None:
    save("direct", dataset="faces", fingerprint=SAME)
    root = save("direct", dataset="faces", fingerprint="a" * 64)
    both = ["faces (7f7f7f7f)", "faces (aaaaaaaa)"]
    assert sorted(board.dataset for board in table(root, datasets=["faces"]).boards) == both
    assert [board.dataset for board in table(root, datasets=both[:1]).boards] == both[:1]


def test_twins_on_one_data_set_leave_the_rows_of_others_whole(factory: Any, save: Any) -> None:
    def stage(key: str) -> dict[str, Any]:
        return {"classifier": factory.StagePart(key=key * 64, method="c", train_seconds=1.0)}

    save("kd", dataset="b", scale=2, stages=stage("a"), stage_settings=[])
    save("kd", dataset="b", scale=4, stages=stage("a"))
    for key in "ef":
        root = save("kd", dataset="a", scale=4, stages=stage(key))
    board = next(board for board in table(root).boards if board.dataset == "b")
    assert {line.label: set(line.rows) for line in board.lines} == {"kd": {2, 4}}


def test_what_leaks_wholly_stands_in_no_picture_without_leaked_faces(save: Any) -> None:
    some = np.arange(N) > 20
    save("direct", dataset="a", clean=some)
    save("direct", dataset="b", clean=np.zeros(N, bool))
    boards = table(save("direct", dataset="c")).boards
    assert [board.dataset for board in boards] == ["a", "b", "c"]
    assert [(board.dataset, board.without[:7]) for board in _leak_free(boards)] == [
        ("a", "without"), ("c", ""),
    ]  # fmt: skip


def test_a_method_that_another_data_set_has_is_known(save: Any) -> None:
    save("fitnet", settings={"kd_weight": 2.0}, dataset="a")
    for dataset in "ab":
        root = save("direct", dataset=dataset)
    with pytest.raises(UserError, match='"fitnet" has records, but none is left under these --da'):
        duel([root], "fitnet", "direct", Choice(datasets=["b"]))


def test_a_comparison_says_where_a_row_is_not_called_as_asked(save: Any) -> None:
    save("kd", dataset="a")
    save("kd", dataset="b", stage_settings=["classifier[epochs=4x]"])
    for dataset in "ab":
        root = save("direct", 90, dataset=dataset)
    assert duel([root], "kd", "direct", Choice()).notes == [
        'b · bicubic@1 · preset cpu@1: "kd" is "kd (classifier[epochs=4x])" here'
    ]


def test_an_edit_that_left_a_data_set_out_is_named_with_it(save: Any) -> None:
    files = {"protocol pin": "pin.py sha256:" + "a" * 12}
    save("direct", dataset="a", files=files)
    newer = {"protocol pin": "pin.py sha256:" + "b" * 12}
    root = save("direct", dataset="b", files=newer, scale=2)
    with pytest.raises(UserError, match=r'"a" is counted: 1 record of an earlier .*\(on a\)'):
        table(root, datasets=["a"])


def test_how_many_test_images_each_has(save: Any) -> None:
    root = save("direct", dataset="a")
    assert "Test images: 200." in how_made(table(root))
    save("direct", dataset="b", images=120)
    assert "Test images: 200 (a) or 120 (b)." in how_made(table(root))


def test_a_name_that_tables_show_means_that_data_set_alone(save: Any) -> None:
    """Of other faces one record has the name, too."""
    for scale in (2, 4):
        save("direct", dataset="mine", fingerprint=SAME, scale=scale)
    save("direct", dataset="faces", fingerprint=SAME, scale=8)
    root = save("direct", dataset="faces", fingerprint="a" * 64)
    assert [board.dataset for board in table(root, datasets=["faces"]).boards] == ["faces"]
    assert [board.dataset for board in table(root, datasets=["mine"]).boards] == ["mine"]
    wanted = Wanted("direct", scale=8, dataset="mine")
    assert cell_meant(root, wanted, lambda line: None).dataset.name == "faces"
