"""Taking another machine's records into one's own results folder, after a look at each.

Needs no torch.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from lrfer_bench.contract.cards import DatasetCard, card_path, read_card
from lrfer_bench.contract.protocol import HR
from lrfer_bench.errors import RecordError, UserError
from lrfer_bench.files import JSON_BYTES, read_limited, set_aside, write_atomically
from lrfer_bench.plugins.degradation import protocol_of
from lrfer_bench.plugins.registry import DATASETS, PROTOCOLS
from lrfer_bench.scoring.metrics import score
from lrfer_bench.store.alike import same_metrics, with_trials
from lrfer_bench.store.answers import MOST_BYTES as LOGITS_BYTES
from lrfer_bench.store.answers import Logits
from lrfer_bench.store.edits import codes
from lrfer_bench.store.mixture import mixture
from lrfer_bench.store.presets import keep_preset, preset_of_record
from lrfer_bench.store.schema import Record
from lrfer_bench.store.store import Damaged, Store

Verdict = Literal["taken", "stood", "refused"]


@dataclass(frozen=True)
class Outcome:
    """What became of one record file, and why."""

    path: Path
    verdict: Verdict
    reason: str = ""


class _Refused(Exception):
    """The reason why a record is not taken."""


def merge(
    mine: Path,
    others: Sequence[Path],
    other_data: bool = False,
    dry: bool = False,
    tell: Callable[[str], None] = lambda text: None,
) -> Iterator[Outcome]:
    """Check every record of other results folders and copy the good ones with their logits.

    Files are copied byte for byte. Checked are: schema and inner consistency; protocol and preset
    versions; the data set's fingerprint against its card and, unless other_data is set, against my
    own records of that name; the logits against the record's sha256 and metrics; the test labels
    against those of my records on the same data.

    A record that I have is left; only a failed one is replaced by a finished one. Of a cell that
    both have with equal metrics the number of tuning trials is kept, whoever tells it. A file of
    mine under another key is never replaced, and a damaged one is set aside first. With dry nothing
    is written. tell() hears at the end when records of several arithmetics stand together, and when
    others' edits of a plugin file came beside mine.
    UserError when a folder is missing or is my own, or when nothing can be written.
    """
    store = Store(mine)
    stores = [_other(store, root) for root in others]
    ledger = _Ledger(store)
    before = codes(ledger.by_key.values())
    for other in stores:
        for entry in other.scan():
            if isinstance(entry, Damaged):
                yield Outcome(entry.path, "refused", entry.reason)
                continue
            yield _looked_at(entry, other, store, ledger, other_data, dry)
    if mixed := mixture(ledger.by_key.values()):
        tell(mixed)
    after = codes(ledger.by_key.values())
    came = "would come" if dry else "came"
    for of in (name for name, mine in before.items() if after[name] - mine):
        tell(
            f"records of another edit of the {of} {came}: tables take the edit that was run last "
            "and finished something; "
            "run yours again to have it count (what has a record is not made anew)"
        )


def _looked_at(
    entry: Record, other: Store, store: Store, ledger: _Ledger, other_data: bool, dry: bool
) -> Outcome:
    """Check one record, and take it unless it is refused or mine stays."""
    path = other.records / f"{entry.stem}.json"
    standing = ledger.by_key.get(entry.key)
    if standing is not None and ledger.keeps(standing, entry):
        return Outcome(path, "stood", _stood(standing, entry, store, ledger, dry))
    try:
        ledger.check(entry, other, other_data)
        _check_place(entry, store, ledger.lost)
        files = _files_of(entry, other)
    except (_Refused, UserError) as error:  # one bad record never stops the rest
        return Outcome(path, "refused", str(error))
    reason = ledger.about(standing, entry, dry) if standing else _about_mine(entry, store, dry)
    if not dry:
        keep_preset(store.root, preset_of_record(other.root, entry.preset))
        written = (other.records / f"{entry.stem}.json").stat().st_mtime_ns
        _write(files, entry, standing, store, written)
        told = with_trials(entry, standing) if standing else entry
        if told is not entry:
            store.amend(told)
    ledger.enter(entry, other)
    return Outcome(path, "taken", reason)


def _stood(mine: Record, theirs: Record, store: Store, ledger: _Ledger, dry: bool) -> str:
    """What is to be said of a record that stays, after their number of trials was noted in it."""
    told = with_trials(mine, theirs)
    if told is mine:
        return _difference(mine, theirs)
    if not dry:
        store.amend(told)
        ledger.by_key[mine.key] = told
    noted = "would be noted" if dry else "is noted"
    return f"mine is kept, and their number of tuning trials {noted} in it"


def _other(mine: Store, root: Path) -> Store:
    other = Store(root)
    if not other.records.is_dir():
        raise UserError(f"{root} is not a results folder: it has no records/ in it")
    if other.root.resolve() == mine.root.resolve():
        raise UserError(f"{root} is the folder to merge into: name another machine's copy")
    return other


def _about_mine(record: Record, store: Store, dry: bool) -> str:
    """Set aside the damaged file of mine in the record's place and say so; if dry, only say it."""
    if dry:
        damaged = store.damaged(record)
        return f"mine is damaged and would be kept beside it: {damaged.reason}" if damaged else ""
    aside = store.make_room(record)
    return f"mine was damaged and is kept as {aside.name}" if aside else ""


