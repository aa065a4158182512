"""--metrics: built-in and plugin metrics as columns, with intervals; a bad one leaves a hole."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from lrfer_bench.api import register_metric
from lrfer_bench.errors import UserError
from lrfer_bench.plugins.registry import METRICS
from lrfer_bench.reporting import collect as collecting
from lrfer_bench.reporting.collect import Options, collect
from lrfer_bench.reporting.grid import main_grid
from lrfer_bench.reporting.lookup import ordered
from lrfer_bench.reporting.make import frame, write
from lrfer_bench.reporting.table import leaderboard_frame
from lrfer_bench.store.store import Record, Store

BUILT_IN = ("brier", "top2", "kappa", "auroc", "nll", "ece", "macro_f1", "balanced_accuracy")


@pytest.fixture(scope="module")
def table(bench):
    """The CSV of a report with all built-in metrics."""
    made = collect([bench], Options(metrics=(*BUILT_IN, "accuracy"), resamples=100))
    assert made.warnings == []
    return frame(made).set_index(["method", "scale"])


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_metric_is_the_mean_over_seeds_with_an_interval_around_it(table, bench, name):
    store = Store(bench)
    function = METRICS.load(name)
    for (method, scale), line in table.iterrows():
        cells = [
            store.read_logits(r)
            for r in store.scan()
            if isinstance(r, Record) and (r.method.name, r.test.scale) == (method, scale)
        ]
        expected = [np.mean(function(c.logits.astype(float), c.labels)) for c in cells]
        assert len(expected) == 3
        assert line[name] == pytest.approx(np.mean(expected))
        assert line[f"{name}_low"] < line[name] < line[f"{name}_high"]
        clean = [
            np.mean(function(c.logits[c.clean].astype(float), c.labels[c.clean])) for c in cells
        ]
        assert line[f"clean_{name}"] == pytest.approx(np.mean(clean))


def test_the_interval_of_a_share_is_that_of_accuracy(bench, registered):
    """The same draws: a metric that is accuracy has accuracy's interval, to the last digit."""

    @register_metric("again", percent=True)
    def again(logits, labels):
        return logits.argmax(1) == labels

    found = frame(collect([bench], Options(metrics=["again"], resamples=200)))
    for end in ("low", "high"):
        assert found[f"again_{end}"].tolist() == pytest.approx(
            found[f"accuracy_{end}"].tolist(), abs=1e-7
        )


def test_one_number_for_all_images_has_nearly_the_same_interval(bench, registered):
    @register_metric("slow-accuracy", percent=True)
    def slow(logits, labels):
        return float((logits.argmax(1) == labels).mean())

    found = frame(collect([bench], Options(metrics=["slow-accuracy"], resamples=1000)))
    width = found["accuracy_high"] - found["accuracy_low"]
    slow_width = found["slow-accuracy_high"] - found["slow-accuracy_low"]
    assert (slow_width / width).between(0.75, 1.3).all()


def test_metrics_are_columns_of_every_table(bench, tmp_path):
    made = collect(
        [bench], Options(metrics=("brier", "top2", "accuracy"), resamples=0, pictures="none")
    )
    write(made, tmp_path)
    board = made.boards[0]
    grid = main_grid(board, found=made.columns)
    assert {"Brier", "Top-2", "Accuracy"} <= set(grid.heads)
    assert len(grid.heads) == len(set(grid.heads))
    k = grid.heads.index("Brier")
    first = board.ranked[0]
    mean = np.mean([first.rows[scale].means["brier"] for scale in board.lr_scales])
    assert grid.lines[0][k].text == f"{mean:.3f}"
    assert grid.apart[0][k].text == f"{board.ceiling.means['brier']:.3f}", "the oracle's own"
    for name in ("leaderboard.md", "leaderboard.html", "leaderboard.tex", "index.html"):
        assert "Brier" in (tmp_path / name).read_text(), name
    text = (tmp_path / "leaderboard.md").read_text()
    assert "- Brier: Brier score" in text, "it says what it is"


