"""The column that says how much each method was tuned, and the warning where that was unequal."""

import json
import re

import numpy as np
import pytest
from in_process import lrfer

from lrfer_bench.reporting import tuned
from lrfer_bench.reporting.choose import Choice
from lrfer_bench.reporting.collect import Options, collect
from lrfer_bench.reporting.duel import duel
from lrfer_bench.reporting.frame import load_frame
from lrfer_bench.reporting.make import frame, make_report
from lrfer_bench.store.store import checksum, read_record

LABELS = np.arange(40) % 7


def save(factory, root, method, **fields):
    return factory.save(root, np.arange(40) < 20, LABELS, method=method, **fields)


@pytest.fixture
def unequal(factory, tmp_path):
    """kd was tuned, gmenet was not, direct has nothing to tune; the oracle is set apart."""
    save(factory, tmp_path, "kd", trials=8, settings={"kd_weight": 2.5})
    save(factory, tmp_path, "gmenet")
    save(factory, tmp_path, "direct", trials=0)
    save(factory, tmp_path, "oracle", kind="oracle", scale=1, train_scales=[])
    return tmp_path


def board_of(root):
    (board,) = collect([root], Options(resamples=0)).boards
    return board


def test_tables_say_how_many_trials_each_line_had(unequal, tmp_path):
    report = make_report([unequal], tmp_path / "out", Options(resamples=0, pictures="none"))
    text = (tmp_path / "out" / "leaderboard.md").read_text()
    assert "Tuned" in text and "tuned, 8 trials" in text
    (board,) = report.boards
    said = {line.method: tuned.text(board, line).text for line in board.lines}
    assert said == {
        "kd[kd_weight=2.5]": "tuned, 8 trials", "gmenet": "not tuned",
        "direct": "nothing to tune", "oracle": "not tuned",
    }  # fmt: skip
    found = frame(report).set_index("method_name").trials
    assert (found["kd"], found["direct"]) == (8, 0) and np.isnan(found["gmenet"])
    assert load_frame([unequal]).set_index("method_name").trials["kd"] == 8
    page = (tmp_path / "out" / "index.html").read_text()
    data = json.loads(re.search(r'id="data">(.*?)</script>', page, re.S).group(1))
    assert "Tuned" in [column["head"] for column in data["boards"][0]["columns"]]


def test_where_nothing_was_tuned_no_table_speaks_of_it(factory, tmp_path):
    save(factory, tmp_path, "gmenet")
    save(factory, tmp_path, "direct", trials=0)
    make_report([tmp_path], tmp_path / "out", Options(resamples=0, pictures="none", page=False))
    assert "tune" not in (tmp_path / "out" / "leaderboard.md").read_text().lower()
    assert not tuned.was_tuned(board_of(tmp_path)) and not tuned.unequal(board_of(tmp_path).ranked)


def test_different_numbers_of_trials_are_warned_of(unequal, tmp_path):
    found = lrfer("report", "--results", unequal, "--out", tmp_path / "out", "--resamples", 0,
                  "--pictures", "none")  # fmt: skip
    assert found.status == 0
    assert "warning: faces" in found.err and "(8: kd[kd_weight=2.5]; none: gmenet)" in found.err
    assert "direct" not in found.err and "oracle" not in found.err
    assert "different numbers" in (tmp_path / "out" / "leaderboard.md").read_text()


def test_equal_numbers_are_not(factory, tmp_path):
    for method in ("kd", "gmenet"):
        save(factory, tmp_path, method, trials=8)
    save(factory, tmp_path, "direct", trials=0)
    assert tuned.was_tuned(board_of(tmp_path)) and not tuned.unequal(board_of(tmp_path).ranked)
    save(factory, tmp_path, "fskd", trials=16)
    assert "16: fskd" in tuned.unequal(board_of(tmp_path).ranked)


def test_seeds_of_one_line_may_differ_and_both_are_shown(factory, tmp_path):
    save(factory, tmp_path, "kd", trials=8)
    save(factory, tmp_path, "kd", seed=1)
    board = board_of(tmp_path)
    (line,) = board.lines
    assert tuned.text(board, line).text == "not tuned/tuned, 8 trials"
    assert "none/8: kd" in tuned.unequal(board.ranked)