def _files_of(record: Record, source: Store) -> dict[str, bytes]:
    """The very bytes of the files that were checked, by their places; logits first."""
    files = {}
    try:
        if record.status == "finished":
            name = f"logits/{record.stem}.npz"
            files[name] = read_limited(source.root / name, LOGITS_BYTES)
            if hashlib.sha256(files[name]).hexdigest() != record.logits_sha256:
                raise ValueError("its logits changed")
        name = f"records/{record.stem}.json"
        files[name] = read_limited(source.root / name, JSON_BYTES)
        if json.loads(files[name]).get("content_sha256") != record.content_sha256:
            raise ValueError("it changed")
    except (OSError, ValueError) as error:
        raise _Refused(f"{error} while it was read: merge again") from error
    return files


def _check_place(record: Record, store: Store, lost: set[str]) -> None:
    """File names hold 12 digits of a key, and another process may have written since the scan."""
    mine = store.stands_at(record)
    if mine is not None and mine.key != record.key:
        raise _Refused(
            f"mine of another key has the same file name ({mine.key[:20]}..., not "
            f"{record.key[:20]}...): keep it in a folder of its own"
        )
    if mine is not None and mine.status == "finished" and mine.key not in lost:
        raise _Refused("mine was finished meanwhile: merge again")


def _write(
    files: dict[str, bytes], record: Record, mine: Record | None, store: Store, written: int
) -> None:
    """Write what was checked.

    mine: the record that gives way to it, if there is one
    written: the date of theirs, ns; it stays, since of two edits of a plugin file the later counts
    """
    if mine is not None and os.path.lexists(logits := store.logits / f"{mine.stem}.npz"):
        set_aside(logits, "damaged")
    if mine is not None and _has_other_numbers(mine, record):
        set_aside(store.records / f"{mine.stem}.json", "other-numbers")
    for name, data in files.items():
        write_atomically(store.root / name, data, dated_ns=written)
    if mine is not None and mine.stem != record.stem:  # under a former name of its method
        (store.records / f"{mine.stem}.json").unlink(missing_ok=True)


def _has_other_numbers(mine: Record, theirs: Record) -> bool:
    """Whether mine has numbers, and theirs has not the same."""
    return mine.metrics is not None and not same_metrics(mine.metrics, theirs.metrics)


def _difference(mine: Record, theirs: Record) -> str:
    if theirs.status == "failed" and mine.status == "finished":
        return "mine is kept: theirs failed"
    same = mine.status == theirs.status and not _has_other_numbers(mine, theirs)
    return (
        ""
        if same
        else "mine is kept, though its numbers are others: the machines do not compute the same"
    )


