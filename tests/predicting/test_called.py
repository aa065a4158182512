"""Cells that stand in two rows of a table are two cells: neither is taken for the other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import made_records
import pytest

from lrfer_bench.errors import UserError
from lrfer_bench.predicting import answers
from lrfer_bench.predicting.called import is_called, is_row
from lrfer_bench.predicting.photos import Answers
from lrfer_bench.predicting.wanted import Wanted, by_name_or_key, cell_meant
from lrfer_bench.store.schema import MethodPart, StagePart

LONGER = "classifier[epochs=4x]"
ROW = f"kd ({LONGER})"


def save(root: Path, key: str, **words: Any) -> None:
    made_records.save_hundred(root, method="kd", key=64 * key, **words)


def chosen(root: Path, **wanted: Any) -> str:
    return cell_meant(root, Wanted(**wanted), print).key[0]


@pytest.mark.parametrize("keys", ["ab", "ba"])
def test_other_stages_are_another_row_which_its_label_names(keys: str, tmp_path: Path) -> None:
    plain, longer = keys
    save(tmp_path, plain, stage_settings=[])
    save(tmp_path, longer, stage_settings=[LONGER])
    assert chosen(tmp_path, method="kd") == plain, "a bare name is the method as it is"
    for text in (ROW, "kd (classifier[epochs=4X])"):
        assert chosen(tmp_path, method=text) == longer
    assert by_name_or_key(tmp_path, ROW, {}) == Wanted(ROW)
    with pytest.raises(UserError, match="no record of the method"):
        chosen(tmp_path, method="kd (classifier[epochs=2x])")


def test_a_bare_name_with_several_rows_but_its_own_is_a_question(tmp_path: Path) -> None:
    save(tmp_path, "a", stage_settings=[LONGER])
    assert chosen(tmp_path, method="kd") == "a", "no other row is there"
    save(tmp_path, "b", stage_settings=["classifier[epochs=2x]"])
    with pytest.raises(UserError, match=r"2 cells fit: narrow it down by method, .*epochs=4x\]\)"):
        chosen(tmp_path, method="kd")


@pytest.mark.parametrize("stages", [[], None])
def test_twins_that_no_option_tells_apart_take_the_key(stages: Any, tmp_path: Path) -> None:
    """As those that rest on two versions of a stage."""
    for key, seed in (("a", 0), ("b", 0), ("c", 1)):
        stage = StagePart(key=64 * key, method="classifier", train_seconds=1.0)
        save(tmp_path, key, seed=seed, stages={"teacher": stage}, stage_settings=stages)
    with pytest.raises(UserError, match="2 cells fit: give the key; "):
        chosen(tmp_path, method="kd")
    assert chosen(tmp_path, method="kd", seed=1) == "c"


def test_the_label_of_a_row_names_all_of_its_stages() -> None:
    two = MethodPart(
        name="kd", version="1", source="", settings={"weight": 0.5},
        stage_settings=["gan[text=a and b]", LONGER],
    )  # fmt: skip
    row = f"kd[weight=0.50] ({LONGER} and gan[text=a and b])"
    assert is_called(row, two) and is_row(row, two)
    assert is_called("kd", two) and not is_row("kd", two) and not is_row("kd[weight=0.5]", two)
    assert not is_called(f"kd ({LONGER})", two)


def test_answers_tell_the_settings_of_stages() -> None:
    record = made_records.make_record(failure="-", method="kd", stage_settings=[LONGER])
    told = json.loads(answers.as_json(Answers([record], [], [])))
    assert told["models"][0]["stage_settings"] == [LONGER]
