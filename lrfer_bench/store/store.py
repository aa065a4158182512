"""Records and logits on disk: atomic writes, distrustful reads.

Needs numpy and pydantic only, so that a report can be made where torch is not installed.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from lrfer_bench.errors import RecordError, UserError
from lrfer_bench.files import (
    JSON_FILES,
    is_no_fault,
    not_now,
    own_prefix,
    read_json,
    read_limited,
    set_aside,
    write_atomically,
)
from lrfer_bench.keys import checksum
from lrfer_bench.scoring.parts import Metrics
from lrfer_bench.store.answers import GARBAGE, Logits, most_bytes
from lrfer_bench.store.schema import MOST, SCHEMA, Record


@dataclass(frozen=True)
class Damaged:
    """A record file that cannot be trusted, and why."""

    path: Path
    reason: str


class Store:
    """A results folder: records/, logits/, models/ (finished) and checkpoints/ (still training)."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)
        self.records = self.root / "records"
        self.logits = self.root / "logits"
        self.models = self.root / "models"
        self.checkpoints = self.root / "checkpoints"
        self._stems: dict[str, set[str]] | None = None

    def save(self, record: Record, logits: Logits | bytes | None = None) -> Path:
        """Write the logits first, the record last: a record on disk is always complete.

        logits: as they are, or as Logits.to_bytes() made them, which a worker can do.
        It takes the place of one of the same key, also where that stands under a former name of its
        method. A damaged file in its place may be somebody's work: it is set aside, not
        overwritten.
        """
        self.make_room(record)
        self._spare_another(record)
        before = self.standing(record)
        data = logits.to_bytes() if isinstance(logits, Logits) else logits
        if data is not None:
            record = record.model_copy(update={"logits_sha256": hashlib.sha256(data).hexdigest()})
        path = self.records / f"{record.stem}.json"
        logits_path = self.logits / f"{record.stem}.npz"
        if before is not None and os.path.lexists(logits_path) and not self.is_complete(before):
            set_aside(logits_path, "damaged")
        if data is not None:
            write_atomically(self.logits / f"{record.stem}.npz", data)
        write_atomically(path, _sealed(record))
        self._by_head()[record.key[:12]].add(record.stem)
        if before is not None and before.stem != record.stem:
            (self.records / f"{before.stem}.json").unlink(missing_ok=True)
            (self.logits / f"{before.stem}.npz").unlink(missing_ok=True)
        return path

    def amend(self, record: Record) -> None:
        """Write what became known later of a record that stands here, such as its latency.

        The file keeps its date, which says when the cell was run: of two edits of a plugin file,
        that of the later record counts (store/edits.py). Logits are not touched. RecordError where
        the record does not stand any more.
        """
        path = self.records / f"{record.stem}.json"
        standing = self.stands_at(record)
        if standing is None or standing.key != record.key:
            raise RecordError(f"{path} was moved or changed meanwhile: start again")
        write_atomically(path, _sealed(record), dated_ns=path.stat().st_mtime_ns)

    def check_writable(self) -> None:
        """UserError where nothing can be written: better found before training than after."""
        probe = self.root / f"{own_prefix()}probe"
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            probe.write_bytes(b"")
            probe.unlink(missing_ok=True)
        except OSError as error:
            raise UserError(
                f"the results folder {self.root} cannot be written ({error.strerror or error}): "
                "choose another one with --results"
            ) from error

    def read_logits(self, record: Record) -> Logits:
        """The test logits behind a record.

        Raises RecordError when they are missing, exchanged or no logits at all.
        """
        path, most = self.logits / f"{record.stem}.npz", _most_bytes(record)
        try:
            data = read_limited(path, most)
        except ValueError as error:
            raise RecordError(
                f"{path} holds no test logits: {error}; run the cell again"
            ) from error
        except OSError as error:
            if is_no_fault(error):
                raise not_now(path, error) from error
            raise RecordError(
                f"the logits of {record.stem} are missing: {path} cannot be read; run the cell "
                "again"
            ) from error
        if hashlib.sha256(data).hexdigest() != record.logits_sha256:
            raise RecordError(
                f"{path} is not the file its record was written with: restore it or run the cell "
                "again"
            )
        try:
            return Logits.from_bytes(data, most)
        except GARBAGE as error:
            raise RecordError(
                f"{path} holds no test logits ({error}): run the cell again"
            ) from error

    def is_complete(self, record: Record) -> bool:
        """Whether a record's logits are the file it was written with; a failed one has none.

        A finished record without its logits counts as missing: its cell is run again. MachineError
        where they cannot be read now.
        """
        if record.status == "failed":
            return True
        path = self.logits / f"{record.stem}.npz"
        try:
            data = read_limited(path, _most_bytes(record))
        except OSError as error:
            if is_no_fault(error):
                raise not_now(path, error) from error
            return False
        except ValueError:
            return False
        return hashlib.sha256(data).hexdigest() == record.logits_sha256

    def written_at(self, record: Record) -> float:
        """When the record's file was last written, in seconds since 1970; 0 when it is gone."""
        try:
            return (self.records / f"{record.stem}.json").stat().st_mtime
        except OSError:
            return 0.0

    def date(self, keys: Collection[str]) -> None:
        """Let the records of these keys count as written now; what cannot be dated stays as it is.

        Of several edits of a plugin file the one that was asked for last counts (see edits.py).
        """
        for key in keys:
            for stem in self._by_head().get(key[:12], ()):
                with suppress(OSError):
                    os.utime(self.records / f"{stem}.json")

    def find(self, key: str) -> Record | None:
        """The record of a key, or None; a damaged file counts as none.

        It lists the folder: for many keys see store/survey.py.
        """
        for path in sorted(self.records.glob(f"[!.]*_{key[:12]}.json")):
            found = read_record(path)
            if isinstance(found, Record) and found.key == key:
                return found
        return None

    def standing(self, record: Record) -> Record | None:
        """The record with this one's key, in its own place or under a former name of its method.

        Costs the same in a large folder: former names come from one listing of the folder, kept
        from the first call on.
        """
        stems = self._by_head().get(record.key[:12], set())
        for stem in (record.stem, *sorted(stems - {record.stem})):
            found = read_record(self.records / f"{stem}.json")
            if isinstance(found, Record) and found.key == record.key:
                return found
        return None

    def _by_head(self) -> dict[str, set[str]]:
        """The first 12 digits of a key -> names of record files without their ending."""
        if self._stems is None:
            self._stems = defaultdict(set)
            for path in self.records.glob(JSON_FILES):
                self._stems[path.stem.rpartition("_")[2]].add(path.stem)
        return self._stems

    def scan(self, heads: Collection[str] | None = None) -> Iterator[Record | Damaged]:
        """Every record in name order; with heads (12 digits of a key each) only theirs.

        A file that is cut, edited or of another schema comes as Damaged, never counted.
        """
        for path in sorted(self.records.glob(JSON_FILES)):
            if heads is None or path.stem.rpartition("_")[2] in heads:
                yield read_record(path)

    def damaged(self, record: Record) -> Damaged | None:
        """The damaged file in the place where this record will be written, if there is one."""
        found = read_record(self.records / f"{record.stem}.json")
        return found if isinstance(found, Damaged) and os.path.lexists(found.path) else None

    def make_room(self, record: Record) -> Path | None:
        """Set aside the damaged file in a record's place, and its logits.

        Returns the record's new path, or None when there was none.
        """
        found = self.damaged(record)
        return self.set_aside(found) if found else None

    def set_aside(self, damaged: Damaged) -> Path:
        """Rename a damaged record, so that its owner keeps it and nobody meets it again."""
        logits = self.logits / f"{damaged.path.stem}.npz"
        if os.path.lexists(logits):
            set_aside(logits, "damaged")
        return set_aside(damaged.path, "damaged")

    def stands_at(self, record: Record) -> Record | None:
        """The sound record in the file that this record is going to be written to."""
        found = read_record(self.records / f"{record.stem}.json")
        return found if isinstance(found, Record) else None

    def _spare_another(self, record: Record) -> None:
        """File names hold 12 digits of a key: another cell may stand there, and is kept."""
        standing = self.stands_at(record)
        if standing is not None and standing.key != record.key:
            for path in (self.logits / f"{record.stem}.npz", self.records / f"{record.stem}.json"):
                if os.path.lexists(path):
                    set_aside(path, "other-key")


