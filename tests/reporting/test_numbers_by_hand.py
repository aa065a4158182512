"""A benchmark so small that every number, interval and tie of its table can be computed by hand."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from lrfer_bench.reporting.collect import Options, collect
from lrfer_bench.reporting.make import write
from lrfer_bench.reporting.words import headline
from lrfer_bench.scoring.resolution import area_weights

N = 200
LABELS = np.arange(N) % 7


def upto(count):
    return np.arange(N) < count


@pytest.fixture(scope="module")
def root(factory, tmp_path_factory):
    """One seed. Right answers at 24 and 12 px: best 140, 120; twin 138, 118 (others); poor 80, 60.

    The oracle has 160.
    """
    folder = tmp_path_factory.mktemp("hand")
    clean = np.arange(N) >= 20
    rows = {"best": (upto(140), upto(120)), "poor": (upto(80), upto(60))}
    rows["twin"] = (np.roll(upto(138), 10), np.roll(upto(118), 10))
    factory.save(
        folder, upto(160), LABELS, clean, method="oracle", kind="oracle", protocol="hr", scale=1
    )
    for name, at in rows.items():
        for scale, right in zip((2, 4), at, strict=True):
            factory.save(folder, right, LABELS, clean, method=name, scale=scale)
    return folder


@pytest.fixture(scope="module")
def table(root, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    write(collect([root], Options(resamples=20_000, pictures="none")), out)
    return pd.read_csv(out / "leaderboard.csv").set_index(["method", "scale"])


def test_accuracies_on_all_and_oclean_n_rows(table):
    assert table.loc[("best", 2), "accuracy"] == pytest.approx(140 / 200)
    assert table.loc[("twin", 4), "accuracy"] == pytest.approx(118 / 200)
    # 20 leaked rows, all of them right for "best"; for "twin" the ten from 10 on
    assert table.loc[("best", 2), "clean_accuracy"] == pytest.approx(120 / 180)
    assert table.loc[("twin", 2), "clean_accuracy"] == pytest.approx(128 / 180)
    assert list(table["n"]) == [200] * 7
    assert list(table["clean_n"]) == [180] * 7


@pytest.mark.parametrize(
    ("method", "scale", "right"),
    [("best", 2, 140), ("best", 4, 120), ("poor", 4, 60), ("oracle", 1, 160)],
)
def test_interval_of_one_seed_is_that_of_a_binomial(table, method, scale, right):
    low, high = stats.binom.ppf([0.025, 0.975], N, right / N) / N
    line = table.loc[(method, scale)]
    assert line["accuracy_low"] == pytest.approx(low, abs=0.006)
    assert line["accuracy_high"] == pytest.approx(high, abs=0.006)


def test_best_and_twin_tie_and_poor_does_not(table):
    # at 24 px only best has 10 images (0..9), and only twin has 8 (140..147): p is near 0.8
    assert stats.binomtest(10, 18, 0.5).pvalue > 0.5
    assert list(table.loc["best", "best"]) == [1, 1]
    assert list(table.loc["twin", "best"]) == [1, 1]
    assert list(table.loc["poor", "best"]) == [0, 0]
    assert dict(table["rank"].groupby("method").first().dropna()) == {
        "best": 1,
        "twin": 1,
        "poor": 3,
    }


def test_area_over_two_sizes_is_their_mean(table):
    assert area_weights([24, 12]).tolist() == [0.5, 0.5]
    assert table.loc[("best", 2), "area"] == pytest.approx(0.65)
    # one image's share of the area: 1 for the first 120, 1/2 for the next 20, else 0
    values = np.repeat([1, 0.5, 0], [120, 20, 60])
    error = 1.96 * values.std(ddof=1) / math.sqrt(N)
    assert table.loc[("best", 2), "area_low"] == pytest.approx(0.65 - error, abs=0.006)


def test_retained_is_a_ratio_to_the_oracle(table):
    assert table.loc[("best", 2), "retained"] == pytest.approx(140 / 160)
    assert (
        table.loc[("best", 2), "retained_low"] < 140 / 160 < table.loc[("best", 2), "retained_high"]
    )


def test_costs_and_names(table):
    line = table.loc[("best", 4)]
    assert (line["parameters"], line["macs"], line["latency_ms"], line["train_seconds"]) == (
        690_000,
        20_000_000,
        2.5,
        600.0,
    )
    assert (line["seeds"], line["seed_list"], line["trained_scales"], line["size_px"]) == (
        1,
        0,
        "4",
        12,
    )
    assert table.loc[("oracle", 1), "kind"] == "oracle"
    assert math.isnan(line["accuracy_std"])


def test_the_order_of_columns_is_the_promised_one(root, tmp_path):
    write(collect([root], Options(resamples=0, pictures="none", page=False)), tmp_path)
    head = (tmp_path / "leaderboard.csv").read_text().splitlines()[0]
    assert head.startswith(
        "dataset,protocol,test_protocol,preset,method,scale,size_px,seeds,accuracy,accuracy_low,"
        "accuracy_high,"
        "balanced_accuracy,macro_f1,nll,ece,parameters,macs,latency_ms,train_seconds,"
    )


def test_without_resamples_there_are_no_intervals_and_ranks_are_the_plain_order(root):
    board = collect([root], Options(resamples=0)).boards[0]
    assert all(math.isnan(e.rows[2].accuracy.low) for e in board.ranked)
    assert [(e.label, e.rank) for e in board.ranked] == [("best", 1), ("twin", 2), ("poor", 3)]
    assert [e.best for e in board.ranked] == [{2, 4}, set(), set()]
    assert "over 24 and 12 pixels together; whether by chance" in headline(board)


def test_smallest_size_that_keeps_90_percent(root):
    """0.9 * 0.8 = 0.72 is more than anybody has at 24 px."""
    board = collect([root], Options(resamples=200)).boards[0]
    assert {e.label: e.smallest.value for e in board.ranked} == {
        "best": math.inf,
        "twin": math.inf,
        "poor": math.inf,
    }
