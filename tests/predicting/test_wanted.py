"""Which cell of a results folder is meant."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import made_records
import numpy as np
import pytest

from lrfer_bench.errors import UserError
from lrfer_bench.predicting import wanted as wanted_module
from lrfer_bench.predicting.wanted import Wanted, by_name_or_key, cell_meant, cells_meant
from lrfer_bench.store.answers import Logits
from lrfer_bench.store.edits import newest_edits
from lrfer_bench.store.schema import Record
from lrfer_bench.store.store import Store


def known(
    root: Path, name: str, key: str, code: str = "a", scale: int = 2, seed: int = 0,
    file: str = "mine.py", **settings: Any,
) -> Record:  # fmt: skip
    """A finished record of "mine.py" in a results folder."""
    logits = Logits(np.eye(4, dtype=np.float32), np.arange(4), np.ones(4, np.bool_))
    record = made_records.make_record(
        logits, key=key * 64, method=name, settings=settings,
        source=f"{file} sha256:{code * 12}", scale=scale, seed=seed, classes="abcd",
        preset="quick@1",
    )  # fmt: skip
    Store(root).save(record, logits)
    return record


def chosen(root: Path, **wanted: Any) -> tuple[str, list[str]]:
    """The first letter of the key, and the notes."""
    notes: list[str] = []
    return cell_meant(root, Wanted(**wanted), notes.append).key[0], notes


def test_a_label_finds_its_cell_however_its_numbers_are_written(tmp_path: Path) -> None:
    known(tmp_path, "mine", "a", weight=0.0, arch="wide")
    known(tmp_path, "mine", "b", weight=0.5, arch="wide")
    known(tmp_path, "mine", "c", sizes=[1, 2])
    for text in (
        "mine[arch=wide,weight=0]",
        "mine[weight=0.0, arch=wide]",
        "mine[arch=wide,weight=0e0]",
    ):
        assert chosen(tmp_path, method=text) == ("a", [])
    assert chosen(tmp_path, method="mine[sizes=[1, 2]]") == ("c", [])
    with pytest.raises(
        UserError, match=r"no finished cell of mine\[weight=0,arch=wide\] fits: there are a{12} \("
    ):
        chosen(tmp_path, method="mine[weight=0,arch=wide]", scale=4)
    with pytest.raises(
        UserError, match=r"3 cells fit.*mine\[arch=wide,weight=0.5\] of mine.py sha256:aaaa"
    ):
        chosen(tmp_path, method="mine")
    known(tmp_path, "mine", "d")
    assert chosen(tmp_path, method="mine") == ("d", []), "a bare name is the method as it is"


def test_cells_that_differ_by_their_scales_alone_are_meant_together(tmp_path: Path) -> None:
    for key, scale, seed in (("a", 4, 1), ("b", 4, 0), ("c", 2, 0)):
        known(tmp_path, "mine", key, scale=scale, seed=seed)
    found = cells_meant(tmp_path, Wanted("mine"), print)
    assert [record.key[0] for record in found] == ["c", "b"]
    with pytest.raises(UserError, match="2 cells fit: narrow it down by scale, or give"):
        cell_meant(tmp_path, Wanted("mine"), print)
    known(tmp_path, "mine", "d", scale=8, weight=1.0)
    assert len(cells_meant(tmp_path, Wanted("mine"), print)) == 2, "a bare name is the plain one"
    known(tmp_path, "other", "e", scale=2, weight=1.0)
    known(tmp_path, "other", "f", scale=4, weight=2.0)
    with pytest.raises(UserError, match="2 cells fit"):
        cells_meant(tmp_path, Wanted("other"), print)


def test_a_name_of_a_method_or_the_head_of_a_key(tmp_path: Path) -> None:
    known(tmp_path, "fade", "a")
    known(tmp_path, "mine", "f")
    assert by_name_or_key(tmp_path, "fade", {}) == Wanted("fade"), "a method comes first"
    assert by_name_or_key(tmp_path, "fff", {}) == Wanted(key="fff")
    assert by_name_or_key(tmp_path, "fff", {"scale": 2}) == Wanted("fff", scale=2)
    assert by_name_or_key(tmp_path, None, {"key": "fade"}) == Wanted(key="fade")
    with pytest.raises(UserError, match='did you mean "mine"'):
        by_name_or_key(tmp_path, "miine", {})


def test_a_key_and_what_contradicts_it(tmp_path: Path) -> None:
    known(tmp_path, "mine", "a")
    assert chosen(tmp_path, key="aaa", method="mine", scale=2) == ("a", [])
    for wanted in ({"method": "direct"}, {"scale": 4}, {"seed": 1}):
        with pytest.raises(
            UserError, match=r"the key aaa is that of .* which the other options do not fit"
        ):
            chosen(tmp_path, key="aaa", **wanted)


def test_of_an_edited_plugin_the_newest_is_taken_with_a_note(tmp_path: Path) -> None:
    for seed, old, new in ((0, "a", "c"), (1, "b", "d")):
        path = (
            tmp_path / "records" / f"{known(tmp_path, 'mine', old, code='1', seed=seed).stem}.json"
        )
        os.utime(path, (1, 1))
        known(tmp_path, "mine", new, code="2", seed=seed)
    found, notes = chosen(tmp_path, method="mine")
    assert (
        found == "c"
        and len(notes) == 1
        and notes[0].endswith("made with mine.py sha256:111111111111")
    )
    known(tmp_path, "mine", "e", code="3", scale=4)
    assert chosen(tmp_path, method="mine", scale=2)[0] == "c"
    with pytest.raises(UserError, match=r"3 cells fit.*mine of mine.py sha256:3333"):
        chosen(tmp_path, method="mine")


def test_of_an_edit_run_at_several_scales_the_newest_is_taken_at_each(tmp_path: Path) -> None:
    for scale, old, new in ((2, "a", "c"), (4, "b", "d")):
        record = known(tmp_path, "mine", old, code="1", scale=scale)
        os.utime(tmp_path / "records" / f"{record.stem}.json", (1, 1))
        known(tmp_path, "mine", new, code="2", scale=scale)
    notes: list[str] = []
    found = cells_meant(tmp_path, Wanted("mine"), notes.append)
    assert [record.key[0] for record in found] == ["c", "d"] and len(notes) == 1


def test_an_edit_under_another_file_name_is_an_edit(tmp_path: Path) -> None:
    record = known(tmp_path, "mine", "a", code="1")
    os.utime(tmp_path / "records" / f"{record.stem}.json", (1, 1))
    known(tmp_path, "mine", "b", code="2", file="mine_v2.py")
    found, notes = chosen(tmp_path, method="mine")
    assert found == "b" and notes[0].endswith(f"also made with mine.py sha256:{12 * '1'}")


def test_a_renamed_method_is_found_by_both_names(tmp_path: Path) -> None:
    known(tmp_path, "bicubic", "a")
    for name in ("bicubic", "enlarge"):
        assert chosen(tmp_path, method=name, scale=2) == ("a", [])
    known(tmp_path, "enlarge", "b", scale=4)
    with pytest.raises(UserError, match=r"2 cells fit.*a{12} \(enlarge of"):
        chosen(tmp_path, method="enlarge")


def test_the_newest_edit_of_each_group(tmp_path: Path) -> None:
    store = Store(tmp_path)
    records = [known(tmp_path, "mine", key, code=code, seed=seed)
               for key, code, seed in (("a", "1", 0), ("b", "2", 0), ("c", "1", 1))]  # fmt: skip
    for second, record in enumerate(records, start=1):
        path = tmp_path / "records" / f"{record.stem}.json"
        os.utime(path, (second, second))
    found = newest_edits(((store, record) for record in records), lambda record: record.seed)
    assert found == {0: "mine.py sha256:222222222222", 1: "mine.py sha256:111111111111"}
    installed = made_records.make_record(failure="no", source="somebody 1.0")
    assert newest_edits([(store, installed)], lambda record: record.seed) == {}


def test_a_preset_tells_budgets_apart(tmp_path: Path) -> None:
    known(tmp_path, "mine", "a")
    for text in ("quick", "quick@1"):
        assert chosen(tmp_path, method="mine", preset=text) == ("a", [])
    with pytest.raises(UserError, match="no finished cell of mine fits"):
        chosen(tmp_path, method="mine", preset="cpu")


def test_copies_of_one_data_set_are_told_apart_as_in_tables(tmp_path: Path) -> None:
    logits = Logits(np.eye(4, dtype=np.float32), np.arange(4), np.ones(4, np.bool_))
    for key in "ab":
        record = made_records.make_record(
            logits, key=key * 64, fingerprint=key * 64, classes="abcd", scale=2
        )
        Store(tmp_path).save(record, logits)
    with pytest.raises(UserError, match=r"narrow it down by data set, .*_s0_cpu@1, faces \(bbbb"):
        chosen(tmp_path, method="direct")
    assert chosen(tmp_path, method="direct", dataset="faces (bbbbbbbb)") == ("b", [])


def test_models_that_learned_from_another_protocol_are_told_apart(tmp_path: Path) -> None:
    logits = Logits(np.eye(4, dtype=np.float32), np.arange(4), np.ones(4, np.bool_))
    for key, protocol in (("a", "camera@1"), ("b", "bicubic@1")):
        record = made_records.make_record(
            logits, key=key * 64, method="mine", scale=4, classes="abcd",
            protocol=protocol, train_scales=[4], test_protocol="camera@1",
        )  # fmt: skip
        Store(tmp_path).save(record, logits)
    with pytest.raises(UserError) as caught:
        cell_meant(tmp_path, Wanted("mine"), print)
    said = str(caught.value)
    assert said.startswith("2 cells fit: give the key; ") and said.count("trained on") == 1
    assert "_camera@1_x4_s0_cpu@1, trained on bicubic@1 x4)" in said


def test_the_edit_that_is_loaded_here_comes_before_the_newest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an edit was undone: of the newest there are records, but its code is not here."""
    for key, code, scale in (("a", "1", 2), ("b", "2", 2), ("c", "2", 4)):
        record = known(tmp_path, "mine", key, code=code, scale=scale)
        second = 1 + "12".index(code)
        os.utime(tmp_path / "records" / f"{record.stem}.json", (second, second))
    here = {"mine": "mine.py sha256:" + 12 * "1"}
    monkeypatch.setattr(wanted_module, "_loaded_source", lambda name: here.get(name, ""))
    found, notes = chosen(tmp_path, method="mine")
    assert found == "a" and "the one of the file as it is here is used" in notes[0]
    assert notes[0].endswith(f"also made with mine.py sha256:{12 * '2'}")
    here.clear()
    found, notes = chosen(tmp_path, method="mine", scale=2)
    assert found == "b" and "the newest is used" in notes[0]


def test_what_is_loaded_here_is_known_by_its_source() -> None:
    assert wanted_module._loaded_source("direct").startswith("lrfer-bench")
    assert wanted_module._loaded_source("nobodys") == ""


def test_models_that_differ_by_their_weights_are_called_by_them(tmp_path: Path) -> None:
    for key in "ab":
        logits = Logits(np.eye(4, dtype=np.float32), np.arange(4), np.ones(4, np.bool_))
        record = made_records.make_record(
            logits, key=key * 64, method="net", source=f"net.py sha256:{12 * key}", classes="abcd",
            existing=True, weights=[f"net-{key}.pth sha256:{12 * key}"], train_scales=[],
        )  # fmt: skip
        Store(tmp_path).save(record, logits)
        second = 1 + "ab".index(key)
        os.utime(tmp_path / "records" / f"{record.stem}.json", (second, second))
    found, (note,) = chosen(tmp_path, method="net")
    assert found == "b" and f"made with net-b.pth sha256:{12 * 'b'};" in note
    assert note.endswith(f"net-a.pth sha256:{12 * 'a'}") and "net.py" not in note