def _sealed(record: Record) -> bytes:
    """The bytes of a record's file, with its checksum."""
    content = checksum(json.loads(record.model_dump_json()))
    sealed = record.model_copy(update={"content_sha256": content})
    return (sealed.model_dump_json(indent=1) + "\n").encode()


def read_record(path: Path) -> Record | Damaged:
    """Parse and check one record file; anything but a consistent record is a Damaged.

    UserError where the machine, not the file, is in the way: too many open files, for instance.
    """
    try:
        raw = read_json(path)
    except OSError as error:
        if is_no_fault(error):
            raise not_now(path, error) from error
        return Damaged(path, f"it cannot be read ({error.strerror or error})")
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        return Damaged(path, f"it is not complete JSON ({type(error).__name__})")
    except ValueError as error:
        return Damaged(path, str(error))
    if not isinstance(raw, dict) or raw.get("schema_version") != SCHEMA:
        return Damaged(path, f"it does not have schema version {SCHEMA}")
    try:
        record = Record.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        return Damaged(path, f"field {'.'.join(map(str, first['loc']))}: {first['msg']}")
    try:
        reason = _inconsistency(record)
    except (
        ValueError,
        TypeError,
    ) as error:  # such as a confusion matrix with rows of different lengths
        reason = f"its numbers do not fit together ({error})"
    if reason is None and path.stem != record.stem:
        reason = "its name does not match its content"
    if reason is None and record.content_sha256 != checksum(raw):
        reason = "it was changed after it was written (its checksum differs)"
    return Damaged(path, reason) if reason else record