def test_records_from_before_the_field_stay_valid(factory, tmp_path):
    save(factory, tmp_path, "kd")
    (path,) = (tmp_path / "records").iterdir()
    content = json.loads(path.read_text())
    assert "trials" not in content["method"], "nothing was tuned: the bytes of before"
    assert content["content_sha256"] == checksum(content)
    assert read_record(path).method.trials is None


def test_what_was_tuned_has_something_to_tune_whatever_an_older_record_says(factory, tmp_path):
    """rsnet had no search space when its defaults were run."""
    save(factory, tmp_path, "rsnet", trials=0)
    save(factory, tmp_path, "direct", trials=0)
    assert tuned.unequal(board_of(tmp_path).ranked) == ""
    save(factory, tmp_path, "rsnet", trials=8, settings={"kd_weight": 2.5})
    board = board_of(tmp_path)
    said = {line.method: tuned.text(board, line).text for line in board.lines}
    assert said == {
        "rsnet": "not tuned", "rsnet[kd_weight=2.5]": "tuned, 8 trials",
        "direct": "nothing to tune",
    }  # fmt: skip
    assert "(8: rsnet[kd_weight=2.5]; none: rsnet)" in tuned.unequal(board.ranked)


@pytest.mark.parametrize("order", [(0, 8), (8, 0)])
def test_a_cell_in_two_folders_was_tuned_whichever_comes_first(factory, tmp_path, order):
    folders = [tmp_path / str(trials) for trials in order]
    for folder, trials in zip(folders, order, strict=True):
        save(factory, folder, "kd", trials=trials)
    (board,) = collect(folders, Options(resamples=0)).boards
    assert [tuned.text(board, line).text for line in board.lines] == ["tuned, 8 trials"]


def test_the_csv_says_the_most_trials_of_a_row(factory, tmp_path):
    save(factory, tmp_path, "kd")
    save(factory, tmp_path, "kd", seed=1, trials=8)
    assert frame(collect([tmp_path], Options(resamples=0))).trials.tolist() == [8]


def test_a_comparison_says_that_one_alone_was_tuned(factory, tmp_path):
    save(factory, tmp_path, "kd", trials=8)
    save(factory, tmp_path, "gmenet")
    save(factory, tmp_path, "fskd")
    save(factory, tmp_path, "direct", trials=0)
    (note,) = duel([tmp_path], "kd", "gmenet", Choice(), 100).notes
    assert "different numbers of tuning trials (8: kd; none: gmenet)" in note
    for one, other in (("fskd", "gmenet"), ("kd", "direct")):
        assert duel([tmp_path], one, other, Choice(), 100).notes == []


def test_a_long_list_of_names_is_counted(factory, tmp_path):
    for name in ("a", "b", "c", "d", "e"):
        save(factory, tmp_path, name)
    save(factory, tmp_path, "kd", trials=8)
    assert "(8: kd; none: a, b, c, d, e)" in tuned.unequal(board_of(tmp_path).ranked)
    save(factory, tmp_path, "f")
    assert "none: a, b, c, d and 2 others)" in tuned.unequal(board_of(tmp_path).ranked)


def test_what_holds_of_several_tables_is_said_once(factory, tmp_path):
    for tested in ("bicubic@1", "camera@1", "area@1"):
        for seed, name in enumerate(("kd", "fitnet", "gmenet", "fskd")):
            trials = 8 if seed < 2 else None
            save(factory, tmp_path, name, trials=trials, protocol="bicubic@1", test_protocol=tested)
    (caution,) = collect([tmp_path], Options(resamples=0)).cautions
    title, _, said = caution.partition(": ")
    assert title.endswith("bicubic@1 · preset cpu@1 (and 2 more tables)")
    assert said.startswith(
        "Methods had different numbers of tuning trials (8: fitnet, kd; none: fskd, gmenet): "
    )
