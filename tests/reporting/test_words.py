"""The result in words, from a table that can be checked by hand."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from lrfer_bench.reporting.chance import level
from lrfer_bench.reporting.choose import Choice
from lrfer_bench.reporting.collect import Options, collect
from lrfer_bench.reporting.duel import duel, text
from lrfer_bench.reporting.grid import notes
from lrfer_bench.reporting.words import answers, headline

N = 400
LABELS = np.repeat([0, 1, 2, 3], [220, 100, 60, 20])
CLASSES = ("angry", "glad", "sad", "calm")


@pytest.fixture
def save(factory, tmp_path):
    def save(method, right, scale=4, start=0, **fields):
        found = np.roll(np.arange(N) < right, start)
        factory.save(tmp_path, found, LABELS, method=method, scale=scale, classes=CLASSES, **fields)
        return tmp_path

    return save


def board(root, **options):
    return collect([root], Options(**{"resamples": 200, **options})).boards[0]


def test_one_is_ahead_of_all(save):
    for scale in (2, 4):
        save("good", 300, scale)
        root = save("poor", 200, scale)
    found = board(root)
    assert headline(found).startswith(
        "good is the most accurate over 24 and 12 pixels together, significantly ahead of the "
        "other one. One training each"
    )
    answer = answers(found)[1]
    assert (answer.px, answer.best, answer.accuracy, answer.sure) == (12, "good", "75.0", True)
    assert "; significantly ahead of the other one; better than poor by 25.0 points [" in (
        answer.sentence
    )
    assert answer.sentence.endswith("], corrected p < 0.001.")


def test_ties_are_said_where_they_are(save):
    save("good", 300)
    save("even", 299, start=1)
    root = save("poor", 200)
    found = board(root)
    assert "but even cannot be told apart from it" in headline(found)
    (answer,) = answers(found)
    assert (answer.said, answer.sure) == ("level with even", False)


def test_without_tests_nothing_is_sure(save):
    save("good", 300)
    found = board(save("poor", 200), resamples=0)
    assert "was not tested" in headline(found)
    assert [(a.sure, a.said) for a in answers(found)] == [(False, "not tested against all others")]


def test_alone_or_unfinished(save, factory):
    root = save("good", 300)
    assert headline(board(root)) == "good is the only method finished at 12 pixels."
    factory.save(root, method="late", scale=2, failure="no memory")
    assert headline(board(root)) == "No method is finished at every size yet."


def test_the_level_of_chance(save):
    found = board(save("good", 300))
    chance = level(found)
    assert (chance.guess, chance.majority, chance.name) == (0.25, 0.55, "angry")
    assert "Chance: 25.0 % by guessing one of 4 classes, 55.0 % by always saying angry." in (
        notes(found)
    )


def test_too_few_images_are_not_called_unfinished(factory, tmp_path):
    from lrfer_bench.scoring.paired import FEWEST_IMAGES

    few = FEWEST_IMAGES - 1
    for name in ("a", "b"):
        for scale in (2, 4):
            factory.save(tmp_path, np.arange(few) < 5, LABELS[:few], method=name, scale=scale)
    assert "too few test images" in headline(board(tmp_path))


def test_a_model_that_stands_in_two_lines_is_named_once(save):
    """Tested at the scale it learned, it is its method's own cell: not level with itself."""
    save("good", 320, 2)
    save("good", 300, 4)
    save("good", 250, 2, train_scales=[4])
    root = save("poor", 200, 4)
    found = board(save("poor", 200, 2))
    assert root and any(line.off_scale and line.has(4) for line in found.lines)
    at_x4 = answers(found)[1]
    assert (at_x4.best, at_x4.said) == ("good", "significantly ahead of the other one")


def test_methods_without_a_common_seed_are_not_said_to_be_equal(save):
    save("good", 300, seed=0)
    found = board(save("bad", 60, seed=1))
    lines = {line.label: line for line in found.lines}
    assert lines["good"].rank == 1 and lines["bad"].rank is None
    assert not lines["bad"].best and not lines["bad"].best_overall
    assert headline(found).startswith("No other method could be tested against good at 12 pixels")
    assert "No rank: bad (no common seed)." in notes(found)


