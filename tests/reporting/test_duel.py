"""compare: what it leaves out, and what it warns of."""

from __future__ import annotations

import numpy as np
import pytest

from lrfer_bench.errors import UserError
from lrfer_bench.reporting.choose import Choice
from lrfer_bench.reporting.duel import duel


@pytest.fixture
def leaking(factory, tmp_path):
    """Two methods on two data sets; every test image of one also stands in train."""
    labels = np.arange(400) % 7
    for method, right in (("direct", 300), ("kd", 200)):
        for dataset, clean in (("fresh", np.arange(400) >= 40), ("stale", np.zeros(400, bool))):
            fields = {"method": method, "dataset": dataset, "clean": clean}
            factory.save(tmp_path, np.arange(400) < right, labels, **fields)
    return tmp_path


def test_a_data_set_that_leaks_wholly_stops_no_other(leaking):
    found = duel([leaking], "direct", "kd", Choice(), clean=True)
    assert [(one.board.dataset, len(one.images)) for one in found.rounds] == [("fresh", 360)]
    (note,) = (note for note in found.notes if "not compared" in note)
    assert note.startswith("stale") and "every test image also stands in train" in note


def test_where_only_such_ones_are_left_it_says_what_to_do(leaking):
    with pytest.raises(UserError) as caught:
        duel([leaking], "direct", "kd", Choice(datasets=["stale"]), clean=True)
    said = "every test image of stale also stands in train: name another data set with --datasets"
    assert str(caught.value).startswith(said)


def test_a_data_set_on_which_one_alone_was_tested_is_no_reason(leaking, factory):
    """Another method leaks there: that has nothing to do with these two."""
    factory.save(
        leaking, np.arange(400) < 9, np.arange(400) % 7, method="fitnet", dataset="fresh", scale=8
    )
    with pytest.raises(UserError, match="share no data set, protocol"):
        duel([leaking], "fitnet", "kd", Choice(), clean=True)


def test_help_that_one_alone_has_is_said_as_in_tables(save, factory):
    save("direct", 240)
    save("crops", 280, tta="ten crops")
    root = save("flips", 270, tta="ten crops")
    found = duel([root], "direct", "crops", Choice())
    (note,) = found.notes
    assert "not comparable" in note and "crops (test-time augmentation: ten crops)" in note
    assert duel([root], "flips", "crops", Choice()).notes == [], "both have it"
    factory.save(root, np.arange(400) < 300, np.resize(np.arange(7), 400), **factory.ORACLE)
    (note,) = duel([root], "oracle", "direct", Choice()).notes
    assert "oracle (sees HR)" in note


def test_a_bare_name_is_the_only_row_of_its_method_or_the_only_tuned_one(save):
    save("direct", 200)
    root = save("kd", 300, settings={"kd_weight": 0.6}, trials=8)
    found = duel([root], "kd", "direct", Choice(), 100)
    assert [one.a.record.method.settings for one in found.rounds] == [{"kd_weight": 0.6}]
    assert any('"kd" is "kd[kd_weight=0.6]" here' in note for note in found.notes)
    save("kd", 100, settings={"kd_weight": 0.0})
    found = duel([root], "kd", "direct", Choice(), 100)
    assert found.rounds[0].a.record.method.settings == {"kd_weight": 0.6}, "the control was not"
    save("kd", 250, settings={"kd_weight": 9.0}, trials=8)
    with pytest.raises(UserError, match='about method "kd": did you mean'):
        duel([root], "kd", "direct", Choice(), 100)
    save("kd", 120)
    assert not duel([root], "kd", "direct", Choice(), 100).rounds[0].a.record.method.settings


@pytest.mark.parametrize("choice", [Choice(seeds=[1]), Choice(scales=[2])])
def test_a_row_that_was_left_out_by_a_choice_is_not_unknown(save, choice):
    save("direct", 200)
    save("direct", 200, seed=1)
    save("direct", 200, scale=2)
    root = save("kd", 300)
    with pytest.raises(UserError, match='"kd" has records, but none is left under these'):
        duel([root], "kd", "direct", choice)