def _most_bytes(record: Record) -> int:
    images = record.metrics.all.n if record.metrics else 0
    return most_bytes(images, len(record.dataset.classes))


def _out_of_bounds(metrics: Metrics) -> str:
    """The first number of a cell that cannot be; "" if all can."""
    shares = [metrics.accuracy, metrics.balanced_accuracy, metrics.macro_f1, metrics.ece]
    shares += [share for share in metrics.recall if share is not None]
    if not all(0 <= share <= 1 + 1e-9 for share in shares):
        return "accuracy, balanced_accuracy, macro_f1, ece or recall"
    if not 0 <= metrics.nll <= MOST:
        return "nll"
    if not 0 <= metrics.n <= MOST:
        return "n"
    counts = map(min, filter(None, metrics.confusion))  # no loop of ours: records are many
    return "" if min(counts, default=0) >= 0 else "confusion"


def _total(counts: Sequence[Sequence[int]]) -> int:
    return sum(map(sum, counts))


def _inconsistency(record: Record) -> str | None:
    """What an edited record betrays: numbers that do not follow from its own confusion matrix."""
    if record.status == "failed":
        return None if record.failure else "it failed without a reason"
    if record.metrics is None or record.cost is None or record.logits_sha256 is None:
        return "it is finished but has no metrics, cost or logits"
    for name, metrics in (("all", record.metrics.all), ("clean", record.metrics.clean)):
        if _out_of_bounds(metrics):
            return f"metrics.{name}.{_out_of_bounds(metrics)} is out of its bounds"
        counts, classes = metrics.confusion, len(record.dataset.classes)
        lengths = {len(row) for row in counts}
        if len(lengths) > 1:
            return f"the rows of metrics.{name}.confusion do not fit together"
        if len(counts) != classes or lengths != {classes} or _total(counts) != metrics.n:
            return f"metrics.{name}.confusion does not count {metrics.n} images"
        right = sum(row[said] for said, row in enumerate(counts))
        if abs(right / max(metrics.n, 1) - metrics.accuracy) > 1e-6:
            return f"metrics.{name}.accuracy does not follow from its confusion matrix"
    return None
