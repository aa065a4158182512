"""merge looks before it takes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lrfer_bench.errors import UserError
from lrfer_bench.scoring.metrics import score
from lrfer_bench.store.merge import merge
from lrfer_bench.store.schema import Record
from lrfer_bench.store.store import Store
from results import copy_of, edited

Edit = Callable[[dict[str, Any]], None]


def verdicts(mine: Path, *others: Path, **how: bool) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {"taken": [], "stood": [], "refused": []}
    for outcome in merge(mine, others, **how):
        found[outcome.verdict].append(outcome.reason)
    return found


def test_all_is_taken_once_with_the_very_bytes(trained: Path, tmp_path: Path) -> None:
    assert (
        len(verdicts(tmp_path / "mine", trained, dry=True)["taken"]) == 6
        and not (tmp_path / "mine").exists()
    )
    assert len(verdicts(tmp_path / "mine", trained)["taken"]) == 6
    for part in ("records", "logits"):
        mine, theirs = (
            {p.name: p.read_bytes() for p in (root / part).iterdir()}
            for root in (tmp_path / "mine", trained)
        )
        assert mine == theirs
    assert verdicts(tmp_path / "mine", trained) == {"taken": [], "stood": [""] * 6, "refused": []}


def test_a_finished_record_replaces_a_failed_one_and_not_the_other_way(
    trained: Path, tmp_path: Path
) -> None:
    mine = copy_of(trained, tmp_path / "mine")
    path = next((mine / "records").glob("*_linear_*_s0_*"))
    failed = {
        "status": "failed",
        "failure": {"sentence": "no"},
        "metrics": None,
        "cost": None,
        "logits_sha256": None,
    }
    edited(path, lambda content: content.update(failed))
    other_way = verdicts(trained, mine, dry=True)
    assert other_way["taken"] == [] and "mine is kept: theirs failed" in other_way["stood"]
    assert not [why for why in other_way["stood"] if "machines" in why]
    assert verdicts(mine, trained)["taken"] == ["in place of a failed one"]
    assert path.read_bytes() == (trained / "records" / path.name).read_bytes()


def edit(path: str, value: Any) -> Edit:
    def change(content: dict[str, Any]) -> None:
        *above, last = path.split(".")
        for name in above:
            content = content[name]
        content[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (edit("schema_version", 2), "does not have schema version 1"),
        (edit("metrics.all.macro_f1", 0.123), "metrics do not follow from its logits"),
        (edit("metrics.all.accuracy", 0.99), "accuracy does not follow from its confusion matrix"),
        (edit("logits_sha256", "0" * 64), "is not the file its record was written with"),
        (edit("test.protocol", "bicubic@7"), "its name does not match its content"),
        (edit("train.protocol", "bicubic@7"), "made under bicubic@7, but here is bicubic@1"),
        (edit("train.protocol", "drawn@1"), "protocol drawn@1 is not here"),
        (edit("preset", "quick@9"), "its name does not match"),
        (edit("dataset.fingerprint", "a" * 64), "other images or labels"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_reason(
    trained: Path, tmp_path: Path, change: Edit, words: str
) -> None:
    other = copy_of(trained, tmp_path / "other")
    mine = copy_of(trained, tmp_path / "mine")
    (path,) = (mine / "records").glob("*_linear_*_s1_*")
    path.unlink()
    (changed,) = (other / "records").glob("*_linear_*_s1_*")
    edited(changed, change)
    (reason,) = verdicts(mine, other)["refused"]
    assert words in reason and not path.exists()
    if "fingerprint" in reason:
        assert len(verdicts(mine, other, other_data=True)["taken"]) == 1


def test_labels_of_the_same_data_have_to_be_mine(trained: Path, tmp_path: Path) -> None:
    other, mine = copy_of(trained, tmp_path / "other"), copy_of(trained, tmp_path / "mine")
    record = next(
        r
        for r in Store(other).scan()
        if isinstance(r, Record) and (r.method.name, r.seed) == ("linear", 1)
    )
    (mine / "records" / f"{record.stem}.json").unlink()
    answers = Store(other).read_logits(record)
    turned = type(answers)(
        answers.logits[::-1].copy(), answers.labels[::-1].copy(), answers.clean[::-1].copy()
    )
    parts = score(turned.logits, turned.labels, turned.clean)
    Store(other).save(record.model_copy(update={"metrics": parts}), turned)
    (reason,) = verdicts(mine, other)["refused"]
    assert "test labels or leaked rows are not those of" in reason


def test_my_damaged_file_is_kept_beside_what_is_taken(trained: Path, tmp_path: Path) -> None:
    mine = copy_of(trained, tmp_path / "mine")
    path = next((mine / "records").glob("*_linear_*_s0_*"))
    path.write_text("my work of a month")
    (would,) = verdicts(mine, trained, dry=True)["taken"]
    assert "mine is damaged and would be kept" in would and path.read_text() == "my work of a month"
    assert verdicts(mine, trained)["taken"] == [
        f"mine was damaged and is kept as {path.name}.damaged"
    ]
    assert path.with_name(f"{path.name}.damaged").read_text() == "my work of a month"
    assert path.read_bytes() == (trained / "records" / path.name).read_bytes()


def test_garbage_with_a_fitting_checksum_stops_no_other_record(
    trained: Path, tmp_path: Path
) -> None:
    other = copy_of(trained, tmp_path / "other")
    path = next((other / "records").glob("*_linear_*_s0_*"))
    (other / "logits" / f"{path.stem}.npz").write_bytes(b"garbage")
    edited(path, edit("logits_sha256", hashlib.sha256(b"garbage").hexdigest()))
    found = verdicts(tmp_path / "mine", other)
    assert len(found["taken"]) == 5 and "holds no test logits" in found["refused"][0]


def test_folders_that_are_none(trained: Path, tmp_path: Path) -> None:
    for other, words in ((tmp_path, "not a results folder"), (trained, "the folder to merge into")):
        with pytest.raises(UserError, match=words):
            list(merge(trained, [other]))


def test_merge_from_outside(trained: Path, lrfer: Any, tmp_path: Path) -> None:
    other = copy_of(trained, tmp_path / "other")
    next((other / "records").iterdir()).write_text("{")
    done = lrfer("merge", other, "--results", tmp_path / "mine")
    assert done.returncode == 1 and "5 taken, 0 stood already, 1 refused" in done.stdout
    assert "not complete JSON" in done.stdout


def test_finished_numbers_of_mine_are_kept_where_others_take_their_place(
    trained: Path, tmp_path: Path
) -> None:
    """Their logits are lost, and another machine has others for the same key."""
    mine = copy_of(trained, tmp_path / "mine")
    path = next((mine / "records").glob("*_linear_*_s0_*"))
    edited(path, edit("metrics.all.nll", 9.5))
    (mine / "logits" / f"{path.stem}.npz").unlink()
    before = path.read_bytes()
    reason = "in place of one whose logits are missing or damaged, and its numbers are others: "
    assert verdicts(mine, trained)["taken"] == [f"{reason}mine is kept beside it"]
    assert path.with_name(f"{path.name}.other-numbers").read_bytes() == before
    assert path.read_bytes() == (trained / "records" / path.name).read_bytes()


def test_what_a_mac_packs_beside_a_record_is_no_record(trained: Path, tmp_path: Path) -> None:
    theirs = copy_of(trained, tmp_path / "theirs")
    for path in list((theirs / "records").iterdir()):
        path.with_name(f"._{path.name}").write_bytes(b"\0\5\26\7")
    found = verdicts(tmp_path / "mine", theirs)
    assert (len(found["taken"]), found["refused"]) == (6, [])
