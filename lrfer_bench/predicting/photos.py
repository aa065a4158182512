"""Somebody's pictures, shown to a trained cell: which cell is meant, what is done to the pictures, the CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lrfer_bench.contract.labels import label_of, same_label
from lrfer_bench.data.images import ENDINGS, open_image, to_array
from lrfer_bench.errors import UserError, did_you_mean
from lrfer_bench.store.schema import Record
from lrfer_bench.store.store import Store

if TYPE_CHECKING:
    from lrfer_bench.predicting.predictor import Predictor


@dataclass(frozen=True)
class Wanted:
    """What the user says of the cell; None is "any"."""

    method: str | None = None
    scale: int | None = None
    dataset: str | None = None
    protocol: str | None = None
    seed: int | None = None
    key: str | None = None

    def fits(self, record: Record) -> bool:
        test = record.test
        return (
            (self.method is None or is_called(self.method, record.method.name, record.method.settings))
            and self.scale in (None, test.scale)
            and self.dataset in (None, record.dataset.name)
            and self.protocol in (None, test.protocol, test.protocol.partition("@")[0])
            and self.seed in (None, record.seed)
        )


def is_called(text: str, name: str, settings: Mapping[str, Any]) -> bool:
    """Whether a user means this method by a bare name, or by a label; numbers in it may be written in any way.

    >>> is_called("gmenet", "gmenet", {"kd_weight": 0.0}), is_called("gmenet[kd_weight=0]", "gmenet", {"kd_weight": 0.0})
    (True, True)
    """
    return text == name or same_label(text, label_of(name, settings))


def choose(results: Path, wanted: Wanted, tell: Callable[[str], None]) -> Record:
    """The one finished cell that is meant; of cells that differ by their seed alone, the lowest. Else a UserError.

    Of cells that differ by the edit of their plugin file, the newest is meant; tell() gets a line that says so.
    """
    store = Store(results)
    records = [record for record in store.scan() if isinstance(record, Record)]
    if not records:
        raise UserError(
            f'{results} holds no records: train something with "lrfer-bench run", or name it with --results'
        )
    if wanted.key:
        from lrfer_bench.predicting.predictor import find_record

        return _agreeing(find_record(store, wanted.key), wanted)
    if not wanted.method:
        raise UserError(f"no cell is named: give --method and --scale, or --key; {_known(records)}")
    names = {label_of(record.method.name, record.method.settings) for record in records}
    if not any(Wanted(wanted.method).fits(record) for record in records):
        raise UserError(
            f'no record of the method "{wanted.method}" is in {results}: {did_you_mean(wanted.method, names)}'
        )
    fitting = [record for record in records if wanted.fits(record) and record.status == "finished"]
    if not fitting:
        raise UserError(f"no finished cell of {wanted.method} fits: {_known(records, wanted.method)}")
    plain = [record for record in fitting if not record.method.settings]
    if wanted.method == fitting[0].method.name and plain:  # a bare name is the method as it is, where that was run
        fitting = plain
    fitting = _newest_edit(fitting, store, tell)
    by_seed = sorted(fitting, key=lambda record: record.seed, reverse=True)
    lowest = {_place(record): record for record in by_seed}  # the lowest seed comes last and stays
    if len(lowest) > 1:
        raise UserError(f"{len(lowest)} cells fit: narrow it down, or give --key; {_known(list(lowest.values()))}")
    return next(iter(lowest.values()))


def _agreeing(record: Record, wanted: Wanted) -> Record:
    """The record of a key, when what else was said fits it."""
    if not wanted.fits(record):
        raise UserError(
            f"the key {wanted.key} is that of {_line(record)}, which the other options do not fit: give the key alone"
        )
    return record


def _newest_edit(records: list[Record], store: Store, tell: Callable[[str], None]) -> list[Record]:
    """Of cells that differ only because one plugin file was edited between runs, those of the newest edit."""
    sources = {record.method.source for record in records}
    files = {record.method.plugin_file for record in records}
    if len(sources) < 2 or len(files) > 1 or "" in files or len({_place(record)[:-2] for record in records}) > 1:
        return records
    newest = max(records, key=store.written_at)
    others = ", ".join(sorted(sources - {newest.method.source}))
    tell(f"note: taken is the newest, made with {newest.method.source}; the same cell was also made with {others}")
    return [record for record in records if record.method.source == newest.method.source]


def _place(record: Record) -> tuple[object, ...]:
    """All but the seed; the code last."""
    return (
        label_of(record.method.name, record.method.settings), record.dataset.fingerprint, record.train.protocol,
        tuple(record.train.scales), record.test.protocol, record.test.scale, record.preset,
        record.method.version, record.method.source,
    )  # fmt: skip


def _line(record: Record) -> str:
    """One cell, for a message."""
    label = label_of(record.method.name, record.method.settings)
    return f"{record.key[:12]} ({label} of {record.method.source}, {record.stem.rpartition('_')[0]})"


def _known(records: Sequence[Record], method: str | None = None) -> str:
    """Up to six cells, for a message."""
    shown = [record for record in records if Wanted(method).fits(record) and record.status == "finished"]
    lines = [_line(record) for record in shown[:6]]
    more = f" and {len(shown) - 6} more" if len(shown) > 6 else ""
    return f"there are {', '.join(lines)}{more}" if lines else "none is finished"


def predictions(cell: Record, results: Path, images: Sequence[Path], images_are: str) -> str:
    """CSV with a header: image, expression, its probability, then every class's; in the order given."""
    paths = list(_files(images))
    from lrfer_bench.predicting.predictor import predictor_of

    predictor = predictor_of(cell, Store(results))
    faces = np.concatenate([_lr_face(path, predictor, images_are) for path in paths])
    shares = predictor.probabilities(faces)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["image", "expression", "probability", *predictor.classes])
    for path, row in zip(paths, shares, strict=True):
        best = int(row.argmax())
        writer.writerow([path, predictor.classes[best], f"{row[best]:.4f}", *(f"{share:.4f}" for share in row)])
    return text.getvalue()


def _files(images: Sequence[Path]) -> Iterator[Path]:
    for path in images:
        if not path.is_dir():
            yield path
            continue
        inside = sorted(file for file in path.rglob("*") if file.suffix.lower() in ENDINGS)
        if not inside:
            raise UserError(f"the folder {path} holds no picture: give picture files, or folders with some")
        yield from inside


def _lr_face(path: Path, predictor: Predictor, images_are: str) -> NDArray[np.uint8]:
    """uint8 [1, C, *lr_size] of one picture."""
    import torch

    from lrfer_bench.pixels import resize

    own = to_array(open_image(path), "grey" if predictor.channels == 1 else "rgb")
    face = np.array(own)[None]  # a copy: torch warns of Pillow's own, which cannot be written to
    fits = face.shape[2:] == predictor.lr_size
    if images_are == "lr" or (images_are == "auto" and fits):
        return resize(torch.from_numpy(face), predictor.lr_size).numpy()
    return predictor.degrade(face)
