"""A record that nobody of ours has written is named, is not merged, and stops nothing."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import resource
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import made_records
import numpy as np
import pytest

import lrfer_bench
from lrfer_bench.errors import RecordError, UserError
from lrfer_bench.store.merge import merge
from lrfer_bench.store.schema import Record
from lrfer_bench.store.store import Damaged, Store, checksum, read_record

Content = dict[str, Any]


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


VALUES: dict[str, list[Any]] = {
    "key": ["ab", "AB" * 32, "g" * 64, "ab" * 32 + "\n", ""],
    "seed": [-1, 2**63, 10**400, "1e9"],
    "preset": ["../cpu", "cpu@", "cpu\x1b[2J", ""],
    "dataset.name": ["=cmd", "a/b", "..", "\x1b]0;x\x07", "a b", ""],
    "dataset.fingerprint": ["*", "", "a" * 63],
    "method.name": ["=cmd|' /C calc'!A0", "+1", "@x", "a\nb", "-x", "né"],
    "method.card": [
        {"title": "no summary"}, {"summary": "x" * 5001}, {"summary": "a\x1b[2J"},
        {"summary": "a", "url": "javascript:alert(1)"},
        {"summary": "a", "url": "https://a\u202egpj.exe"}, {"summary": "a", "year": 10**400},
        {"summary": "a", "stated": ["b"] * 51}, {"summary": "a", "look": 1},
    ],
    "method.settings": [{"x": nested(900)}, {"x": 10**400}, {"x": float("nan")}],
    "test.protocol": ["bicubic@1/..", "=a", "\u202ex@1"],
    "train.protocol": ["bicubic\x00@1"],
    "test.scale": [0, -1, 10**30, 2.5],
    "test.size_px": [0, -1, 10**400, 10**30],
    "train.scales": [[0], [-2], [10**400]],
    "logits_sha256": ["0" * 63, "x"],
    "stages": [{"s": {"key": "../x", "method": "a", "train_seconds": 1}}],
    "selection.epochs": [-1, 10**20],
    "cost.parameters": [-1, 10**400, float("inf"), 2**53 + 1],
    "cost.macs": [-1, 10**400, float("nan")],
    "cost.latency_ms": [-0.5, float("inf"), float("nan"), 1e300, 10**400],
    "cost.train_seconds": [-1.0, 1e308],
    "metrics.all.nll": [float("nan"), -1.0, 1e300],
    "metrics.all.ece": [-0.1, 7.0],
    "metrics.clean.macro_f1": [1.5],
    "metrics.all.n": [-1, 10**400],
    "metrics.all.recall": [[2.0] * 7, [-1.0] * 7],
    "metrics.all.confusion": [[[-1] * 7] * 7, [[10**400]], [], [[]]],
    "history": [[{"epoch": -1, "seconds": 1, "losses": {}}],
                [{"epoch": 1, "seconds": 1, "losses": {"ce": float("inf")}}]],
    "environment": [{"torch": nested(900)}, {"torch": "\ud800"}],
    "dataset.classes": [["a\udcff", "b"]],
}  # fmt: skip
CASES = [(path, value) for path, values in VALUES.items() for value in values]


def save(root: Path, **fields: Any) -> Record:
    labels = np.arange(40) % 7
    return made_records.save(root, labels > 2, labels, **fields)


def path_of(root: Path, record: Record) -> Path:
    return root / "records" / f"{record.stem}.json"


def change(file: Path, place: str, value: Any) -> None:
    """Put a value into a record and seal it again, as somebody who means harm would."""
    content: Content = json.loads(file.read_text())
    *above, last = place.split(".")
    part = content
    for name in above:
        part = part[name]
    part[last] = value
    try:
        content["content_sha256"] = checksum(content)
    except (ValueError, RecursionError):  # NaN, or too deep for our own way of writing
        body = {name: content[name] for name in content if name != "content_sha256"}
        text = json.dumps(body, sort_keys=True, separators=(",", ":"))
        content["content_sha256"] = hashlib.sha256(text.encode()).hexdigest()
    file.write_text(json.dumps(content))


def short(case: Any) -> str:
    return repr(case)[:40]


@pytest.mark.parametrize(("place", "value"), CASES, ids=short)
def test_it_is_damaged_and_stops_nothing(place: str, value: Any, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    sound, bad = save(theirs, scale=2), save(theirs, scale=4)
    change(path_of(theirs, bad), place, value)
    found = read_record(path_of(theirs, bad))
    assert isinstance(found, Damaged) and "\n" not in found.reason
    assert list(lrfer_bench.load_results(theirs)["key"]) == [sound.key]
    assert Store(theirs).find(sound.key) and Store(theirs).find(bad.key) is None
    verdicts = [outcome.verdict for outcome in merge(tmp_path / "mine", [theirs])]
    assert sorted(verdicts) == ["refused", "taken"]


def test_the_largest_values_of_all_are_taken(tmp_path: Path) -> None:
    record = save(tmp_path, seed=2**63 - 1, settings={"x": 1e300, "deep": nested(20)},
                  cost={"parameters": 0, "macs": 2**53, "latency_ms": 0.0})  # fmt: skip
    assert isinstance(read_record(path_of(tmp_path, record)), Record)


def folder(path: Path) -> None:
    path.mkdir()


def dangling(path: Path) -> None:
    path.symlink_to("nowhere")


def circle(path: Path) -> None:
    path.symlink_to(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def not_text(path: Path) -> None:
    path.write_bytes(b"\xff\xfe{}")


def endless(path: Path) -> None:
    with open(path, "wb") as file:
        file.truncate(1 << 40)


def deep(path: Path) -> None:
    path.write_text("[" * 100_000)


def empty_list(path: Path) -> None:
    path.write_text("[]")


THINGS = (folder, dangling, circle, device, os.mkfifo, not_text, endless, deep, empty_list)


@pytest.mark.parametrize("make", THINGS, ids=lambda make: make.__name__)
@pytest.mark.parametrize("part", ["records", "logits"])
def test_what_is_no_file_of_ours_is_named(
    make: Callable[[Path], None], part: str, tmp_path: Path
) -> None:
    record = save(tmp_path / "theirs")
    other = save(tmp_path / "theirs", scale=2)
    ending = "json" if part == "records" else "npz"
    path = tmp_path / "theirs" / part / f"{record.stem}.{ending}"
    path.unlink()
    make(path)
    outcomes = list(merge(tmp_path / "mine", [tmp_path / "theirs"]))
    assert sorted(outcome.verdict for outcome in outcomes) == ["refused", "taken"]
    if part == "records":
        assert list(lrfer_bench.load_results(tmp_path / "theirs")["key"]) == [other.key]
        Store(tmp_path / "theirs").save(record)  # what stands in its place is kept
    else:
        with pytest.raises(RecordError):
            Store(tmp_path / "theirs").read_logits(record)


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.EIO, errno.ENOMEM])
def test_trouble_of_the_moment_is_not_damage(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, store = save(tmp_path), Store(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.*")}

    def fail(*_: Any, **__: Any) -> int:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", fail)
        for call in (lambda: list(store.scan()), lambda: store.find(record.key),
                     lambda: store.read_logits(record), lambda: store.save(record)):  # fmt: skip
            with pytest.raises(UserError, match="try again later") as caught:
                call()
            assert not isinstance(caught.value, RecordError)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.*")} == before


def test_too_many_open_files_for_real(tmp_path: Path) -> None:
    save(tmp_path)
    limits, held = resource.getrlimit(resource.RLIMIT_NOFILE), []
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, limits[1]))
    try:
        with pytest.raises(OSError):
            while True:
                held.append(os.dup(0))
        os.close(held.pop())  # one for the listing of the folder, none for the file in it
        path = next((tmp_path / "records").iterdir())
        held.append(os.dup(0))
        with pytest.raises(UserError, match="try again later"):
            read_record(path)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        for handle in held:
            os.close(handle)


def bomb(images: int, classes: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open("logits.npy", "w", force_zip64=True) as file:
            header = {"descr": "<f4", "fortran_order": False, "shape": (images, classes)}
            np.lib.format.write_array_header_1_0(file, header)
            left = images * classes * 4
            while left > 0:
                file.write(b"\0" * min(left, 1 << 22))
                left -= 1 << 22
        for name, array in (("labels", np.zeros(40, np.int64)), ("clean", np.ones(40, bool))):
            with archive.open(f"{name}.npy", "w") as file:
                np.lib.format.write_array(file, array)
    return buffer.getvalue()


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    record, store = save(tmp_path), Store(tmp_path)
    data = bomb(3_000_000, 7)
    record = record.model_copy(update={"logits_sha256": hashlib.sha256(data).hexdigest()})
    (store.logits / f"{record.stem}.npz").write_bytes(data)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(RecordError, match="holds no test logits"):
        store.read_logits(record)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40_000


def test_a_turned_bit_in_sealed_logits_is_one_sentence(tmp_path: Path) -> None:
    """Its author sealed it like that, so that no checksum helps."""
    record, store = save(tmp_path), Store(tmp_path)
    path = store.logits / f"{record.stem}.npz"
    arrays = dict(np.load(path))
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    whole, refused = buffer.getvalue(), 0
    for at in range(0, len(whole), max(len(whole) // 300, 1)):
        turned = bytearray(whole)
        turned[at] ^= 1 << at % 8
        path.write_bytes(turned)
        twin = record.model_copy(update={"logits_sha256": hashlib.sha256(turned).hexdigest()})
        try:
            store.read_logits(twin)
        except RecordError as error:
            refused += 1
            assert "\n" not in str(error)
    assert refused > 200


def other_key(record: Record) -> str:
    return record.key[:12] + "e" * 52


@pytest.mark.parametrize("status", ["finished", "failed"])
def test_a_record_of_another_key_takes_nobodys_place(status: str, tmp_path: Path) -> None:
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    record = save(mine)
    words: dict[str, Any] = {"failure": "gone"} if status == "failed" else {}
    labels = np.arange(40) % 7
    correct = None if words else labels > 2
    twin = made_records.save(theirs, correct, labels, key=other_key(record), **words)
    assert twin.stem == record.stem
    before = {path: path.read_bytes() for path in mine.rglob("*.*")}
    for dry in (True, False):
        (outcome,) = merge(mine, [theirs], dry=dry)
        assert outcome.verdict == "refused" and "another key" in outcome.reason
    assert {path: path.read_bytes() for path in mine.rglob("*.*")} == before


def test_my_own_result_keeps_what_another_key_left_in_its_place(tmp_path: Path) -> None:
    first = save(tmp_path)
    before = path_of(tmp_path, first).read_bytes()
    second = save(tmp_path, key=other_key(first))
    store = Store(tmp_path)
    assert store.find(second.key) is not None and store.find(first.key) is None
    assert path_of(tmp_path, first).with_suffix(".json.other-key").read_bytes() == before
    assert (store.logits / f"{first.stem}.npz.other-key").is_file()


def test_a_finished_record_removes_the_failed_one_of_a_former_name(tmp_path: Path) -> None:
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    failed = made_records.save(mine, method="bicubic", key="ab" * 32, failure="no")
    save(theirs, method="enlarge", key="ab" * 32)
    (outcome,) = merge(mine, [theirs])
    assert outcome.verdict == "taken" and not path_of(mine, failed).exists()
