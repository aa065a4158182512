"""Records: whole or not at all, and never trusted blindly."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import made_records
import numpy as np
import pytest

from lrfer_bench.errors import RecordError, UserError
from lrfer_bench.files import write_atomically
from lrfer_bench.scoring.metrics import score
from lrfer_bench.store.answers import Logits
from lrfer_bench.store.schema import Record
from lrfer_bench.store.store import Damaged, Store

KEY = "ab" * 32


def answers() -> Logits:
    rng = np.random.default_rng(0)
    return Logits(rng.normal(size=(20, 3)).astype(np.float32), np.arange(20) % 3, np.arange(20) > 1)


def record(logits: Logits) -> Record:
    return made_records.make_record(logits, key=KEY, classes="abc")


@pytest.fixture
def saved(tmp_path: Path) -> tuple[Store, Path]:
    store = Store(tmp_path / "results")
    return store, store.save(record(answers()), answers())


def test_round_trip(saved: tuple[Store, Path]) -> None:
    store, _ = saved
    found = store.find(KEY)
    assert found is not None and found.metrics == record(answers()).metrics
    logits = store.read_logits(found)
    assert np.array_equal(logits.logits, answers().logits) and np.array_equal(
        logits.clean, answers().clean
    )
    assert score(logits.logits, logits.labels, logits.clean) == found.metrics
    assert not list(store.root.rglob(".tmp-*"))


def cut(text: str) -> str:
    return text[: len(text) // 2]


def edit(change: Callable[[dict], None]) -> Callable[[str], str]:
    def apply(text: str) -> str:
        content = json.loads(text)
        change(content)
        return json.dumps(content)

    return apply


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (cut, "JSON"),
        (lambda text: "", "JSON"),
        (edit(lambda r: r["metrics"]["all"].update(accuracy=0.99)), "confusion"),
        (edit(lambda r: r["metrics"]["clean"].update(n=20)), "20 images"),
        (edit(lambda r: r.update(schema_version=2)), "schema version"),
        (edit(lambda r: r.update(seed="many")), "field seed"),
        (edit(lambda r: r.update(extra=1)), "field extra"),
        (edit(lambda r: r["method"].update(name="gmenet")), "name"),
        (edit(lambda r: r.update(metrics=None)), "metrics"),
        (edit(lambda r: r.update(status="failed", failure=None)), "reason"),
        (edit(lambda r: r["metrics"]["all"].update(macro_f1=0.99)), "changed"),
        (edit(lambda r: r["cost"].update(macs=1)), "changed"),
        (edit(lambda r: r["method"].update(settings={"x": 1})), "changed"),
        (edit(lambda r: r["metrics"]["all"].update(confusion=[[1], [1, 2]])), "fit together"),
        (lambda text: "[" * 100_000, "nested"),
    ],
)
def test_a_damaged_record_is_named_and_never_counted(
    saved: tuple[Store, Path], spoil: Callable[[str], str], words: str
) -> None:
    store, path = saved
    path.write_text(spoil(path.read_text()))
    (found,) = list(store.scan())
    assert isinstance(found, Damaged) and words in found.reason and found.path == path
    assert store.find(KEY) is None
    aside = store.set_aside(found)
    assert aside.exists() and list(store.scan()) == []


def test_a_new_record_sets_a_damaged_one_aside_and_keeps_it(saved: tuple[Store, Path]) -> None:
    store, path = saved
    for spoilt in ("{", "edited by hand"):
        path.write_text(spoilt)
        store.save(record(answers()), answers())
        assert store.find(KEY) is not None
    kept = sorted(p.read_text() for p in store.records.glob("*.damaged*"))
    assert kept == ["edited by hand", "{"]


def test_logits_that_were_exchanged_or_lost_are_noticed(saved: tuple[Store, Path]) -> None:
    store, _ = saved
    found = store.find(KEY)
    assert found is not None
    path = store.logits / f"{found.stem}.npz"
    path.write_bytes(Logits(answers().logits + 1, answers().labels, answers().clean).to_bytes())
    with pytest.raises(RecordError, match="not the file"):
        store.read_logits(found)
    path.unlink()
    with pytest.raises(RecordError, match="missing"):
        store.read_logits(found)


def archive(**arrays: object) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


LABELS, CLEAN = np.zeros(4, np.int64), np.ones(4, np.bool_)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"garbage",
        archive(logits=np.zeros((4, 3)))[:-40],
        archive(logits=np.zeros((4, 3))),
        archive(logits=np.full((4, 3), "1.0"), labels=LABELS, clean=CLEAN),
        archive(logits=np.zeros((4, 3), np.int64), labels=LABELS, clean=CLEAN),
        archive(logits=np.zeros(4), labels=LABELS, clean=CLEAN),
        archive(logits=np.zeros((4, 3)), labels=np.zeros(4), clean=CLEAN),
        archive(logits=np.zeros((4, 3)), labels=LABELS[:3], clean=CLEAN),
        archive(logits=np.zeros((4, 3)), labels=LABELS, clean=LABELS),
        archive(logits=np.array([None]), labels=LABELS, clean=CLEAN),
    ],
)
def test_garbage_that_a_record_was_sealed_with_is_one_sentence(
    saved: tuple[Store, Path], data: bytes
) -> None:
    store, _ = saved
    found = record(answers()).model_copy(update={"logits_sha256": hashlib.sha256(data).hexdigest()})
    (store.logits / f"{found.stem}.npz").write_bytes(data)
    with pytest.raises(RecordError, match=r"\.npz .*test logits \(.+\)"):
        store.read_logits(found)


def test_a_write_that_fails_leaves_the_old_file_and_no_rubbish(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    write_atomically(path, b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match=r"a\.json.*No space left on device"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old" and [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_a_full_disk_is_told_in_one_sentence() -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("this system has no /dev/full")
    with pytest.raises(UserError, match="cannot write"):
        write_atomically(Path("/dev/full/x"), b"data")


def test_a_record_takes_the_place_of_one_under_a_former_name(tmp_path: Path) -> None:
    store = Store(tmp_path / "results")
    old, new = (
        made_records.make_record(answers(), key=KEY, classes="abc", method=name)
        for name in ("bicubic", "enlarge")
    )
    first = store.save(old, answers())
    second = store.save(new, answers())
    assert first.name != second.name and [*store.records.iterdir()] == [second]
    assert [path.stem for path in store.logits.iterdir()] == [second.stem]
