"""The hierarchical bootstrap: by hand, against exact distributions, and its coverage."""

import math

import numpy as np
import pytest
from scipy import special, stats

from lrfer_bench.scoring.bootstrap import Resampler, intervals, quantity, student


def interval(values, resamples=1000, seed=0):
    one = quantity(values)
    return intervals([one], Resampler(one.images, resamples, seed).draws([one]))[0]


def test_parts_of_the_variance_by_hand():
    # two seeds, four images
    found = quantity(np.array([[1, 1, 0, 0], [1, 0, 0, 0]]))
    assert found.value == 3 / 8
    assert found.per_image.tolist() == [1, 0.5, 0, 0]
    assert found.per_seed.tolist() == [0.5, 0.25]
    # image means around 3/8: (25 + 1 + 9 + 9) / 64, over 3 and over 4 images
    assert found.image_var == pytest.approx(44 / 64 / 3 / 4)
    # seeds: the variance of 0.5 and 0.25 is 1/32; the interaction is the mean square of what both
    # means leave, over 1 * 3
    cells = [
        (1, 0.5, 1),
        (1, 0.5, 0.5),
        (0, 0.5, 0),
        (0, 0.5, 0),
        (1, 0.25, 1),
        (0, 0.25, 0.5),
        (0, 0.25, 0),
        (0, 0.25, 0),
    ]
    residual = sum((value - seed - image + 3 / 8) ** 2 for value, seed, image in cells)
    assert found.seed_var == pytest.approx(max(1 / 32 - residual / 3 / 4, 0) / 2)
    assert quantity(np.array([[1, 1, 0, 0], [1, 0, 0, 0]]), paired=True).seed_var == pytest.approx(
        1 / 32 / 2
    )


def test_one_seed_has_no_seed_variance_and_no_deviation():
    found = interval(np.array([[1, 0, 1, 1]]))
    assert (found.seeds, found.images, found.std) == (1, 4, None)
    assert quantity(np.array([1, 0, 1, 1])).seed_var == 0


def test_deviation_between_seeds_has_ddof_1():
    assert interval(np.array([[1, 1, 0, 0], [1, 0, 0, 0]])).std == pytest.approx(
        0.25 / math.sqrt(2)
    )


def test_one_seed_is_the_plain_bootstrap_whose_distribution_is_binomial():
    right = np.arange(200) < 120
    found = interval(right, resamples=20_000)
    low, high = stats.binom.ppf([0.025, 0.975], 200, 0.6) / 200
    assert found.value == 0.6
    assert found.low == pytest.approx(low, abs=0.006)
    assert found.high == pytest.approx(high, abs=0.006)


def test_seeds_alone_give_students_interval():
    # accuracies 0.4, 0.5, 0.6 on very many images, so that only the seeds matter
    images = np.arange(50_000) / 50_000
    values = np.stack(
        [np.random.default_rng(k).permutation(images < p) for k, p in enumerate((0.4, 0.5, 0.6))]
    )
    found = interval(values, resamples=2000)
    half = stats.t.ppf(0.975, 2) * 0.1 / math.sqrt(3)
    assert found.low == pytest.approx(0.5 - half, abs=0.03)
    assert found.high == pytest.approx(0.5 + half, abs=0.03)
    assert student(2) == pytest.approx(4.3027 / 1.95996, abs=1e-4)


def test_all_right_gets_the_exact_interval_instead_of_none():
    found = interval(np.ones((1, 50)))
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(0.025 ** (1 / 50))
    assert interval(np.zeros((1, 50))).high == pytest.approx(1 - 0.025 ** (1 / 50))


def test_columns_share_their_draws_so_that_equal_ones_never_differ():
    rng = np.random.default_rng(0)
    values = rng.random((3, 300)) < 0.6
    first, second = quantity(values), quantity(values)
    draws = Resampler(300, 200).draws([first, second])
    assert np.array_equal(draws[:, 0], draws[:, 1])


def test_a_seed_means_the_same_draw_wherever_it_stands():
    rng = np.random.default_rng(1)
    values = rng.random((3, 300)) < np.array([[0.3], [0.6], [0.9]])
    straight, turned = quantity(values), quantity(values[::-1])
    draws = Resampler(300, 200).draws([straight, turned], [[0, 1, 2], [2, 1, 0]])
    assert np.allclose(draws[:, 0], draws[:, 1])


def test_draws_do_not_depend_on_the_company_nor_on_blocks(monkeypatch):
    rng = np.random.default_rng(2)
    columns = [quantity(rng.random((1, 100)) < p) for p in (0.3, 0.7)]
    together, alone = Resampler(100, 64).draws(columns), Resampler(100, 64).draws(columns[:1])
    assert np.allclose(together[:, 0], alone[:, 0], atol=1e-6)
    monkeypatch.setattr("lrfer_bench.scoring.bootstrap.BLOCK", 1000)
    assert Resampler(100, 64).draws(columns).shape == (64, 2)


