"""Of several edits of a plugin file the newest counts, in tables and for predictions."""

from __future__ import annotations

import os

import numpy as np
import pytest
from made_records import CLASSES, make_logits, make_record

from lrfer_bench.predicting.wanted import Wanted, cell_meant
from lrfer_bench.reporting.choose import Choice, selected
from lrfer_bench.reporting.frame import load
from lrfer_bench.store.merge import merge
from lrfer_bench.store.store import Store

LABELS = np.arange(70) % len(CLASSES)
OLD, NEW = "occlude.py sha256:aaaaaaaaaaaa", "occlude.py sha256:bbbbbbbbbbbb"
ON_OLD, ON_NEW = {"protocol occlude": OLD}, {"protocol occlude": NEW}


@pytest.fixture
def save(tmp_path):
    """Save a record that was written so many seconds after the first."""

    def save(key, right, written, root=tmp_path / "results", **fields):
        logits = make_logits(np.arange(70) < right, LABELS)
        record = make_record(logits, key=key * 64, stage_settings=[], **fields)
        place = Store(root).save(record, logits)
        os.utime(place, (1_700_000_000 + written,) * 2)
        return root

    return save


def rows(*roots):
    return [(r.method, round(70 * r.record.metrics.all.accuracy)) for r in load(roots).results]


def test_after_an_edit_of_a_protocol_the_new_pixels_count(save):
    save("a", 20, 0, protocol="occlude@1", files=ON_OLD)
    root = save("b", 60, 1, protocol="occlude@1", files=ON_NEW)
    found = load([root])
    assert rows(root) == [("direct", 60)]
    (note,) = found.notes
    assert (
        note.startswith("1 record of an earlier edit of the protocol occlude")
        and "left out" in note
    )
    store = Store(root)
    meant = cell_meant(root, Wanted("direct", scale=4), lambda line: None)
    assert meant.key == "b" * 64 and store.written_at(meant)


def test_no_table_mixes_the_pixels_of_two_edits(save):
    save("a", 20, 0, protocol="occlude@1", scale=2, files=ON_OLD)
    save("b", 50, 1, protocol="occlude@1", scale=4, files=ON_OLD)
    root = save("c", 60, 2, protocol="occlude@1", scale=4, files=ON_NEW)
    assert rows(root) == [("direct", 60)], "x2 was not run again"
    assert load([root]).notes[0].startswith("2 records of an earlier edit")


def test_an_edit_of_the_method_s_own_file_is_a_row_and_not_left_out(save):
    save("a", 20, 0, method="mine", source="mine.py sha256:aaaaaaaaaaaa")
    root = save("b", 60, 1, method="mine", source="mine.py sha256:bbbbbbbbbbbb")
    assert rows(root) == [("mine from mine.py sha256:aaaaaaaaaaaa", 20), ("mine", 60)]


def test_a_stage_s_file_that_is_a_method_s_own_elsewhere_counts_as_one(save):
    save("a", 20, 0, method="kd", files={"method good": OLD})
    root = save("b", 60, 1, method="good", source=NEW)
    assert rows(root) == [("good", 60)]


def test_two_things_of_one_file_name_are_two(save):
    """A method and a protocol of one script are handed over as two texts of one name."""
    fog, rain = ({f"protocol {name}": source} for name, source in (("fog", OLD), ("rain", NEW)))
    save("a", 20, 0, protocol="fog@1", files=fog)
    save("b", 30, 1, protocol="rain@1", files=rain)
    root = save("c", 60, 2, method="mine", source="occlude.py sha256:cccccccccccc")
    assert sorted(rows(root)) == [("direct", 20), ("direct", 30), ("mine", 60)]
    assert load([root]).notes == []


def test_records_that_came_by_merge_keep_the_date_of_their_run(save, tmp_path):
    mine = save("b", 60, 100, method="mine", source="mine.py sha256:bbbbbbbbbbbb")
    theirs = save(
        "a", 20, 0, tmp_path / "theirs", method="mine", source="mine.py sha256:aaaaaaaaaaaa"
    )
    assert [outcome.verdict for outcome in merge(mine, [theirs])] == ["taken"]
    assert ("mine", 60) in rows(mine) and ("mine", 20) not in rows(mine)


def test_another_s_edit_that_came_by_merge_is_told(save, tmp_path):
    mine = save("b", 60, 0, method="mine", source="mine.py sha256:bbbbbbbbbbbb")
    theirs = tmp_path / "theirs"
    save("c", 60, 0, theirs, method="mine", scale=2, source="their.py sha256:bbbbbbbbbbbb")
    said: list[str] = []
    assert len(list(merge(mine, [theirs], tell=said.append))) == 1 and not said, "the same code"
    save("a", 20, 9, theirs, method="mine", source="mine.py sha256:aaaaaaaaaaaa")
    list(merge(mine, [theirs], tell=said.append))
    assert len(said) == 1 and "another edit of the method mine came" in said[0]
    list(merge(mine, [theirs], tell=said.append))
    assert len(said) == 1, "they stood already"


def test_a_look_at_a_merge_says_what_would_come(save, tmp_path):
    mine = save("b", 60, 0, method="mine", source="mine.py sha256:bbbbbbbbbbbb")
    theirs = save("a", 20, 9, tmp_path / "theirs", method="mine", source=MINE[0])
    said: list[str] = []
    list(merge(mine, [theirs], dry=True, tell=said.append))
    assert len(said) == 1 and "of the method mine would come" in said[0]