class _Ledger:
    """What my folder holds, as far as new records have to agree with it."""

    def __init__(self, store: Store) -> None:
        self.by_key: dict[str, Record] = {}
        self.lost: set[str] = set()
        self.prints: dict[str, set[str]] = defaultdict(set)
        self.witness: dict[str, tuple[Record, Store]] = {}
        for record in store.scan():
            if isinstance(record, Record):
                self.enter(record, store)
        known = self.by_key.values()
        # Finished cells of mine without their logits count as missing.
        self.lost = {record.key for record in known if not store.is_complete(record)}

    def keeps(self, mine: Record, theirs: Record) -> bool:
        """Whether mine stays, though theirs is of the same cell."""
        if theirs.status == "failed":
            return True
        return mine.status == "finished" and mine.key not in self.lost

    def about(self, mine: Record, theirs: Record, dry: bool) -> str:
        """Why mine gives way."""
        if mine.status == "failed":
            return "in place of a failed one"
        why = "in place of one whose logits are missing or damaged"
        if not _has_other_numbers(mine, theirs):
            return why
        kept = "would be kept" if dry else "is kept"
        return f"{why}, and its numbers are others: mine {kept} beside it"

    def enter(self, record: Record, store: Store) -> None:
        self.by_key[record.key] = record
        self.lost.discard(record.key)
        self.prints[record.dataset.name].add(record.dataset.fingerprint)
        if record.status == "finished":
            self.witness.setdefault(record.dataset.fingerprint, (record, store))

    def check(self, record: Record, other: Store, other_data: bool) -> None:
        _check_versions(record)
        preset_of_record(other.root, record.preset)
        if not other_data:
            self._check_fingerprint(record)
        if record.status == "finished":
            answers = other.read_logits(record)
            _check_metrics(record, answers)
            self._check_labels(record, answers)

    def _check_fingerprint(self, record: Record) -> None:
        name, found = record.dataset.name, record.dataset.fingerprint
        stated = _stated_fingerprint(name)
        if stated and stated != found:
            raise _Refused(
                f"its {name} has the fingerprint {found[:16]}, not {stated[:16]} as its card says: "
                "allow it with --other-data"
            )
        known = self.prints.get(name)
        if known and found not in known:
            raise _Refused(
                f"its {name} has the fingerprint {found[:16]}, mine {min(known)[:16]}: other "
                "images or labels; keep it in a "
                "folder of its own, or allow it with --other-data"
            )

    def _check_labels(self, record: Record, answers: Logits) -> None:
        if record.dataset.fingerprint not in self.witness:
            return
        witness, store = self.witness[record.dataset.fingerprint]
        try:
            known = store.read_logits(witness)
        except RecordError:
            return  # mine is the damaged one; `report` says so
        if not np.array_equal(known.labels, answers.labels) or not np.array_equal(
            known.clean, answers.clean
        ):
            raise _Refused(
                f"its test labels or leaked rows are not those of {witness.stem}, which is on the "
                "same data"
            )


def _check_versions(record: Record) -> None:
    for protocol_id in {record.train.protocol, record.test.protocol} - {HR}:
        name = protocol_id.partition("@")[0]
        if name not in PROTOCOLS.names():
            raise _Refused(f"the protocol {protocol_id} is not here: bring it with --plugin")
        here = protocol_of(name).id
        if here != protocol_id:
            raise _Refused(
                f"it was made under {protocol_id}, but here is {here}: versions never mix in one "
                "table"
            )


def _check_metrics(record: Record, answers: Logits) -> None:
    if answers.logits.ndim != 2 or answers.logits.shape[1] != len(record.dataset.classes):
        raise _Refused(
            f"its logits have shape {answers.logits.shape} for {len(record.dataset.classes)} "
            "classes"
        )
    try:
        found = score(answers.logits, answers.labels, answers.clean)
    except ValueError as error:
        raise _Refused(f"its logits cannot be scored: {error}") from error
    if record.metrics is None or not same_metrics(found, record.metrics):
        raise _Refused("its metrics do not follow from its logits")


def _stated_fingerprint(name: str) -> str:
    if name not in DATASETS.names():
        return ""
    path = card_path(DATASETS.entry(name).module, name)
    return read_card(path, DatasetCard).fingerprint if path else ""
