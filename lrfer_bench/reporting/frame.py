"""From results folders to a long table: one line a record, finished or failed; damaged files are named, never counted."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from lrfer_bench.contract.labels import label_of
from lrfer_bench.errors import UserError
from lrfer_bench.store.store import Damaged, Record, Store

NUMBERS = ("n", "accuracy", "balanced_accuracy", "macro_f1", "nll", "ece")
COSTS = (
    "parameters", "macs", "latency_ms", "throughput", "train_seconds", "train_seconds_with_stages", "peak_memory_mb",
)  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """A record, where it came from, and the names it goes by in tables."""

    record: Record
    store: Store
    method: str = ""
    dataset: str = ""
    trained: str = ""

    @property
    def finished(self) -> bool:
        return self.record.status == "finished"

    @property
    def place(self) -> tuple[str, ...]:
        """Everything that must be equal for two cells to differ by their seed only."""
        record = self.record
        return (
            self.dataset, record.train.protocol, self.trained, record.test.protocol, record.preset, self.method,
            str(record.test.scale),
        )  # fmt: skip


@dataclass
class Loaded:
    """All records of some folders. notes: sentences about what was left out and why."""

    cells: list[Cell] = field(default_factory=list)
    damaged: list[Damaged] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def failed(self) -> list[Cell]:
        return [cell for cell in self.cells if not cell.finished]


def load(roots: Iterable[str | Path]) -> Loaded:
    """Read every record under the given results folders.

    The same key in two folders counts once. UserError when a folder is not there, cannot be read or holds no record.
    """
    loaded = Loaded()
    by_key: dict[str, Cell] = {}
    folders = [Path(root) for root in roots]
    for root in folders:
        _read_folder(root, by_key, loaded)
    if not by_key:
        where = " and ".join(map(str, folders))
        if loaded.damaged:
            first = loaded.damaged[0]
            raise UserError(
                f"none of the {len(loaded.damaged)} records in {where} can be trusted ({first.path.name}: {first.reason}): "
                "run the cells again or restore the files"
            )
        inside = [
            child
            for root in folders
            for child in sorted(root.iterdir())
            if (child / "records").is_dir()
        ]
        hint = (
            f"did you mean --results {inside[0]}?"
            if inside
            else "name another folder with --results"
        )
        raise UserError(f'{where} holds no records: fill it with "lrfer-bench run", or {hint}')
    loaded.cells = _without_twins(_named(list(by_key.values())), loaded.notes)
    return loaded


def load_frame(roots: Iterable[str | Path]) -> pd.DataFrame:
    """load() as a DataFrame; see frame_of for its columns."""
    return frame_of(load(roots).cells)


def frame_of(cells: Iterable[Cell]) -> pd.DataFrame:
    """One line a record. Metrics on the whole test split have plain names, those without leaked rows start with clean_;
    both, and the cost, are NaN for a failed cell, whose sentence stands in `failure`."""
    return pd.DataFrame([_line(cell) for cell in cells])


def _read_folder(root: Path, by_key: dict[str, Cell], loaded: Loaded) -> None:
    store = Store(root)
    if not root.is_dir():
        raise UserError(f"there is no results folder {root}: check --results")
    try:
        found = list(store.scan())
    except OSError as error:
        raise UserError(
            f"the results folder {root} cannot be read: {error.strerror or error}; check --results"
        ) from error
    for entry in found:
        if isinstance(entry, Damaged):
            loaded.damaged.append(entry)
            continue
        known = by_key.get(entry.key)
        if known is None or (not known.finished and entry.status == "finished"):
            by_key[entry.key] = Cell(entry, store)


def trained_on(record: Record) -> str:
    """The scales trained on, as tables say it: "each" (the tested one), "2;4;8", "hr" or "nothing"."""
    scales = record.train.scales
    if not scales:
        return "nothing"
    if record.train.protocol == "hr":
        return "hr"
    return "each" if scales == [record.test.scale] else ";".join(map(str, scales))


def _named(cells: list[Cell]) -> list[Cell]:
    """Give every cell the shortest names that keep versions, sources and data set contents apart."""
    identities: dict[str, set[tuple[str, str]]] = defaultdict(set)
    prints: dict[str, set[str]] = defaultdict(set)
    for cell in cells:
        method = cell.record.method
        identities[label_of(method.name, method.settings)].add((method.version, method.source))
        prints[cell.record.dataset.name].add(cell.record.dataset.fingerprint)
    newest = _newest_edits(cells)
    named = []
    for cell in cells:
        method, dataset = cell.record.method, cell.record.dataset
        label = label_of(method.name, method.settings)
        versions = Counter(version for version, _ in identities[label])
        suffix = f"@{method.version}" if len(versions) > 1 else ""
        if versions[method.version] > 1 and method.source != newest.get(
            (label, method.version, method.plugin_file)
        ):
            suffix += f" from {method.source}"
        name = (
            dataset.name
            if len(prints[dataset.name]) == 1
            else f"{dataset.name} ({dataset.fingerprint[:8]})"
        )
        named.append(Cell(cell.record, cell.store, label + suffix, name, trained_on(cell.record)))
    return named


def _newest_edits(cells: list[Cell]) -> dict[tuple[str, str, str], str]:
    """(label, version, plugin file) -> the source of its newest record: the author's file as it is now keeps the plain name."""
    found: dict[tuple[str, str, str], tuple[float, str]] = {}
    for cell in cells:
        method = cell.record.method
        if method.plugin_file:
            who = (label_of(method.name, method.settings), method.version, method.plugin_file)
            found[who] = max(
                found.get(who, (0.0, "")), (cell.store.written_at(cell.record), method.source)
            )
    return {who: source for who, (_, source) in found.items()}