def test_a_metric_can_be_sorted_by(bench):
    made = collect([bench], Options(metrics=["brier"], resamples=0, sort_by="brier"))
    grid = main_grid(made.boards[0], "brier", made.columns)
    k = grid.heads.index("Brier")
    scores = [float(line[k].text) for line in grid.lines]
    assert scores == sorted(scores), "lower is better"
    with pytest.raises(UserError, match='no column "brier"'):
        collect([bench], Options(resamples=0, sort_by="brier"))


def test_without_metrics_nothing_is_computed_and_nothing_changes(bench):
    made = collect([bench], Options(resamples=0))
    assert not any(row.measured for row in made.rows)
    assert list(frame(made).columns) == list(leaderboard_frame([], []).columns)


def test_without_resamples_there_are_values_but_no_intervals(bench):
    made = collect([bench], Options(metrics=["brier", "kappa"], resamples=0))
    found = frame(made)
    assert found["brier"].notna().all() and found["kappa"].notna().all()
    assert found[["brier_low", "kappa_high", "accuracy_low"]].isna().all().all()
    assert [line.rank for line in made.boards[0].ranked] == [1, 2, 3, 4], "the plain order"


@pytest.mark.parametrize("sort_by", ["rank", "no-such-column"])
def test_an_unknown_metric_ends_before_anything_is_read(bench, monkeypatch, sort_by):
    monkeypatch.setattr(collecting, "load", lambda roots: pytest.fail("records were read"))
    with pytest.raises(UserError, match='no metric "brierr": did you mean "brier"'):
        collect([bench], Options(metrics=["brierr"], sort_by=sort_by))


def test_a_hole_at_one_scale_leaves_no_mean(bench, registered):
    @register_metric("sometimes")
    def sometimes(logits, labels):
        share = float((logits.argmax(1) == labels).mean())
        return share if share > 0.5 else float("nan")

    made = collect([bench], Options(metrics=["sometimes"], resamples=0))
    grid = main_grid(made.boards[0], found=made.columns)
    k = grid.heads.index("sometimes")
    assert [line[k].text for line in grid.lines] == ["–"] * 4
    assert frame(made)["sometimes"].notna().any()
    assert len(made.warnings) == 1


def test_an_interval_that_is_undefined_is_said(factory, tmp_path, registered):
    @register_metric("rare")
    def rare(logits, labels):
        return (
            float(np.mean(logits[labels == 6].argmax(1) == 6)) if (labels == 6).any() else math.nan
        )

    labels = np.zeros(80, dtype=int)
    labels[0] = 6
    factory.save(tmp_path, np.arange(80) < 50, labels)
    made = collect([tmp_path], Options(metrics=["rare"], resamples=100))
    assert frame(made)["rare"].tolist() == [1.0]
    assert frame(made)["rare_low"].isna().all()
    assert 'the metric "rare" has no interval for direct' in made.warnings[0]


def test_one_class_in_the_test_is_a_hole_and_no_crash(factory, tmp_path):
    factory.save(tmp_path, np.arange(30) < 20, np.zeros(30, dtype=int))
    made = collect([tmp_path], Options(metrics=BUILT_IN, resamples=100))
    found = frame(made).iloc[0]
    assert math.isnan(found["auroc"]) and found["brier"] > 0
    assert any('"auroc" gave no number' in warning for warning in made.warnings)


def test_missing_logits_are_a_hole_and_one_sentence(factory, tmp_path):
    for name in ("a", "b"):
        record = factory.save(tmp_path, np.arange(70) < 40, np.arange(70) % 7, method=name)
    (tmp_path / "logits" / f"{record.stem}.npz").unlink()
    made = collect([tmp_path], Options(metrics=["brier", "ece"], resamples=0))
    assert frame(made)["brier"].notna().tolist() == [True, False]
    assert frame(made)["ece"].notna().all(), "what stands in the record stays"
    assert len(made.warnings) == 1 and "no metrics for b on faces at x4" in made.warnings[0]


