"""How a cell's settings were chosen is kept, whichever of two folders tells it."""

from __future__ import annotations

import numpy as np
import pytest
from made_records import save

from lrfer_bench.reporting.frame import load
from lrfer_bench.store.merge import merge
from lrfer_bench.store.store import Store

LABELS = np.arange(70) % 7


@pytest.fixture
def folders(tmp_path):
    """folders(mine, theirs): two folders with one cell, and the trials that each tells of it."""

    def make(mine, theirs, right=(60, 60)):
        roots = [tmp_path / "mine", tmp_path / "theirs"]
        for root, trials, count in zip(roots, (mine, theirs), right, strict=True):
            fields = {"preset": "quick@1", "method": "gmenet", "stage_settings": []}
            save(root, np.arange(70) < count, LABELS, trials=trials, **fields)
        return roots

    return make


def trials_in(*roots):
    (found,) = load(roots).results
    return found.record.method.trials


@pytest.mark.parametrize(("mine", "theirs", "known"), [(None, 8, 8), (8, None, 8), (8, 4, 8)])
def test_a_report_of_two_folders_and_a_merge_keep_the_trials(folders, mine, theirs, known):
    roots = folders(mine, theirs)
    assert trials_in(*roots) == known
    assert trials_in(*roots[::-1]) == (theirs or known)
    assert [found.verdict for found in merge(*roots[:1], roots[1:], dry=True)] == ["stood"]
    assert trials_in(roots[0]) == mine, "a dry merge writes nothing"
    before = next((roots[0] / "records").iterdir()).stat().st_mtime_ns
    (found,) = merge(roots[0], roots[1:])
    assert found.verdict == "stood" and ("tuning trials is noted" in found.reason) == (not mine)
    assert trials_in(roots[0]) == known
    assert next((roots[0] / "records").iterdir()).stat().st_mtime_ns == before
    assert [found.reason for found in merge(roots[0], roots[1:])] == [""]


def test_other_numbers_take_no_trials_over(folders):
    roots = folders(None, 8, right=(60, 50))
    assert trials_in(*roots) is None
    (found,) = merge(roots[0], roots[1:])
    assert "its numbers are others" in found.reason and trials_in(roots[0]) is None


def test_a_record_without_its_logits_gives_way_but_not_its_trials(folders):
    mine, theirs = folders(8, None)
    next((mine / "logits").iterdir()).unlink()
    assert [found.verdict for found in merge(mine, [theirs])] == ["taken"]
    (found,) = load([mine]).results
    assert trials_in(mine) == 8 and Store(mine).is_complete(found.record)
