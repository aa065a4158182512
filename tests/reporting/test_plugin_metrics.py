"""Metrics of a plugin file in a report, from the command line and from Python."""

from __future__ import annotations

import in_process
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import lrfer_bench
from lrfer_bench.cli.report import report
from lrfer_bench.errors import UserError
from lrfer_bench.plugins.registry import PLUGIN_ERRORS
from lrfer_bench.reporting.measured import OutOfLimits, _value
from lrfer_bench.scoring.shown import shown

PLUGIN = '''
from lrfer_bench.api import register_metric

@register_metric("worst-recall", head="Worst recall", percent=True)
def worst(logits, labels):
    """The lowest recall of any class."""
    print("a plugin may print")
    said = logits.argmax(1)
    return min((said[labels == k] == k).mean() for k in set(labels.tolist()))

@register_metric("broken")
def broken(logits, labels):
    return {}["key"]

@register_metric("nothing")
def nothing(logits, labels):
    pass

@register_metric("undefined")
def undefined(logits, labels):
    return float("nan")

@register_metric("words")
def words(logits, labels):
    return "0.5"

@register_metric("matrix")
def matrix(logits, labels):
    return logits

@register_metric("careless")
def careless(logits, labels):
    logits[:] = 0
    return 1.0

@register_metric("leaves")
def leaves(logits, labels):
    raise SystemExit(3)

@register_metric("percents", percent=True)
def percents(logits, labels):
    return 100.0 * (logits.argmax(1) == labels)

@register_metric("bounded", bounds=(0, 2))
def bounded(logits, labels):
    return 2.5
'''
REASONS = {
    "broken": "KeyError: 'key' (own.py:13)",
    "nothing": "returned a NoneType",
    "undefined": "NaN",
    "words": "returned a str",
    "matrix": "array of shape [400, 7]",
    "careless": "read-only",
    "leaves": "SystemExit: 3 (own.py:38)",
    "percents": ", but percent=True wants shares of 1",
    "bounded": "it gave 2.5, but its bounds are 0 and 2",
}


@pytest.fixture
def plugin(tmp_path, registered):
    file = tmp_path / "own.py"
    file.write_text(f"{PLUGIN}# {tmp_path}\n")  # a file of the same content is not loaded twice
    yield file
    PLUGIN_ERRORS.clear()


def run(*arguments):
    return CliRunner().invoke(report, [str(a) for a in arguments], catch_exceptions=False)


def test_a_plugins_metrics_stand_in_the_report_and_bad_ones_leave_holes(bench, plugin, tmp_path):
    names = ",".join(["worst-recall", *REASONS])
    out = tmp_path / "out"
    done = in_process.lrfer(
        "report", "--results", bench, "--out", out, "--pictures", "none", "--resamples", 100,
        "--plugin", plugin, "--metrics", names,
    )  # fmt: skip
    assert done.status == 0
    warnings = [line for line in done.err.splitlines() if line.startswith("warning: ")]
    assert len(warnings) == len(REASONS), "one sentence a metric"
    for name, reason in REASONS.items():
        (said,) = [line for line in warnings if f'the metric "{name}" ' in line]
        assert reason in said and "and 12 more" in said
        assert str(tmp_path) not in said, "no path of this machine in a report"
    assert "a plugin may print" not in done.out
    table = pd.read_csv(out / "leaderboard.csv")
    assert table["worst-recall_low"].notna().all()
    assert table[list(REASONS)].isna().all().all()
    text = (out / "leaderboard.md").read_text()
    head = next(line for line in text.splitlines() if "Worst recall" in line)
    assert "gave no number" in text and "broken" in head
    assert "gave no number" in (out / "index.html").read_text()


def test_from_python(bench, plugin, tmp_path):
    found = lrfer_bench.report(bench, tmp_path / "out", plugins=plugin, pictures="none",
                               metrics=["worst-recall", "top2"], resamples=100)  # fmt: skip
    assert (found["worst-recall"] <= found["top2"]).all()
    with pytest.raises(UserError, match="no metric"):
        lrfer_bench.report(bench, tmp_path / "out", metrics="no-such-metric")
    with pytest.raises(UserError, match="metrics is 3"):
        lrfer_bench.report(bench, tmp_path / "out", metrics=[3])


def test_weighted_images_and_rounding_stay_within_the_limits():
    """The mean is what has limits: an image of a rare class may count more than one."""
    weighted = shown(percent=True)(lambda logits, labels: np.array([1.5, 0.5]))
    rounded = shown(percent=True)(lambda logits, labels: 1 + 2e-7)
    logits, labels = np.zeros((2, 2)), np.zeros(2, dtype=np.int64)
    assert _value(weighted, logits, labels).tolist() == [1.5, 0.5]
    assert _value(rounded, logits, labels) == 1 + 2e-7
    with pytest.raises(OutOfLimits, match="it gave 72, but percent=True"):
        _value(shown(percent=True)(lambda logits, labels: 72), logits, labels)


def test_a_broken_plugin_is_named(bench, tmp_path, registered):
    file = tmp_path / "bad.py"
    file.write_text("import not_there")
    with pytest.raises(UserError, match="not_there"):
        run("--results", bench, "--plugin", file, "--metrics", "mine")
    PLUGIN_ERRORS.clear()
