"""From results folders to a long table: one line a record, finished or failed.

Damaged files are named, never counted.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from lrfer_bench.errors import UserError, joined
from lrfer_bench.plugins.registry import METHODS
from lrfer_bench.reporting.origins import origins
from lrfer_bench.reporting.twins import without_twins
from lrfer_bench.scoring.shares import share_interval
from lrfer_bench.store.alike import same_metrics, with_trials
from lrfer_bench.store.edits import on_older_edits
from lrfer_bench.store.names import dataset_label, dataset_names, method_label
from lrfer_bench.store.schema import Record
from lrfer_bench.store.store import Damaged, Store

FIRST = ("method", "scale", "accuracy", "accuracy_low", "accuracy_high")
"""The columns that a table for Python callers begins with."""
NUMBERS = ("n", "accuracy", "balanced_accuracy", "macro_f1", "nll", "ece")
COSTS = (
    "parameters", "macs", "latency_ms", "throughput", "train_seconds",
    "train_seconds_with_stages", "peak_memory_mb",
)  # fmt: skip
MEASURED = ("latency_q1_ms", "latency_q3_ms", "onnx_latency_ms")
"""Costs that a record has once `measure` has been there."""
NEUTRAL = ("hr", "nothing")
"""What a result was trained on, where it was on HR only or not trained at all."""


@dataclass(frozen=True)
class Result:
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
    def method_name(self) -> str:
        """What its method is called today; a record keeps the name that it was written under."""
        return METHODS.current(self.record.method.name)

    @property
    def label(self) -> str:
        """That name with the settings its user changed."""
        return method_label(self.record)

    @property
    def neutral(self) -> bool:
        """Whether no training protocol touches it: it is on each board of its test protocol."""
        return self.trained in NEUTRAL or self.record.train.protocol == "hr"

    @property
    def place(self) -> tuple[str, ...]:
        """Everything that must be equal for two results to differ by their seed only."""
        record = self.record
        return (
            self.dataset,
            record.train.protocol,
            self.trained,
            record.test.protocol,
            record.preset,
            record.method.track,
            self.method,
            str(record.test.scale),
        )


@dataclass
class Loaded:
    """All records of some folders. notes: sentences about what was left out and why."""

    results: list[Result] = field(default_factory=list)
    damaged: list[Damaged] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def load(roots: Iterable[str | Path]) -> Loaded:
    """Read every record under the given results folders.

    The same key in two folders counts once. UserError when a folder is not there, cannot be read
    or holds no record.
    """
    loaded = Loaded()
    by_key: dict[str, Result] = {}
    others: list[Result] = []
    folders = [Path(root) for root in roots]
    if not folders:
        raise UserError("no results folder was named: give one or more")
    for root in folders:
        _read_folder(root, by_key, others, loaded)
    if not by_key:
        where = " and ".join(map(str, folders))
        if loaded.damaged:
            first = loaded.damaged[0]
            raise UserError(
                f"none of the {len(loaded.damaged)} records in {where} can be trusted "
                f"({first.path.name}: {first.reason}): run the cells again or restore the files"
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
    loaded.notes += _other_numbers(by_key, others)
    for other in others:
        counted = by_key[other.record.key]
        by_key[other.record.key] = replace(
            counted, record=with_trials(counted.record, other.record)
        )
    current = _with_trials_known(_as_files_are(by_key, loaded.notes))
    loaded.results = without_twins(_named(current, loaded.notes), loaded.notes)
    return loaded


def load_frame(roots: Iterable[str | Path]) -> pd.DataFrame:
    """load() as a DataFrame; see frame_of for its columns."""
    return frame_of(load(roots).results)


def frame_of(results: Iterable[Result]) -> pd.DataFrame:
    """One line a record, which begins with method, scale, accuracy and its 95 % interval.

    Metrics on the whole test split have plain names, those without leaked rows start with clean_.
    Both, and the costs, are NaN for a failed cell, whose sentence stands in `failure`.
    """
    frame = pd.DataFrame([_line(result) for result in results])
    plain = [name for name in (*NUMBERS, "accuracy_low", "accuracy_high") if name in frame]
    numbers = [*plain, *(f"clean_{name}" for name in plain), *COSTS, *MEASURED]
    # where no cell has one, pandas would keep None
    return frame.astype(
        {name: float for name in numbers if name in frame and frame[name].dtype == object}
    )


def _read_folder(
    root: Path, by_key: dict[str, Result], others: list[Result], loaded: Loaded
) -> None:
    """others: gets the results whose cell has another one that counts."""
    store = Store(root)
    if not root.is_dir():
        raise UserError(f"there is no results folder {root}: check --results")
    try:
        found = list(store.scan())
    except OSError as error:
        raise UserError(
            f"the results folder {root} cannot be read: {error.strerror or error}; check --results"
        ) from error
    for record in found:
        if isinstance(record, Damaged):
            loaded.damaged.append(record)
            continue
        result = Result(record, store)
        known = by_key.get(record.key)
        if known is None or _standing(result) > _standing(known):
            by_key[record.key], result = result, known or result
        if known is not None:
            others.append(result)


def _other_numbers(by_key: dict[str, Result], others: Iterable[Result]) -> list[str]:
    """A sentence for each folder whose cells count while others have other numbers for them."""
    found: dict[Path, set[str]] = defaultdict(set)
    for other in others:
        counted = by_key[other.record.key]
        mine, theirs = counted.record.metrics, other.record.metrics
        if mine and theirs and not same_metrics(mine, theirs):
            found[counted.store.root].add(other.record.key)
    roots = {each.store.root for each in (*by_key.values(), *others)}
    return [
        f"{len(keys)} cell{'s stand' if len(keys) > 1 else ' stands'} in several folders with "
        f"other numbers: those of {_short(root, roots)} count"
        for root, keys in found.items()
    ]


def _short(root: Path, roots: Iterable[Path]) -> Path | str:
    """A folder as it was given, of an absolute path as little as tells it apart from the others."""
    if not root.is_absolute():
        return root
    alike = [other for other in roots if other.name == root.name]
    return root.name if len(alike) == 1 else Path(root.parent.name, root.name)


def _as_files_are(by_key: dict[str, Result], notes: list[str]) -> list[Result]:
    """The results but those of an earlier edit of a protocol's or a stage's plugin file.

    Under one name in one table, they would be compared with results of other pixels.
    """
    older = on_older_edits([(result.store, result.record) for result in by_key.values()])
    for what, count in Counter(older.values()).items():
        on = {by_key[key].record.dataset.name for key, own in older.items() if own == what}
        notes.append(
            f"{count} record{'s' if count > 1 else ''} of an earlier edit of the {what} left out "
            f"(on {joined(sorted(on))}): run the same command again where their cells are missing"
        )
    return [result for key, result in by_key.items() if key not in older]


def _with_trials_known(results: list[Result]) -> list[Result]:
    """Not tuned (None) in place of "nothing to tune" (0) where the same method was tuned elsewhere.

    A record keeps what its method had to tune when it was run, and that may have grown since.
    """
    tuned = {result.record.method.name for result in results if result.record.method.trials}

    def known(result: Result) -> Result:
        method = result.record.method
        if method.trials != 0 or method.name not in tuned:
            return result
        untuned = method.model_copy(update={"trials": None})
        return replace(result, record=result.record.model_copy(update={"method": untuned}))

    return [known(result) for result in results]


def _standing(result: Result) -> tuple[bool, bool]:
    """Of two records of one cell a finished one counts, and of these one with its logits."""
    return result.finished, result.finished and result.store.is_complete(result.record)


def trained_on(record: Record) -> str:
    """The scales trained on: "each" (the tested one), "2;4;8", "hr" or "nothing"."""
    scales = record.train.scales
    if not scales:
        return "nothing"
    if record.train.protocol == "hr":
        return "hr"
    return "each" if scales == [record.test.scale] else ";".join(map(str, scales))


def plain_result(record: Record, store: Store) -> Result:
    """A record under its plain names: for records that need no telling apart."""
    unnamed = Result(record, store)
    return Result(record, store, unnamed.label, record.dataset.name, trained_on(record))


def _named(results: list[Result], notes: list[str]) -> list[Result]:
    """Give each result the shortest names that keep versions, sources and data sets apart."""
    names = dataset_names(result.record for result in results)
    notes += _other_names(results, names)
    marks = origins(results)
    named = []
    for result in results:
        name = names[result.record.dataset.fingerprint]
        label = result.label + marks[result.record.key]
        named.append(Result(result.record, result.store, label, name, trained_on(result.record)))
    return named


def _other_names(results: Iterable[Result], names: Mapping[str, str]) -> list[str]:
    """A sentence for each data set some records of which have another name for the same faces."""
    others: dict[str, set[str]] = defaultdict(set)
    for result in results:
        dataset, shown = result.record.dataset, names[result.record.dataset.fingerprint]
        if shown not in (dataset.name, dataset_label(dataset.name, dataset.fingerprint)):
            others[shown].add(dataset.name)
    return [
        f"the data set {name} has records under the name {joined(sorted(found))}, too: the faces "
        "and labels are the same"
        for name, found in others.items()
    ]


def _line(result: Result) -> dict[str, Any]:
    record, method = result.record, result.record.method
    line: dict[str, Any] = {
        "key": record.key,
        "status": record.status,
        "dataset": result.dataset,
        "fingerprint": record.dataset.fingerprint,
        "synthetic": record.dataset.synthetic,
        "method": result.method,
        "method_name": result.method_name,
        "method_version": method.version,
        "settings": json.dumps(method.settings, sort_keys=True),
        "source": method.source,
        "kind": method.kind,
        "test_time_augmentation": method.test_time_augmentation,
        "trials": method.trials,
        "weights": "; ".join(method.weights),
        "protocol": record.train.protocol,
        "trained_scales": result.trained,
        "test_protocol": record.test.protocol,
        "scale": record.test.scale,
        "size_px": record.test.size_px,
        "seed": record.seed,
        "preset": record.preset,
        "targets": record.train.targets or "majority",
        "selection": record.selection.rule if record.selection else None,
        "failure": record.failure.sentence if record.failure else None,
    }
    whole, clean = (record.metrics.all, record.metrics.clean) if record.metrics else (None, None)
    line |= {name: getattr(whole, name, None) for name in NUMBERS}
    clean_numbers = NUMBERS if clean and clean.n else ("n",)  # of no image there is no share
    line |= dict.fromkeys((f"clean_{name}" for name in NUMBERS), None)
    line |= {f"clean_{name}": getattr(clean, name, None) for name in clean_numbers}
    for front, metrics in (("", whole), ("clean_", clean)):
        ends = share_interval(metrics.accuracy, metrics.n) if metrics and metrics.n else (None,) * 2
        line |= {f"{front}accuracy_low": ends[0], f"{front}accuracy_high": ends[1]}
    line |= {name: getattr(record.cost, name, None) for name in (*COSTS, *MEASURED)}
    return {**{name: line[name] for name in FIRST}, **line}
