"""A finished record without its logits counts as missing."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import made_records
import numpy as np
import pytest

from lrfer_bench.contract.preset import preset_of
from lrfer_bench.planning.build import build_plan
from lrfer_bench.planning.plan import Cell, DataRef, Plan
from lrfer_bench.planning.request import Request
from lrfer_bench.running.runner import Overwrite, split_plan
from lrfer_bench.store.answers import Logits
from lrfer_bench.store.merge import merge
from lrfer_bench.store.schema import Record
from lrfer_bench.store.store import Store

DATA = DataRef("faces", "f" * 64, "/nowhere", ("a", "b", "c"), 1, (48, 48), False)


def plan() -> Plan:
    return build_plan(Request(["direct"], scales=[4], preset=preset_of("quick@1")), DATA)


def save(root: Path, cell: Cell, correct: int = 20) -> Record:
    labels = np.arange(40) % 3
    return made_records.save(root, np.arange(40) < correct, labels, classes="abc", key=cell.key)


def link(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def turn(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-30] ^= 1
    path.write_bytes(data)


WAYS = (Path.unlink, turn, link, pipe, lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes() + b"\0"))  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_its_cell_is_run_again_and_the_changed_file_kept(
    way: Callable[[Path], object], tmp_path: Path
) -> None:
    store, asked = Store(tmp_path), plan()
    (cell,) = asked.cells.values()
    record = save(tmp_path, cell)
    path = store.logits / f"{record.stem}.npz"
    assert split_plan(asked, store, Overwrite.NEVER) == ([cell], [])
    way(path)
    for overwrite in Overwrite:
        assert split_plan(asked, store, overwrite) == ([], [cell])
    left = os.path.lexists(path)
    save(tmp_path, cell)
    assert split_plan(asked, store, Overwrite.NEVER) == ([cell], [])
    assert os.path.lexists(f"{path}.damaged") == left


@pytest.mark.parametrize("way", WAYS)
def test_another_machines_takes_its_place(way: Callable[[Path], object], tmp_path: Path) -> None:
    (cell,) = plan().cells.values()
    record = save(tmp_path / "mine", cell)
    save(tmp_path / "theirs", cell, correct=30)
    mine = Store(tmp_path / "mine")
    path = mine.logits / f"{record.stem}.npz"
    (outcome,) = merge(mine.root, [tmp_path / "theirs"])
    assert outcome.verdict == "stood"
    way(path)
    left = os.path.lexists(path)
    for dry in (True, False):
        (outcome,) = merge(mine.root, [tmp_path / "theirs"], dry=dry)
        assert outcome.verdict == "taken" and "logits" in outcome.reason
    found = mine.find(cell.key)
    assert found is not None and found.metrics is not None and found.metrics.all.accuracy == 0.75
    assert isinstance(mine.read_logits(found), Logits) and mine.is_complete(found)
    assert os.path.lexists(f"{path}.damaged") == left


def test_a_failed_record_needs_no_logits(tmp_path: Path) -> None:
    store, asked = Store(tmp_path), plan()
    (cell,) = asked.cells.values()
    made_records.save(tmp_path, failure="no", key=cell.key)
    assert split_plan(asked, store, Overwrite.NEVER) == ([cell], [])