def _without_twins(cells: list[Cell], notes: list[str]) -> list[Cell]:
    """Leave out cells that differ in nothing a table shows, for instance in their stages: which one is meant is unknown."""
    groups: dict[tuple[tuple[str, ...], int], list[Cell]] = defaultdict(list)
    for cell in cells:
        groups[cell.place, cell.record.seed].append(cell)
    kept = []
    for twins in groups.values():
        finished = [cell for cell in twins if cell.finished] or twins[:1]
        if len(finished) == 1:
            kept += finished
            continue
        first = finished[0]
        notes.append(
            f"{len(finished)} records claim the same cell ({first.method} on {first.dataset}, {first.record.test.protocol}, "
            f"x{first.record.test.scale}, seed {first.record.seed}): {_names(finished)}; they differ in version or stages, "
            "so none is counted: report them from separate folders"
        )
    return kept


def _names(cells: Sequence[Cell]) -> str:
    return " and ".join(cell.record.stem for cell in cells)


def _line(cell: Cell) -> dict[str, Any]:
    record, method = cell.record, cell.record.method
    line: dict[str, Any] = {
        "key": record.key,
        "status": record.status,
        "dataset": cell.dataset,
        "fingerprint": record.dataset.fingerprint,
        "synthetic": record.dataset.synthetic,
        "method": cell.method,
        "method_name": method.name,
        "method_version": method.version,
        "settings": json.dumps(method.settings, sort_keys=True),
        "source": method.source,
        "kind": method.kind,
        "test_time_augmentation": method.test_time_augmentation,
        "protocol": record.train.protocol,
        "trained_scales": cell.trained,
        "test_protocol": record.test.protocol,
        "scale": record.test.scale,
        "size_px": record.test.size_px,
        "seed": record.seed,
        "preset": record.preset,
        "selection": record.selection.rule if record.selection else None,
        "failure": record.failure.sentence if record.failure else None,
    }
    whole, clean = (record.metrics.all, record.metrics.clean) if record.metrics else (None, None)
    line |= {name: getattr(whole, name, None) for name in NUMBERS}
    line |= {f"clean_{name}": getattr(clean, name, None) for name in NUMBERS}
    return line | {name: getattr(record.cost, name, None) for name in COSTS}
