"""What stands in one table, what is set apart, and how holes are shown."""

import numpy as np
import pytest

from lrfer_bench.errors import UserError
from lrfer_bench.reporting.boards import build_boards
from lrfer_bench.reporting.choose import Choice
from lrfer_bench.reporting.collect import Options, collect
from lrfer_bench.reporting.columns import COLUMNS
from lrfer_bench.reporting.grid import main_grid
from lrfer_bench.reporting.lookup import ordered
from lrfer_bench.reporting.writers import markdown


def save(factory, root, *right, **fields):
    return factory.save_hundred(root, *right, **fields)


def entries(root, **options):
    report = collect([root], Options(resamples=options.pop("resamples", 100), **options))
    return {board.title: {e.label: e for e in board.lines} for board in report.boards}


def test_one_board_for_each_data_set_protocols_and_preset(factory, tmp_path):
    """The boards of a data set that were tested as they were trained come first."""
    save(factory, tmp_path)
    save(factory, tmp_path, protocol="camera@1")
    save(factory, tmp_path, protocol="bicubic@1", test_protocol="camera@1")
    save(factory, tmp_path, preset="quick@1")
    save(factory, tmp_path, dataset="made", synthetic=True)
    save(factory, tmp_path, protocol="bicubic@2")
    assert list(entries(tmp_path)) == [
        "faces · bicubic@1 · preset cpu@1",
        "faces · bicubic@1 · preset quick@1",
        "faces · bicubic@2 · preset cpu@1",
        "faces · camera@1 · preset cpu@1",
        "faces · trained on bicubic@1, tested on camera@1 · preset cpu@1",
        "made (synthetic) · bicubic@1 · preset cpu@1",
    ]


def test_ranks_are_within_a_track_and_a_content_is_one_track_whatever_its_name(factory, tmp_path):
    ours, theirs = "msceleb.pth sha256:0a1b2c3d4e5f", "r18.pth sha256:0a1b2c3d4e5f"
    save(factory, tmp_path, method="direct", right=40)
    save(factory, tmp_path, method="direct", right=70, weights=[ours], settings={"weights": "x"})
    save(factory, tmp_path, method="srfer", right=90, weights=[theirs])
    save(factory, tmp_path, method="oracle", kind="oracle", scale=1, test_protocol="hr")
    boards = entries(tmp_path)
    scratch, trained = boards
    assert scratch == "faces · bicubic@1 · preset cpu@1 · from scratch"
    assert trained == f"faces · bicubic@1 · preset cpu@1 · pre-trained ({ours})"
    assert {label: line.rank for label, line in boards[scratch].items()} == {
        "direct": 1,
        "oracle": None,
    }
    assert {label: line.rank for label, line in boards[trained].items()} == {
        "direct[weights=x]": 2,
        "srfer": 1,
    }
    slugs = [board.slug for board in collect([tmp_path], Options(resamples=0)).boards]
    assert slugs[0] == "faces-bicubic1-bicubic1-cpu1" and slugs[0] != slugs[1]


def test_a_model_that_existed_is_ranked_in_every_track_and_marked(factory, tmp_path):
    ours, own = f"mine.pth sha256:{'a' * 12}", f"net.pth sha256:{'b' * 12}"
    for scale in (2, 4):
        save(factory, tmp_path, method="direct", right=70, scale=scale)
        save(factory, tmp_path, method="srfer", right=65, scale=scale, weights=[ours])
        save(
            factory, tmp_path, method="net", right=60, scale=scale, weights=[own],
            existing=True, train_scales=[],
        )  # fmt: skip
    boards = collect([tmp_path], Options()).boards
    assert [{line.label for line in board.lines} for board in boards] == [
        {"direct", "net"}, {"srfer", "net"},
    ]  # fmt: skip
    assert boards[0].track == "from scratch" and boards[1].track == f"pre-trained ({ours})"
    for board in boards:
        (net,) = [line for line in board.lines if line.label == "net"]
        assert net.extra == "nothing was trained here" and net.rank and not net.apart


def test_a_model_that_existed_alone_has_a_plain_board(factory, tmp_path):
    save(
        factory,
        tmp_path,
        method="net",
        existing=True,
        train_scales=[],
        weights=["n.pth sha256:" + "b" * 12],
    )
    (board,) = collect([tmp_path], Options()).boards
    assert board.track == "" and [line.label for line in board.lines] == ["net"]


def test_references_that_train_nothing_stand_in_every_board_of_their_test_protocol(
    factory, tmp_path
):
    save(factory, tmp_path, method="bicubic", train_scales=[])
    save(
        factory,
        tmp_path,
        method="oracle",
        kind="oracle",
        scale=1,
        train_scales=[],
        test_protocol="bicubic@1",
    )
    save(factory, tmp_path, method="direct")
    save(factory, tmp_path, method="direct", protocol="camera@1", test_protocol="bicubic@1")
    boards = entries(tmp_path)
    assert [sorted(b) for b in boards.values()] == [["direct", "enlarge", "oracle"]] * 2