def test_seeds_of_different_test_sets_are_a_hole_and_one_sentence(factory, tmp_path):
    factory.save(tmp_path, np.arange(70) < 40, np.arange(70) % 7, seed=0)
    factory.save(tmp_path, np.arange(60) < 40, np.arange(60) % 7, seed=1)
    made = collect([tmp_path], Options(metrics=["brier"], resamples=0))
    assert frame(made)["brier"].isna().all()
    assert ["different images" in warning for warning in made.warnings] == [True]


def test_a_name_that_is_taken_is_refused_and_both_owners_are_named(tmp_path, registered):
    with pytest.raises(UserError, match=r'metric name "brier" of .* is taken by lrfer-bench'):
        register_metric("brier")(lambda logits, labels: 0.0)


def test_a_metric_may_have_the_name_of_an_old_word_of_sort_by(bench, registered):
    METRICS.add("train", lambda logits, labels: 0.0, "somebody 1.0")
    made = collect([bench], Options(metrics=["train"], sort_by="train", resamples=0))
    order = [line.label for line in ordered(made.boards[0], "train", made.columns)]
    assert order == [line.label for line in made.boards[0].lines], "all are equal"


@pytest.mark.parametrize("name", ["macs", "n", "rank", "accuracy_low", "clean_n", "retained_high"])
def test_a_metric_cannot_have_the_name_of_another_column(bench, registered, name):
    METRICS.add(name, lambda logits, labels: 0.0, "somebody 1.0")
    with pytest.raises(UserError, match=f'metric "{name}" .* another name'):
        collect([bench], Options(metrics=[name]))


def test_metrics_whose_columns_would_be_mixed_up_are_refused(bench, registered):
    METRICS.add("brier_low", lambda logits, labels: 0.0, "somebody 1.0")
    collect([bench], Options(metrics=["brier_low"], resamples=0))
    with pytest.raises(UserError, match='second column "brier_low"'):
        collect([bench], Options(metrics=["brier", "brier_low"], resamples=0))


def test_what_is_no_function_is_refused(bench, registered):
    with pytest.raises(UserError, match="a str"):
        register_metric("text")("words")
    with pytest.raises(UserError, match='"higher" or "lower"'):
        register_metric("text", better="smaller")
    with pytest.raises(UserError, match="with a name in brackets"):
        register_metric(len)
    METRICS.add("number", "sys:maxsize", "somebody 1.0")
    with pytest.raises(UserError, match=r'"number" from somebody 1\.0 is a int'):
        collect([bench], Options(metrics=["number"]))


def test_a_function_of_a_package_needs_no_decorator(bench, registered):
    """As an entry point brings it: a target that is imported when it is asked for."""
    METRICS.add("hits", "made_records:plain_metric", "somebody 1.0")
    found = frame(collect([bench], Options(metrics=["hits"], resamples=0)))
    assert found["hits"].tolist() == pytest.approx(found["accuracy"].tolist())


def test_the_page_shows_a_metric_in_its_table_and_behind_a_number(bench, browser, tmp_path):
    write(collect([bench], Options(metrics=["top2"], pictures="none", resamples=100)), tmp_path)
    page = browser.new_page()
    page.goto((tmp_path / "index.html").as_uri())
    assert page.locator('#table [data-sort="top2"]').inner_text() == "Top-2"
    page.locator('#table tr[data-method="gmenet"] button[data-scale="4"]').click()
    detail = page.locator("#detail dl")
    assert detail.locator("dt", has_text="Top-2").count() == 1
    value = detail.locator("dt:text('Top-2') + dd").inner_text()
    row = next(
        line
        for line in pd.read_csv(tmp_path / "leaderboard.csv").itertuples()
        if (line.method, line.scale) == ("gmenet", 4)
    )
    parts = (row.top2, row.top2_low, row.top2_high)
    assert value == "{:.1f} [{:.1f}, {:.1f}]".format(*(100 * part for part in parts))
    page.close()
