"""A model that existed already, tested once, beside rows of several seeds."""

import numpy as np
import pytest

from lrfer_bench.reporting import words
from lrfer_bench.reporting.choose import Choice
from lrfer_bench.reporting.collect import Options, collect
from lrfer_bench.reporting.duel import duel, text
from lrfer_bench.reporting.grid import seed_notes

LABELS = np.arange(1000) % 7


@pytest.fixture
def root(factory, tmp_path):
    """net, 600 of 1,000 right, beside three trainings of direct: 640, 570 and 570."""

    def save(rights=(640, 570, 570), shift=20, seeds=(0,)):
        for seed in seeds:
            right = np.arange(1000) < 600
            fields = {"method": "net", "existing": True, "train_scales": [], "seed": seed}
            factory.save(tmp_path, right, LABELS, **fields)
        for seed, count in enumerate(rights):
            right = np.roll(np.arange(1000) < count, shift)
            factory.save(tmp_path, right, LABELS, method="direct", seed=seed)
        return tmp_path

    return save


def board_of(root, **options):
    (board,) = collect([root], Options(**options)).boards
    return board


def test_one_lucky_training_does_not_beat_it(root):
    """direct has a lower mean, though its first seed is better."""
    board = board_of(root())
    net = next(line for line in board.lines if line.label == "net")
    assert net.rank == 1 and board.untested == {} and net.beaten == {}
    assert "better on all of its seeds" not in words.answers(board)[0].said


def test_it_is_not_ahead_for_the_sake_of_one_seed(root):
    """Two of three trainings beat it: its own seed alone is the one that does not."""
    board = board_of(root((550, 620, 620), shift=0))
    assert "cannot be told apart" in words.headline(board)
    assert {line.rank for line in board.lines} == {1}


@pytest.mark.parametrize("seeds", [(0,), (0, 1, 2), (7,)])
def test_how_often_it_was_tested_changes_no_test(root, seeds):
    board = board_of(root(seeds=seeds))
    (p,) = (line.p[4] for line in board.lines if 4 in line.p)
    assert p == pytest.approx(0.806, abs=0.001)


def test_compare_takes_all_seeds_of_the_other(root):
    folder = root()
    (one,) = duel([folder], "net", "direct", Choice()).rounds
    assert one.difference.seeds == 3
    assert one.difference.value == pytest.approx(0.6 - (0.64 + 0.57 + 0.57) / 3)
    assert one.right_a.max() == 3 and one.corrected > 0.05


def test_it_stays_under_other_seeds(root):
    folder = root()
    board = board_of(folder, choice=Choice(seeds=[1]))
    assert {line.label: line.seeds for line in board.lines} == {"net": [0], "direct": [1]}
    assert board.untested == {} and len({line.rank for line in board.lines}) == 2
    found = duel([folder], "net", "direct", Choice(seeds=[1]))
    assert [one.difference.seeds for one in found.rounds] == [1]
    said = "\n".join(text(found))
    assert "two trained models" not in said and "what was trained here" in said


def test_of_its_own_seeds_those_asked_for_are_kept(root):
    board = board_of(root(seeds=(0, 1)), choice=Choice(seeds=[1]))
    assert {line.label: line.seeds for line in board.lines} == {"net": [1], "direct": [1]}


def test_sizes_tested_under_other_seeds_are_one_line(factory, root):
    folder = root()
    fields = {"method": "net", "existing": True, "train_scales": [], "scale": 2, "seed": 1}
    factory.save(folder, np.arange(1000) < 700, LABELS, **fields)
    for seed in range(3):
        factory.save(folder, np.arange(1000) < 690, LABELS, method="direct", scale=2, seed=seed)
    board = board_of(folder)
    net = next(line for line in board.lines if line.label == "net")
    assert not net.holes and net.area.value == pytest.approx(0.65) and net.area.low < 0.65
    assert board.untested == {} and net.rank


def test_two_of_them_meet_under_whatever_seeds_they_were_tested(factory, root):
    folder = root()
    fields = {"method": "other", "existing": True, "train_scales": [], "seed": 5}
    factory.save(folder, np.arange(1000) < 500, LABELS, **fields)
    found = duel([folder], "net", "other", Choice())
    assert [one.difference.seeds for one in found.rounds] == [1]
    assert "two models as they are" in "\n".join(text(found))


def test_the_notes_say_how_it_is_tested(root):
    said = " ".join(seed_notes(board_of(root())))
    assert "Means over 3 seeds" in said and "tested on those of the others" in said
    assert "seeds that both have" not in said
