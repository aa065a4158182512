"""Which cell of a results folder a user means, by its key or by its method, scale and so on."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lrfer_bench.errors import UserError, did_you_mean
from lrfer_bench.plugins.registry import METHODS, RECALLED
from lrfer_bench.predicting.called import is_called, is_row
from lrfer_bench.store.edits import code_of, newest_edits, on_older_edits
from lrfer_bench.store.names import (
    cell_name,
    dataset_label,
    dataset_names,
    elsewhere,
    row_label,
)
from lrfer_bench.store.schema import Record
from lrfer_bench.store.store import Store
from lrfer_bench.store.survey import sound


def _copy(record: Record) -> str:
    """Which copy of a data set: "ferplus (20dd5c3f)"."""
    return dataset_label(record.dataset.name, record.dataset.fingerprint)


@dataclass(frozen=True)
class Wanted:
    """What the user says of the cell; None is "any". fingerprint: of the data set"""

    method: str | None = None
    scale: int | None = None
    dataset: str | None = None
    protocol: str | None = None
    seed: int | None = None
    key: str | None = None
    preset: str | None = None
    fingerprint: str | None = None

    def fits(self, record: Record) -> bool:
        """Whether a record is one of those the user may mean; its key is not looked at."""
        method, test = record.method, record.test
        return (
            (self.method is None or is_called(self.method, method))
            and self.scale in (None, test.scale)
            and self.dataset in (None, record.dataset.name, _copy(record))
            and self.fingerprint in (None, record.dataset.fingerprint)
            and self.protocol in (None, test.protocol, test.protocol.partition("@")[0])
            and self.seed in (None, record.seed)
            and self.preset in (None, record.preset, record.preset.partition("@")[0])
        )


def by_name_or_key(results: Path, text: str | None, words: Mapping[str, Any]) -> Wanted:
    """What `load_model("direct", ...)` means: a method that has records, else the head of a key.

    words: the other fields of Wanted
    """
    if text is None or words.get("key"):
        return Wanted(text, **words)
    store = Store(results)
    if not store.records.is_dir():
        raise UserError(f"there is no results folder {results}: check its name")
    records = sound(store, lambda line: None)  # who looks for the cell tells it
    narrowed = any(value is not None for value in words.values())
    if narrowed or any(Wanted(text).fits(record) for record in records):
        return Wanted(text, **words)
    if not _HEAD.fullmatch(_head(text)):
        names = {row_label(record) for record in records}
        raise UserError(
            f'no record in {store.records} is of a method "{text}", nor is that the head of a key, '
            f"which is hexadecimal: {did_you_mean(text, names)}"
        )
    return Wanted(key=text)


def cell_meant(results: Path, wanted: Wanted, tell: Callable[[str], None]) -> Record:
    """The one finished cell that is meant; a UserError where it is none or several.

    See cells_meant(); of cells at several scales it is not said which is meant.
    """
    found = cells_meant(results, wanted, tell)
    if len(found) > 1:
        raise _several(found)
    return found[0]


def cells_meant(results: Path, wanted: Wanted, tell: Callable[[str], None]) -> list[Record]:
    """The finished cells that are meant: one, or one a scale where only their scales differ.

    A UserError where there is none, and where they differ by more. Of cells that differ by their
    seed alone, the lowest seed is meant. Of cells that differ by the edit of their plugin file, the
    edit that was loaded here is meant, else the newest; tell() gets a line that says so, and lines
    of damaged records and of scales that failed.
    """
    store = Store(results)
    records = sound(store, lambda line: tell(f"note: {line}"))
    if not records:
        raise UserError(
            f'{results} holds no records: train something with "lrfer-bench run", '
            "or name it with --results"
        )
    if wanted.key:
        return [_agreeing(find_record(store, wanted.key), wanted)]
    if not wanted.method:
        raise UserError(f"no cell is named: give --method and --scale, or --key; {_known(records)}")
    if not any(Wanted(wanted.method).fits(record) for record in records):
        names = {row_label(record) for record in records}
        raise UserError(
            f'no record of the method "{wanted.method}" is in {results}: '
            f"{did_you_mean(wanted.method, names)}"
        )
    meant = _by_shown_name(wanted, records)
    fitting = [record for record in records if meant.fits(record) and record.status == "finished"]
    if not fitting:
        hint = "" if wanted.scale is None else "; without a scale, the nearest is taken"
        raise UserError(
            f"no finished cell of {wanted.method} fits: {_known(records, wanted.method)}{hint}"
        )
    # A label is the row that is called so, where that was run: a bare name the method as it is.
    fitting = [r for r in fitting if is_row(wanted.method, r.method)] or fitting
    fitting = _of_one_edit(_as_files_are(fitting, store), store, tell)
    lowest = _of_lowest_seeds(fitting)
    by_scale = {record.test.scale: record for record in lowest}
    unlike = {_place(record, scales=False) for record in lowest}
    if len(unlike) > 1 or len(by_scale) < len(lowest):
        raise _several(lowest)
    if wanted.scale is None:
        _tell_failed(records, lowest, tell)
    return [by_scale[scale] for scale in sorted(by_scale)]


def _by_shown_name(wanted: Wanted, records: Sequence[Record]) -> Wanted:
    """A data set may be meant by the name that tables have for it and its records have not."""
    prints = {name: fingerprint for fingerprint, name in dataset_names(records).items()}
    if wanted.dataset not in prints:
        return wanted
    return replace(wanted, dataset=None, fingerprint=prints[wanted.dataset])


def _tell_failed(
    records: Sequence[Record], meant: Sequence[Record], tell: Callable[[str], None]
) -> None:
    """A line of each scale at which the cell that is meant failed, so that others stand in."""
    rows = {_place(record, scales=False) for record in meant}
    told = {record.test.scale for record in meant}
    for record in records:
        of_it = record.failure and _place(record, scales=False) in rows
        if of_it and record.failure and record.test.scale not in told:
            told.add(record.test.scale)
            tell(f"note: there is no model of {cell_name(record)}: {record.failure.sentence}")


def _of_lowest_seeds(records: Sequence[Record]) -> list[Record]:
    """Of each place the record of the lowest seed; all of that seed, where there are several.

    Such twins differ by what no option names, as the version of a stage: tables count none of them.
    """
    lowest: dict[tuple[object, ...], int] = {}
    for record in records:
        place = _place(record)
        lowest[place] = min(record.seed, lowest.get(place, record.seed))
    return [record for record in records if record.seed == lowest[_place(record)]]


TOLD_APART_BY: dict[str, Callable[[Record], object]] = {
    "method": row_label,
    "scale": lambda record: record.test.scale,
    "protocol (the one tested on)": lambda record: record.test.protocol,
    "preset": lambda record: record.preset,
    "data set": _copy,
}
"""What a user may say of a cell (see Wanted); of seeds the lowest is taken."""


def _several(records: Sequence[Record]) -> UserError:
    """Says by which options they can be told apart; where by none, that it takes the key."""
    differ = [
        word for word, of in TOLD_APART_BY.items() if len({of(record) for record in records}) > 1
    ]
    narrow = f"narrow it down by {' or '.join(differ)}, or " if differ else ""
    return UserError(f"{len(records)} cells fit: {narrow}give the key; {_known(records)}")


def find_record(store: Store, key: str) -> Record:
    """The one finished record whose key starts so, or whose file is called so; else a UserError."""
    head = _head(key)
    where = f"no record in {store.records} has"
    if not _HEAD.fullmatch(head):
        raise UserError(
            f'{where} the key "{key}": a key is hexadecimal, of 0-9 and a-f; '
            "lrfer_bench.load_results() lists the keys"
        )
    found = [r for r in store.scan() if isinstance(r, Record) and r.key.startswith(head)]
    if not found:
        raise UserError(
            f'{where} a key that starts with "{head}": lrfer_bench.load_results() lists the keys'
        )
    if len(found) > 1:
        raise UserError(
            f'{len(found)} records have keys that start with "{head}": give more of the key'
        )
    if found[0].failure:
        raise UserError(
            f"the cell {found[0].stem} failed, so there is no model of it: "
            f"{found[0].failure.sentence}"
        )
    return found[0]


_HEAD = re.compile("[0-9a-f]+")


def _head(key: str) -> str:
    """The key's own part of what a user gives: a key, its head, or a record's file name."""
    return key.rpartition("_")[2].removesuffix(".json")


def _agreeing(record: Record, wanted: Wanted) -> Record:
    """The record of a key, when what else was said fits it."""
    if not wanted.fits(record):
        raise UserError(
            f"the key {wanted.key} is that of {_line(record)}, which the other options do not fit: "
            "give the key alone"
        )
    return record


def _of_one_edit(records: list[Record], store: Store, tell: Callable[[str], None]) -> list[Record]:
    """Of cells that differ only by the edit of a plugin file, those of one edit, as in tables.

    It is that of the file which was loaded here, as only its cells can be asked, else the newest.
    The file may have got another name.
    """
    sources = {record.method.source for record in records}
    files = {record.method.plugin_file for record in records}
    # whatever their version and code; a run of one edit has cells at several scales
    cells = {_place(record, scales=False)[:-2] for record in records}
    codes = {code_of(source) for source in sources}
    if len(codes) < 2 or "" in files or len(cells) > 1:
        return records
    (newest,) = newest_edits(((store, record) for record in records), lambda _: "all").values()
    here = code_of(_loaded_source(records[0].method.name))
    loaded = [source for source in sorted(sources) if code_of(source) == here]
    taken = loaded[0] if loaded else newest
    kept = [record for record in records if code_of(record.method.source) == code_of(taken)]
    if not loaded and {_scales(one) for one in kept} != {_scales(one) for one in records}:
        return records  # the newest edit has not been run at all of their scales
    made = _made_with(records)
    others = ", ".join(sorted({made[one] for one in sources if code_of(one) != code_of(taken)}))
    which = "newest" if code_of(taken) == code_of(newest) else "one of the file as it is here"
    tell(
        f"note: the {which} is used, made with {made[taken]}; "
        f"the same cell was also made with {others}"
    )
    return kept


def _as_files_are(records: list[Record], store: Store) -> list[Record]:
    """Those of the newest edit of each file of a protocol or a stage; nothing else names it."""
    older = on_older_edits([(store, record) for record in records])
    return [record for record in records if record.key not in older]


def _loaded_source(name: str) -> str:
    """The source of the method of this name that is the user's own here, "" for none.

    What an earlier record brought out of a results folder is nobody's choice.
    """
    name = METHODS.current(name)
    source = METHODS.entry(name).source if name in METHODS.names() else ""
    return "" if source in RECALLED else source


def _made_with(records: Sequence[Record]) -> dict[str, str]:
    """Source -> what tells its cells apart: their weights where each source has its own, else it.

    A model that existed already has another source for each of its weights, but one file.
    """
    weights = {r.method.source: ", ".join(r.method.weights) or "no weights" for r in records}
    existing = all(record.method.existing for record in records)
    if existing and len(set(weights.values())) == len(weights):
        return weights
    return {source: source for source in weights}


def _scales(record: Record) -> tuple[tuple[int, ...], int]:
    return tuple(record.train.scales), record.test.scale


def _place(record: Record, scales: bool = True) -> tuple[object, ...]:
    """All that tells two cells apart but their seed; version and code come last.

    scales: those trained and tested at count as well
    """
    return (
        row_label(record),
        record.dataset.fingerprint,
        record.train.protocol,
        record.test.protocol,
        *(_scales(record) if scales else ()),
        record.preset,
        record.method.version,
        record.method.source,
    )


def _line(record: Record, dataset: str = "") -> str:
    """One cell, for a message; dataset: what tables call its data set, where that is not plain."""
    words = [f"{row_label(record)} of {record.method.source}", record.stem.rpartition("_")[0]]
    words += [dataset] if dataset != record.dataset.name else []
    said = ", ".join(word for word in (*words, elsewhere(record)) if word)
    return f"{record.key[:12]} ({said})"


def _known(records: Sequence[Record], method: str | None = None) -> str:
    """Up to six finished cells, for a message."""
    finished = [record for record in records if record.status == "finished"]
    shown = [record for record in finished if Wanted(method).fits(record)]
    names = dataset_names(records)
    lines = [_line(record, names[record.dataset.fingerprint]) for record in shown[:6]]
    more = f" and {len(shown) - 6} more" if len(shown) > 6 else ""
    return f"there are {', '.join(lines)}{more}" if lines else "none is finished"
