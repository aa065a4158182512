"""Intervals where all resamples agree, and of a few numbers between 0 and 1."""

import numpy as np
import pytest

from lrfer_bench.api import register_metric
from lrfer_bench.reporting.collect import Options, collect
from lrfer_bench.reporting.make import frame
from lrfer_bench.scoring.bootstrap import Resampler, intervals, quantity, wilson

CLASSES = ("a", "b", "c", "d")
REDRAWN = ("macro_f1", "balanced_accuracy", "kappa", "auroc")


@pytest.fixture
def made(factory, tmp_path):
    """A report: an oracle and direct with all of 40 images right at three sizes, kd with 30."""
    labels, right = np.arange(40) % 4, np.ones(40, bool)
    factory.save(tmp_path, right, labels, classes=CLASSES, **factory.ORACLE)
    for scale in (2, 3, 4):
        for method, found in (("direct", right), ("kd", np.arange(40) < 30)):
            fields = {"method": method, "scale": scale, "classes": CLASSES}
            factory.save(tmp_path, found, labels, **fields)
    return collect([tmp_path], Options(metrics=REDRAWN, resamples=200))


def test_no_interval_has_no_width(made):
    table = frame(made).set_index(["method", "scale"])
    for name in (*REDRAWN, "retained"):
        assert table.loc[("direct", 2), name] == 1
        ends = [f"{name}_low", f"{name}_high"]
        assert np.isnan(table.loc[("direct", 2), ends].astype(float)).all()
        low, high = table.loc[("kd", 2), ends]
        assert low < table.loc[("kd", 2), name] < high
    (note,) = (text for text in made.warnings if "kappa" in text)
    assert "has no interval for direct" in note and "the same in all resamples" in note


def test_shares_have_their_exact_interval_there(made):
    """The weights of three sizes do not add up to 1 exactly."""
    line = next(line for line in made.boards[0].lines if line.label == "direct")
    assert line.rows[2].accuracy.low == pytest.approx(0.025 ** (1 / 40))
    assert line.area.low == pytest.approx(0.025 ** (1 / 40)) and line.area.high == 1


def test_an_area_of_1_but_for_rounding_has_the_exact_interval():
    found = quantity(np.full((1, 50), 1 - 1e-7, np.float32))
    (estimate,) = intervals([found], Resampler(50, 100).draws([found]))
    assert estimate.low == pytest.approx(0.025 ** (1 / 50)) and estimate.high == 1


def test_seeds_that_differ_make_an_interval_where_images_do_not():
    redraw = Resampler(50, 200).redraw
    found = redraw(lambda picks: [0.8, 0.9], [0.8, 0.9], [0, 1])
    assert found.low < 0.85 < found.high
    assert np.isnan(redraw(lambda picks: [0.9], [0.9], [0]).low)


def test_of_few_images_a_mean_of_numbers_in_0_to_1_has_wilsons_interval(
    factory, tmp_path, registered
):
    @register_metric("trust", percent=True)
    def trust(logits, labels):
        return np.where(logits.argmax(1) == labels, 0.999, 0.001)

    labels = np.arange(10) % 4
    factory.save(tmp_path, np.arange(10) < 9, labels, classes=CLASSES)
    (line,) = frame(collect([tmp_path], Options(metrics=("trust",)))).to_dict("records")
    low, high = wilson(line["trust"], 10)
    assert (line["trust_low"], line["trust_high"]) == pytest.approx((low, 0.999), abs=1e-6)
    assert low < 0.6 and high < 0.999