def test_the_oracle_is_set_apart_and_so_is_test_time_augmentation(factory, tmp_path):
    save(factory, tmp_path, method="oracle", kind="oracle", protocol="hr", scale=1, right=90)
    save(factory, tmp_path, method="tencrop", tta="ten crops", right=80)
    save(factory, tmp_path, method="direct")
    board = collect([tmp_path], Options(resamples=100)).boards[0]
    assert [e.label for e in board.ranked] == ["direct"]
    assert {e.label: e.rank for e in board.set_apart} == {"oracle": None, "tencrop": None}
    text = markdown(main_grid(board))
    assert text.index("| 1 | **direct**") < text.index(
        "tencrop (test-time augmentation: ten crops)"
    )
    assert board.ceiling.means["accuracy"] == pytest.approx(0.9)


def test_a_failed_or_missing_cell_is_a_hole_and_leaves_no_mean(factory, tmp_path):
    for scale in (2, 4, 8):
        save(factory, tmp_path, method="whole", scale=scale)
    save(factory, tmp_path, method="part", scale=2)
    factory.save(tmp_path, method="part", scale=4, failure="out of memory")
    part = entries(tmp_path)["faces · bicubic@1 · preset cpu@1"]["part"]
    assert part.holes == {4: "failed", 8: "missing"}
    assert (part.mean, part.area, part.rank) == (None, None, None)
    assert part.rows[2].accuracy.value == pytest.approx(0.6)


def test_a_seed_that_failed_makes_a_hole_unless_partial_means_are_asked_for(factory, tmp_path):
    for seed in (0, 1, 2):
        save(factory, tmp_path, scale=2, seed=seed, right=50 + seed)
        if seed < 2:
            save(factory, tmp_path, scale=4, seed=seed, right=40 + seed)
    factory.save(tmp_path, scale=4, seed=2, failure="the loss is NaN")
    row = entries(tmp_path)["faces · bicubic@1 · preset cpu@1"]["direct"]
    assert row.holes == {4: "2 of 3 seeds"}
    assert row.mean is None
    partial = collect([tmp_path], Options(resamples=100, partial=True)).boards[0]
    entry = partial.lines[0]
    assert entry.rows[4].accuracy.value == pytest.approx(0.405)
    line = main_grid(partial).lines[0]
    assert [cell.text for cell in line if "*" in cell.text] == ["40.5*", "0.458*"], (
        "the seeds differ: no interval"
    )
    assert "* not all seeds are finished: a mean over those that are." in main_grid(partial).notes


def test_trained_for_one_scale_and_tested_at_another_is_a_line_of_its_own(factory, tmp_path):
    for scale in (2, 4):
        save(factory, tmp_path, scale=scale, right=50 + scale)
        save(factory, tmp_path, method="multires", scale=scale, train_scales=[1, 2, 4])
    save(factory, tmp_path, scale=3, train_scales=[4], right=40)
    board = entries(tmp_path)["faces · bicubic@1 · preset cpu@1"]
    assert sorted(board) == ["direct", "direct (trained at x4)", "multires"]
    assert sorted(board["direct (trained at x4)"].rows) == [3, 4]
    assert board["direct (trained at x4)"].holes == {}
    # direct's right images are all among multires' 60, which is significant
    # nobody was trained for x3, so no rank needs it
    assert (board["multires"].rank, board["direct"].rank) == (1, 2)
    assert board["direct"].mean == pytest.approx((0.52 + 0.54) / 2)


def test_one_method_trained_each_way_has_two_lines(factory, tmp_path):
    save(factory, tmp_path, scale=4)
    save(factory, tmp_path, scale=4, train_scales=[2, 4])
    assert sorted(entries(tmp_path)["faces · bicubic@1 · preset cpu@1"]) == [
        "direct",
        "direct (trained at x2, x4)",
    ]


def test_missing_logits_leave_the_number_and_take_the_interval(factory, tmp_path):
    record = save(factory, tmp_path)
    save(factory, tmp_path, method="other", right=20)
    (tmp_path / "logits" / f"{record.stem}.npz").unlink()
    report = collect([tmp_path], Options(resamples=100))
    direct = next(e for e in report.boards[0].lines if e.label == "direct")
    assert direct.rows[4].accuracy.value == pytest.approx(0.6)
    assert np.isnan(direct.rows[4].accuracy.low)
    assert report.warnings == [
        w for w in report.warnings if "no interval for" in w and "missing" in w
    ]
    assert str(tmp_path) not in report.warnings[0], "tables are shown to others"
    assert len(report.warnings) == 1


def test_cells_that_met_other_images_take_part_in_no_test(factory, tmp_path):
    save(factory, tmp_path)
    save(factory, tmp_path, method="b")
    factory.save(tmp_path, np.arange(100) < 50, (np.arange(100) + 1) % 7, method="odd")
    report = collect([tmp_path], Options(resamples=100))
    assert any("odd" in w and "its test labels are not those" in w for w in report.warnings)


