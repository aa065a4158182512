"""A record that is damaged or tells of a failure is named, not passed over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import made_records
import pytest
import torch

from lrfer_bench.errors import RecordError
from lrfer_bench.machine import load
from lrfer_bench.measuring.measure import Wish, measure
from lrfer_bench.measuring.stopwatch import Bench
from lrfer_bench.predicting.wanted import Wanted, by_name_or_key, cells_meant
from lrfer_bench.store.store import Store


def damage(root: Path, scale: int) -> Path:
    (path,) = (root / "records").glob(f"*_x{scale}_*")
    path.write_bytes(path.read_bytes()[:500])
    return path


def asked(root: Path, **wanted: Any) -> tuple[list[int], list[str]]:
    """Scales, and notes."""
    notes: list[str] = []
    found = cells_meant(root, Wanted("kd", **wanted), notes.append)
    return [record.test.scale for record in found], notes


def test_a_damaged_record_is_named_before_another_scale_answers(tmp_path: Path) -> None:
    for scale in (2, 4):
        made_records.save_hundred(tmp_path, method="kd", scale=scale)
    path = damage(tmp_path, 4)
    scales, (note,) = asked(tmp_path)
    assert scales == [2] and note.startswith(f"note: {path} is not counted: it is not complete")
    damage(tmp_path, 2)
    for look in (asked, lambda root: by_name_or_key(root, "kd", {})):
        with pytest.raises(RecordError, match=r"holds no sound record \(2 damaged\)"):
            look(tmp_path)


def test_a_scale_that_failed_is_named_once_where_no_scale_was_asked_for(tmp_path: Path) -> None:
    made_records.save_hundred(tmp_path, method="kd", scale=2)
    for seed in (0, 1):
        made_records.save(tmp_path, method="kd", scale=4, seed=seed, failure="it is too hot")
    made_records.save(tmp_path, method="kd", scale=8, preset="quick@1", failure="not of this row")
    assert asked(tmp_path) == (
        [2], ["note: there is no model of kd, bicubic@1 x4, seed 0: it is too hot"]
    )  # fmt: skip
    assert asked(tmp_path, scale=2) == ([2], [])


def test_measure_names_damaged_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "cores_of_others", lambda: 0.0)
    for scale in (2, 4):
        made_records.save_hundred(tmp_path, method="kd", scale=scale)
    path = damage(tmp_path, 4)
    lines: list[str] = []
    wish = Wish(Bench(torch.device("cpu"), 1))
    (outcome,) = measure(Store(tmp_path), wish, lines.append)
    assert outcome.record.test.scale == 2 and f"{path} is not counted: " in lines[0]