def test_an_edit_that_is_asked_for_again_is_the_newest(save):
    save("a", 20, 0, method="mine", source="mine.py sha256:aaaaaaaaaaaa")
    root = save("b", 60, 9, method="mine", source="mine.py sha256:bbbbbbbbbbbb")
    assert ("mine", 60) in rows(root)
    Store(root).date(["a" * 64, "f" * 64])
    assert ("mine", 20) in rows(root) and ("mine", 60) not in rows(root)


MINE = [f"mine{name}.py sha256:{digit * 12}" for name, digit in (("", "a"), ("_v2", "b"))]


def test_an_edit_under_a_new_file_name_is_an_edit(save):
    """Else seeds of two codes are one row, or both are left out as twins of one cell."""
    old, new = MINE
    save("a", 20, 0, method="mine", source=old)
    save("b", 60, 1, method="mine", source=new)
    root = save("c", 62, 2, method="mine", source=new, seed=1)
    assert rows(root) == [(f"mine from {old}", 20), ("mine", 60), ("mine", 62)]
    assert load([root]).notes == []


def test_old_rows_with_other_settings_name_their_source(save):
    old, new = MINE
    save("a", 20, 0, method="mine", source=old, settings={"w": 2.0})
    save("b", 60, 1, method="mine", source=new)
    root = save("c", 62, 2, method="mine", source=new, settings={"w": 3.0})
    assert sorted(rows(root)) == [
        ("mine", 60), (f"mine[w=2.0] from {old}", 20), ("mine[w=3.0]", 62)
    ]  # fmt: skip
    found = selected(load([root]).results, Choice(methods=["mine[w=2]"]))
    assert [r.method for r in found] == [f"mine[w=2.0] from {old}"], "it was called so before"


def test_old_rows_with_other_settings_name_their_version(save):
    save("a", 20, 0, method="mine", source=MINE[0], settings={"w": 2.0})
    root = save("b", 60, 1, method="mine", source=MINE[1], version="2")
    assert rows(root) == [("mine[w=2.0]@1", 20), ("mine@2", 60)]


def test_a_file_with_another_name_is_the_same_code(save):
    old, new = MINE
    elsewhere = old.replace("mine.py", "copy.py")
    save("a", 20, 0, method="mine", source=old)
    save("b", 30, 1, method="mine", source=elsewhere, seed=1)
    root = save("c", 40, 2, method="mine", source=old, settings={"w": 2.0})
    assert sorted(rows(root)) == [("mine", 20), ("mine", 30), ("mine[w=2.0]", 40)]
    save("d", 60, 3, method="mine", source=new)
    labels = {name for name, _ in rows(root)}
    assert labels == {"mine", f"mine from {old}", f"mine[w=2.0] from {old}"}, "one row, not two"


def test_a_method_that_became_a_plugin_names_its_package(save):
    save("a", 20, 0, method="mine", source="somebody 1.0")
    save("b", 30, 1, method="mine", source="somebody 1.0", settings={"w": 2.0})
    root = save("c", 60, 2, method="mine", source=MINE[0])
    assert sorted(rows(root)) == [
        ("mine", 60), ("mine from somebody 1.0", 20), ("mine[w=2.0] from somebody 1.0", 30)
    ]  # fmt: skip


def test_a_plugin_that_became_a_package_is_the_package(save):
    save("a", 20, 0, method="mine", source=MINE[0])
    root = save("b", 60, 1, method="mine", source="lrfer-mine 1.0")
    assert sorted(rows(root)) == [("mine", 60), (f"mine from {MINE[0]}", 20)]


def test_a_protocol_s_file_with_another_name_hides_no_cell(save):
    renamed = {"protocol occlude": OLD.replace("occlude.py", "my_occlude.py")}
    save("a", 20, 0, protocol="occlude@1", files=ON_OLD)
    root = save("b", 60, 1, protocol="occlude@1", method="kd", files=renamed)
    assert rows(root) == [("direct", 20), ("kd", 60)]
    assert load([root]).notes == []


def test_an_edit_that_failed_takes_no_numbers_out(save):
    """A colleague's file raised an error; mine is older, and has results that rest on it."""
    save("a", 40, 0, method="top", files={"method low": OLD})
    root = save("b", 30, 0, method="low", source=OLD)
    assert sorted(rows(root)) == [("low", 30), ("top", 40)]
    place = Store(root).save(make_record(failure="no", key="c" * 64, method="low", source=NEW))
    os.utime(place, (1_800_000_000,) * 2)
    found = {r.method: r.finished for r in load([root]).results}
    assert found == {"top": True, "low": True, f"low from {NEW}": False}
    save("d", 50, 9, method="low", source=NEW)
    assert {r.method for r in load([root]).results if r.finished} == {"low", f"low from {OLD}"}


def test_what_failed_under_a_newer_edit_of_a_stage_is_a_hole(save):
    save("a", 40, 1, method="top", files={"method low": OLD})
    record = make_record(failure="no", key="b" * 64, method="kd", files={"method low": NEW})
    root = save("c", 50, 1, method="low", source=OLD)
    os.utime(Store(root).save(record), (1_800_000_000,) * 2)
    found = load([root])
    assert {r.method: r.finished for r in found.results} == {"top": True, "low": True, "kd": False}
    assert found.notes == []
    os.utime(next((root / "records").glob("*_kd_*")), (1_700_000_000,) * 2)
    assert sorted(r.method for r in load([root]).results) == ["low", "top"], "an older edit"