def test_no_images_is_an_error():
    with pytest.raises(ValueError, match="no images"):
        quantity(np.zeros((2, 0)))


@pytest.mark.parametrize(("seeds", "shift"), [(1, 0.0), (3, 0.02), (5, 0.05)])
def test_coverage_on_simulated_data(seeds, shift):
    """Images differ in difficulty, seeds by 0.4 to 1 point: the truth is inside in 93 to 97 %.

    600 worlds: this is 2.2 standard errors around 95 %; the worlds are always the same.
    """
    rng = np.random.default_rng(17)
    draws = rng.normal(0, math.hypot(1.5, shift), 2_000_000)
    truth = special.expit(0.4 + draws).mean()
    hits = 0
    for world in range(600):
        chance = special.expit(0.4 + rng.normal(0, 1.5, 500) + rng.normal(0, shift, (seeds, 1)))
        found = interval(rng.random((seeds, 500)) < chance, resamples=250, seed=world)
        hits += found.low <= truth <= found.high
    assert 0.93 <= hits / 600 <= 0.97


def redrawn(values, function, resamples=1000):
    """The estimate of a mean over images as if it could not be resampled quickly."""
    seeds, images = values.shape
    resampler = Resampler(images, resamples)
    return resampler.redraw(
        lambda picks: function(values[:, picks]), function(values), range(seeds)
    )


@pytest.mark.parametrize(("seeds", "shift"), [(1, 0.0), (3, 0.0), (3, 0.15)])
def test_a_number_that_is_computed_anew_has_the_interval_of_the_quick_way(seeds, shift):
    """Of a mean over images both ways give the same, but that one has a fifth of the resamples."""
    rng = np.random.default_rng(4)
    skill = rng.normal(0, shift, (seeds, 1))
    values = rng.random((seeds, 400)) < 0.6 + skill
    slow, quick = redrawn(values, lambda v: v.mean(axis=1)), interval(values)
    assert slow.value == pytest.approx(quick.value)
    assert (slow.seeds, slow.images, slow.std) == (quick.seeds, 400, pytest.approx(quick.std))
    width = quick.high - quick.low
    assert slow.high - slow.low == pytest.approx(width, rel=0.15)
    assert (slow.low + slow.high) / 2 == pytest.approx((quick.low + quick.high) / 2, abs=width / 10)


def test_the_images_drawn_anew_are_those_of_the_first_resamples():
    met = []
    Resampler(30, 1000).redraw(lambda picks: met.append(picks) or [0.0], [0.0], [0])
    weights = next(Resampler(30, 1000)._weights())[1]
    assert len(met) == 200
    assert all(
        (np.bincount(p, minlength=30) == w).all() for p, w in zip(met, weights, strict=False)
    )


def test_a_number_that_is_larger_on_every_resample_keeps_its_interval_around_it():
    """As a calibration error is: noise adds to it, so that it is biased upwards."""
    values = np.random.default_rng(0).normal(0, 1, (1, 100))
    found = redrawn(values, lambda v: abs(v.mean(axis=1)) + len(v[0]) / len(np.unique(v)))
    assert found.low < found.value < found.high


def test_a_number_that_is_often_undefined_has_no_interval():
    values = np.zeros((1, 50))
    values[0, 0] = 1  # one resample in three does not have this image

    def function(v):
        return [v.mean() if v.any() else float("nan")]

    found = redrawn(values, function)
    assert found.value == 0.02
    assert math.isnan(found.low) and math.isnan(found.high)
    values[0, :8] = 1  # hardly any has none of eight
    assert redrawn(values, function).low < 0.16


@pytest.mark.parametrize(("seeds", "shift"), [(1, 0.0), (3, 0.15)])
def test_coverage_of_a_number_that_is_computed_anew(seeds, shift):
    """Mean recall of two unequal classes: the interval holds the truth in 91 to 98 % of 200 worlds.

    Two standard errors around 95 % are 92 to 98 %; the worlds are fixed.
    """
    rng = np.random.default_rng(8)
    draws = rng.normal(0, math.hypot(1, shift), 1_000_000)
    truth = (special.expit(1 + draws).mean() + special.expit(0.2 + draws).mean()) / 2
    labels = np.arange(300) < 60
    hits = 0
    for world in range(200):
        hard = np.where(labels, 0.2, 1) + rng.normal(0, 1, 300)
        right = rng.random((seeds, 300)) < special.expit(hard + rng.normal(0, shift, (seeds, 1)))
        resampler = Resampler(300, 200, seed=world)

        def recall(picks, right=right):
            rare, own = labels[picks], right[:, picks]
            return (own[:, rare].mean(axis=1) + own[:, ~rare].mean(axis=1)) / 2

        found = resampler.redraw(recall, recall(np.arange(300)), range(seeds))
        hits += found.low <= truth <= found.high
    assert 0.91 <= hits / 200 <= 0.98