def test_a_method_without_logits_has_no_rank(factory, save, tmp_path):
    save("good", 300)
    save("mid", 290, start=60)
    gone = factory.save(
        tmp_path, np.arange(N) < 100, LABELS, method="bad", scale=4, classes=CLASSES
    )
    (tmp_path / "logits" / f"{gone.stem}.npz").unlink()
    found = board(tmp_path)
    assert {line.label: line.rank for line in found.lines} == {"good": 1, "mid": 1, "bad": None}
    assert "bad (no logits)" in " ".join(notes(found))
    assert "bad" not in headline(found)


def test_the_best_without_logits_takes_no_rank_from_the_others(factory, save, tmp_path):
    save("good", 300)
    save("poor", 100)
    gone = factory.save(
        tmp_path, np.arange(N) < 350, LABELS, method="top", scale=4, classes=CLASSES
    )
    (tmp_path / "logits" / f"{gone.stem}.npz").unlink()
    found = board(tmp_path)
    assert {line.label: line.rank for line in found.lines} == {"good": 1, "poor": 2, "top": None}
    assert {line.label for line in found.lines if line.best} == {"good"}
    assert "of those that could be ranked" in headline(found)


def test_where_nothing_could_be_tested_nobody_is_bold(save):
    save("good", 300)
    root = save("poor", 100)
    shutil.rmtree(root / "logits")
    found = board(root)
    assert not any(line.best or line.rank for line in found.lines) and found.against == {}
    assert headline(found) == "No method could be tested against another: see the notes."
    assert answers(found)[0].said == "not tested against all others"
    assert notes(found)[0] == "One seed: nothing is said about training again."
    save("poor", 100)
    assert "One seed: intervals are over test images only" in notes(board(root))[0]


def test_of_equals_each_was_tested(save):
    for method, start in (("aa", 0), ("bb", 3)):
        save(method, 300, 2, start=start)
    save("aa", 200, 4)
    found = board(save("bb", 260, 4))
    first = answers(found)[0]
    assert first.px == 24 and first.said.startswith("level with")


def test_models_that_were_there_before_had_no_luck_in_training(save):
    save("good", 300, existing=True)
    root = save("poor", 200, existing=True)
    assert "training" not in headline(board(root))
    said = text(duel([root], "good", "poor", Choice(), resamples=100))
    assert "Nothing was trained here: this compares two models as they are." in said
    root = save("ours", 250)
    assert "One training of each that was trained here: another" in headline(board(root))
    said = text(duel([root], "good", "ours", Choice(), resamples=100))
    assert said[-1].startswith("One seed: another training of what was trained here")


def test_one_that_is_better_on_common_seeds_is_named_though_its_mean_is_lower(save):
    for seed, right in enumerate((160, 280, 280)):
        save("many", right, seed=seed)
    found = board(save("one", 220, seed=0))
    assert headline(found) == (
        "many has the highest mean at 12 pixels, but one is better on the seeds that both have."
    )
    for seed, right in enumerate((160, 280, 280)):
        save("many", right, seed=seed, scale=2)
    found = board(save("one", 220, seed=0, scale=2))
    assert headline(found).startswith("many has the highest mean over 24 and 12 pixels together,")


def test_a_row_that_lacks_the_logits_of_one_seed_says_which(save):
    for seed in (0, 1, 2):
        save("good", 300, seed=seed)
        root = save("poor", 100, seed=seed)
    (path,) = (root / "logits").glob("*poor*_s2_*")
    path.unlink()
    assert "No rank: poor (no logits of seed 2)." in notes(board(root))
    for path in (root / "logits").glob("*good*"):
        path.unlink()
    said = " ".join(notes(board(root)))
    assert "good (no logits)" in said and "poor (no logits of seed 2)" in said


def test_a_size_that_two_scales_share_is_said_once(save):
    for scale in (2, 4, 5):
        save("good", 300, scale=scale, side=8)
        root = save("poor", 100, scale=scale, side=8)
    found = board(root)
    assert [found.sizes[scale] for scale in (2, 4, 5)] == [4, 2, 2]
    assert "the most accurate over 4 and 2 pixels together" in headline(found)


def test_what_is_not_finished_is_not_behind(save):
    for scale in (2, 4):
        save("good", 300, scale)
        save("poor", 200, scale)
    root = save("newer", 390, 2)
    said = headline(board(root))
    assert said.startswith(
        "good is the most accurate over 24 and 12 pixels together, of those that could be ranked, "
        "significantly ahead of the other one."
    )
