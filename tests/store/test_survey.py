"""Many records at once, and former names in a large folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from lrfer_bench.store.schema import Record
from lrfer_bench.store.store import Store, read_record
from lrfer_bench.store.survey import find_all, survey
from results import copy_of


def test_a_survey_says_what_stands_and_what_is_damaged(trained: Path, tmp_path: Path) -> None:
    store = Store(copy_of(trained, tmp_path / "mine"))
    keys = [entry.key for entry in store.scan() if isinstance(entry, Record)]
    path = next(store.records.glob("*.json"))
    path.write_text(path.read_text()[:100])
    found = survey(store, set(keys))
    assert len(found.status) == len(keys) - 1 and set(found.status) < set(keys)
    assert [damaged.path for damaged in found.damaged] == [path]
    assert survey(Store(tmp_path / "none"), keys).status == {}
    assert survey(store, keys[:0]).status == {}


def test_records_come_in_the_order_of_their_keys_and_no_other_file_is_read(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(trained)
    keys = [entry.key for entry in store.scan() if isinstance(entry, Record)]
    wanted = [keys[3], "0" * 64, keys[0]]
    read: list[Path] = []

    def counted(path: Path) -> object:
        read.append(path)
        return read_record(path)

    monkeypatch.setattr("lrfer_bench.store.store.read_record", counted)
    assert [record.key for record in find_all(store, wanted)] == [keys[3], keys[0]]
    assert len(read) == 2


def test_one_store_knows_the_former_name_that_it_wrote_itself(
    trained: Path, tmp_path: Path
) -> None:
    store = Store(copy_of(trained, tmp_path / "mine"))
    record = next(entry for entry in store.scan() if isinstance(entry, Record))
    former = record.model_copy(
        update={"method": record.method.model_copy(update={"name": "former"})}
    )
    answers = store.read_logits(record)
    first = store.save(former, answers)
    assert first.exists() and not (store.records / f"{record.stem}.json").exists()
    again = store.save(record, answers.to_bytes())
    assert again.exists() and not first.exists()
    found = store.standing(former)
    assert found is not None and found.stem == record.stem