@pytest.mark.parametrize(
    ("sort_by", "order"),
    [
        ("rank", ["big", "small"]),
        ("method", ["big", "small"]),
        ("macs", ["small", "big"]),
        ("params", ["big", "small"]),
        ("accuracy:4", ["big", "small"]),
        ("train", ["big", "small"]),
        ("macro_f1", ["big", "small"]),
        ("area", ["big", "small"]),
    ],
)
def test_sorting(factory, tmp_path, sort_by, order):
    save(factory, tmp_path, method="big", right=80, cost={"macs": 9})
    save(factory, tmp_path, method="small", right=30, cost={"macs": 5})
    board = collect([tmp_path], Options(resamples=100)).boards[0]
    assert [e.label for e in ordered(board, sort_by, COLUMNS)] == order


def test_an_unknown_column_or_name_is_refused(factory, tmp_path):
    save(factory, tmp_path)
    with pytest.raises(UserError, match='no column "acuracy" to sort by: did you mean "accuracy"'):
        collect([tmp_path], Options(sort_by="acuracy"))
    with pytest.raises(UserError, match='cannot sort by "accuracy:3"'):
        collect([tmp_path], Options(sort_by="accuracy:3"))
    with pytest.raises(
        UserError, match='no record is about method "dierct": did you mean "direct"'
    ):
        collect([tmp_path], Options(choice=Choice(methods=("dierct",))))
    with pytest.raises(UserError, match='scale "3"'):
        collect([tmp_path], Options(choice=Choice(scales=(3,))))


def test_choice_keeps_the_oracle(bench):
    report = collect(
        [bench], Options(choice=Choice(methods=("direct",), scales=(4,), seeds=(0,)), resamples=100)
    )
    assert sorted(c.method for c in report.results) == ["direct", "oracle"]
    assert list(report.boards[0].sizes) == [1, 4]


def test_training_time_counts_shared_models_and_stages_once(bench):
    from lrfer_bench.reporting.values import training_seconds

    board = collect([bench], Options(resamples=0)).boards[0]
    seconds = {e.label: training_seconds(e) for e in board.lines}
    # direct: a model for each of 3 scales; multires: one for all
    # bicubic: its own "training" and the HR stage
    assert seconds == {
        "direct": 1800,
        "gmenet": 1800,
        "multires": 600,
        "enlarge": 1500,
        "oracle": 900,
    }


def test_training_time_is_a_mean_over_seeds_that_are_finished_at_every_size(factory, tmp_path):
    from lrfer_bench.reporting.values import training_seconds

    for scale, seed in ((2, 0), (2, 1), (4, 0)):
        save(factory, tmp_path, scale=scale, seed=seed)
    board = collect([tmp_path], Options(resamples=0, partial=True)).boards[0]
    assert [training_seconds(line) for line in board.lines] == [1200]


def test_training_time_counts_what_stages_rest_on_once(factory, tmp_path):
    from lrfer_bench.reporting.values import training_seconds
    from lrfer_bench.store.schema import StagePart

    stage = StagePart(key="a" * 64, method="mafer", train_seconds=300.0)
    for scale in (2, 4):
        save(
            factory, tmp_path, scale=scale, stages={"teacher": stage},
            cost={"train_seconds_with_stages": 600.0 + 300.0 + 1000.0},
        )  # fmt: skip
    (board,) = collect([tmp_path], Options(resamples=0)).boards
    assert [training_seconds(line) for line in board.lines] == [600 + 600 + 300 + 1000]


@pytest.mark.parametrize("few", [1, 99])
def test_too_few_resamples_for_an_interval_are_refused(factory, tmp_path, few):
    save(factory, tmp_path)
    with pytest.raises(UserError, match=f"resamples is {few}, too few"):
        collect([tmp_path], Options(resamples=few))
    assert collect([tmp_path], Options(resamples=0)).boards


def test_boards_of_nothing_are_none():
    assert build_boards([]) == []


def test_a_record_under_a_former_name_is_shown_under_the_name_of_today(factory, tmp_path):
    save(factory, tmp_path, method="bicubic", train_scales=[])
    save(factory, tmp_path)
    (board,) = entries(tmp_path, choice=Choice(methods=["bicubic"])).values()
    assert list(board) == ["enlarge"]
    (board,) = entries(tmp_path, choice=Choice(methods=["enlarge", "direct"])).values()
    assert sorted(board) == ["direct", "enlarge"]


def test_few_test_images_give_no_ranks_over_areas_and_say_so(factory, tmp_path):
    for count, root in ((20, tmp_path / "few"), (40, tmp_path / "enough")):
        labels = np.arange(count) % 7
        for scale in (2, 4):
            for method, right in (("direct", count), ("multires", count // 2)):
                factory.save(root, np.arange(count) < right, labels, scale=scale, method=method)
        (board,) = collect([root], Options(resamples=100)).boards
        few = count < 30
        assert [line.rank is None for line in board.lines] == [few, few]
        assert any("Fewer than 30" in note for note in main_grid(board).notes) == few
