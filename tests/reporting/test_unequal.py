"""What a table says where its rows are unequal: leaks, tracks, seeds, crops, failed and folded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lrfer_bench.reporting.choose import Choice
from lrfer_bench.reporting.collect import Options, Report, collect, how_made
from lrfer_bench.reporting.duel import Duel, duel
from lrfer_bench.reporting.grid import notes
from lrfer_bench.reporting.make import frame
from lrfer_bench.reporting.words import answers, headline

N = 400
LABELS = np.repeat([0, 1, 2, 3], N // 4)


@pytest.fixture
def save(factory: Any, tmp_path: Path) -> Any:
    def save(method: str, right: int, *scales: int, **fields: Any) -> Path:
        failed = "failure" in fields
        for scale in scales or (2, 4):
            factory.save(
                tmp_path, None if failed else np.arange(N) < right, LABELS, classes="abcd",
                method=method, scale=scale, **fields,
            )  # fmt: skip
        return tmp_path

    return save


def table(root: Path, **options: Any) -> Report:
    return collect([root], Options(**{"resamples": 200, **options}))


def test_where_every_test_image_leaks_it_is_said_first(save: Any) -> None:
    save("a", 300, clean=np.zeros(N, bool))
    made = table(save("b", 200, clean=np.zeros(N, bool)))
    (board,) = made.boards
    assert headline(board).startswith("Every test image also stands in train. a is the most")
    assert "its numbers say nothing about new faces" in notes(board)[0]
    csv = frame(made)
    assert csv[["clean_rank", "clean_best", "clean_area"]].isna().all().all()


def test_models_that_existed_meet_once_whatever_tracks_there_are(save: Any) -> None:
    save("mine", 300, existing=True, train_scales=[])
    root = save("yours", 285, existing=True, train_scales=[])
    save("plain", 200)

    def found() -> Duel:
        return duel([root], "mine", "yours", Choice(scales=[4]), resamples=200)

    alone = found()
    save("pretrained", 250, weights=["resnet.pth sha256:0123456789ab"])
    again = found()
    assert len(alone.rounds) == len(again.rounds) == 1
    assert alone.rounds[0].corrected == again.rounds[0].corrected


def test_the_csv_has_the_first_board_that_a_model_stands_on(save: Any) -> None:
    save("mine", 250, existing=True, train_scales=[])
    save("plain", 200)
    made = table(save("pretrained", 350, weights=["resnet.pth sha256:0123456789ab"]))
    csv = frame(made)
    ranks = {name: set(part["rank"]) for name, part in csv.groupby("method")}
    assert ranks == {"mine": {1}, "plain": {2}, "pretrained": {1}}


def test_a_lead_says_on_which_seeds_it_is(save: Any) -> None:
    for seed, right in ((0, 270), (1, 330), (2, 330)):
        save("a", right, seed=seed)
    (board,) = table(save("b", 240)).boards
    (_, answer) = answers(board)
    assert "points [" in answer.lead and "] on the seed that both have, corrected" in answer.lead
    assert headline(board).endswith("One seed in common: another may turn out differently.")


def test_crops_are_not_forgotten_and_not_compared(save: Any) -> None:
    (board,) = table(save("crops", 300, tta="ten crops")).boards
    assert headline(board).startswith("Only rows that cannot be compared are finished")
    (board,) = table(save("plain", 250)).boards
    assert headline(board) == "plain is the only comparable method finished at 24 and 12 pixels."
    assert {answer.said for answer in answers(board)} == {"the only comparable one finished"}


def test_without_resamples_no_note_speaks_of_intervals(save: Any) -> None:
    for seed in (0, 1):
        save("a", 300, seed=seed)
    (board,) = table(save("b", 200), resamples=0).boards
    assert not [note for note in notes(board) if "interval" in note]


def test_where_all_failed_no_test_images_are_counted(save: Any) -> None:
    made = table(save("a", 0, failure="no memory left"))
    assert not [line for line in how_made(made) if line.startswith("Test images")]


def by_seeds(save: Any, **rows: list[int]) -> Any:
    """The board of rows at x4, each with so many right answers on seeds 0, 1, ..."""
    for method, rights in rows.items():
        for seed, right in enumerate(rights):
            root = save(method, right, 4, seed=seed)
    (board,) = table(root).boards
    return board


def test_a_lucky_seed_makes_no_winner(save: Any) -> None:
    """On seed 0 all were lucky, and a better than b; b has that seed alone."""
    board = by_seeds(save, a=[300, 250, 245], b=[280])
    assert board.untested == {"b": "a is better on the seeds that both have"}
    assert {line.label: (line.rank, line.best) for line in board.lines} == {
        "a": (1, {4}), "b": (None, set()),
    }  # fmt: skip
    (answer,) = answers(board)
    assert (answer.best, answer.sure) == ("a", False)
    assert answer.said.endswith("; b has a higher mean, but a is better on all of its seeds")
    assert headline(board).startswith("a is the best at 12 pixels of those that could be ranked")


def test_nor_does_it_take_the_rank_of_a_row_with_more_seeds(save: Any) -> None:
    board = by_seeds(save, a=[300, 345, 345], b=[325])
    assert {line.label: line.rank for line in board.lines} == {"a": 1, "b": None}
    assert board.untested == {"b": "better than the best on the seeds that both have"}
    (answer,) = answers(board)
    assert answer.best == "a" and "b is better on the seeds that both have" in answer.said


def test_who_beats_the_lucky_one_need_not_be_the_best(save: Any) -> None:
    board = by_seeds(save, a=[300], b=[283, 305, 305], c=[318, 280, 290])
    assert {line.label: line.rank for line in board.lines} == {"b": 1, "c": 1, "a": None}
    (answer,) = answers(board)
    assert answer.best == "b"
    assert answer.said == "level with c; a has a higher mean, but c is better on all of its seeds"


def test_what_is_better_by_its_raw_p_alone_shares_the_rank(save: Any) -> None:
    """b has the seed of a and more: 7 faces to none on it are not enough of four that might be."""
    first = {"b": 287, "c": 277, "d": 278, "e": 279}
    rows = {name: [right, 270, 270] for name, right in first.items()}
    board = by_seeds(save, a=[280], **rows)
    assert board.untested == {}
    assert {(line.rank, *line.best) for line in board.lines} == {(1, 4)}
    (answer,) = answers(board)
    assert (answer.best, answer.said) == ("a", "level with b, e, d and c")


@pytest.mark.parametrize(
    "rows", [{"a": [345, 305, 305], "b": [320]}, {"a": [300, 345, 345], "b": [325]}]
)
def test_nothing_is_said_of_others_that_were_not_tested_against_the_highest(
    save: Any, rows: dict[str, list[int]]
) -> None:
    """Of q an answer is missing; a was found better than b, or b than a, on the seed of both."""
    root = save("q", 338, 4, seed=0)
    save("q", 338, 4, seed=1)
    next((root / "logits").glob("*_q_*_s1_*")).unlink()
    board = by_seeds(save, **rows)
    assert "b" in board.untested
    (answer,) = answers(board)
    assert (answer.best, answer.said) == ("q", "not tested against all others")


def test_rows_of_as_many_but_other_seeds_are_told(save: Any) -> None:
    for method, seeds in {"a": (0, 1), "b": (0, 2)}.items():
        for seed in seeds:
            root = save(method, 300, 4, seed=seed, noise=seed)
    (board,) = table(root).boards
    assert any(note.startswith("Two rows are tested against each") for note in notes(board))


@pytest.mark.parametrize(
    ("seeds", "said"),
    [((0, 1, 2), ["The row of oracle is over 3 seeds."]), ((0,), [])],
    ids=["more", "as many"],
)
def test_a_ceiling_of_other_seeds_says_so(
    save: Any, seeds: tuple[int, ...], said: list[str]
) -> None:
    save("a", 300)
    for seed in seeds:
        root = save("oracle", 350, 1, seed=seed, kind="oracle", protocol="hr", train_scales=[1])
    (board,) = table(root).boards
    assert notes(board)[0].startswith("One seed: intervals are over test images only")
    assert [note for note in notes(board) if "row of oracle" in note] == said


def test_a_ceiling_that_is_not_finished_is_missed(save: Any) -> None:
    oracle: dict[str, Any] = {"kind": "oracle", "protocol": "hr", "train_scales": [1]}
    save("oracle", 350, 1, **oracle)
    root = save("a", 300)
    asked = "No share of the oracle's accuracy is shown"
    (board,) = table(root).boards
    assert not any(note.startswith(asked) for note in notes(board))
    save("oracle", 0, 1, seed=1, failure="no memory left", **oracle)
    (board,) = table(root).boards
    (note,) = [note for note in notes(board) if note.startswith(asked)]
    assert "as its row is not finished (--seeds" in note
    save("oracle", 0, 1, failure="no memory left", **oracle)
    (board,) = table(root, partial=True).boards
    (note,) = [note for note in notes(board) if note.startswith(asked)]
    assert note.endswith("as its row failed.")


def test_no_area_is_over_sizes_of_other_seeds(save: Any) -> None:
    """The models of x4 were tested at x2 with one seed of the two that they have at x4."""
    for seed in (0, 1):
        save("a", 300, seed=seed, noise=seed)
    root = save("a", 310, 2, train_scales=[4], noise=9)
    lines = {line.label: line for line in table(root).boards[0].lines}
    mixed = lines["a (trained at x4)"]
    assert (mixed.area, mixed.rank, mixed.mean) == (None, None, None)
    assert lines["a"].area and lines["a"].rank == 1
    (board,) = table(root).boards
    assert board.untested == {"a (trained at x4)": "its sizes have other seeds"}
    partial = {line.label: line for line in table(root, partial=True).boards[0].lines}
    assert partial["a (trained at x4)"].area is not None


@pytest.mark.parametrize("fewer", ["area@1", "camera@1"], ids=["before", "after"])
def test_what_meets_on_hr_with_fewer_seeds_under_another_protocol_meets_once(
    save: Any, fewer: str
) -> None:
    for method, right in (("oracle", 350), ("other", 340)):
        for test, seeds in (("bicubic@1", (0, 1)), (fewer, (0,))):
            for seed in seeds:
                root = save(method, right, 1, seed=seed, kind="oracle", protocol="hr",
                            test_protocol=test, train_scales=[1])  # fmt: skip
            save("a", 300, protocol=test, noise=1)
    (one,) = duel([root], "oracle", "other", Choice(), resamples=200).rounds
    assert (one.board.test_protocol, one.difference.seeds) == ("bicubic@1", 2)


def test_a_comparison_names_the_seeds_that_it_leaves_out(save: Any) -> None:
    for seed in (0, 1, 2):
        save("a", 300, seed=seed)
    root = save("b", 290, seed=1)
    found = duel([root], "a", "b", Choice(), resamples=200)
    (note,) = [note for note in found.notes if "which both have" in note]
    assert note.endswith(", x2 and x4: compared on seed 1, which both have; a also has 0 and 2")
    next((root / "logits").glob("*_a_*x4_s1_*")).unlink()
    save("b", 290, seed=0)
    found = duel([root], "a", "b", Choice(scales=[4]), resamples=200)
    (note,) = [note for note in found.notes if "which both have" in note]
    assert note.endswith(", x4: compared on seed 0, which both have; a also has 2")


def test_equals_share_a_headline_without_tests(save: Any) -> None:
    save("a", 300, 4)
    (board,) = table(save("b", 300, 4, noise=1), resamples=0).boards
    assert headline(board).startswith("a and b are the most accurate at 12 pixels; whether")
