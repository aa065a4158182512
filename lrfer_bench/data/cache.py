"""The cache of prepared data sets: loaded and audited once, memory-mapped by every worker.

    <cache>/datasets/<name>-<fingerprint[:16]>/  images, labels, soft, rows and leaked as .npy;
                                                 meta.json is written last
    <cache>/signatures/<signature>.json          which of these folders certain source files and
                                                 options gave

The signature (data/signature.py) is made without reading the files, so that a second `prepare` is
quick. Needs numpy only.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lrfer_bench.contract.dataset import Dataset
from lrfer_bench.contract.faceset import SPLITS, FaceSet
from lrfer_bench.data.audit import audit
from lrfer_bench.data.checked import damage_of, is_sound, meta_bytes, with_checked_lr
from lrfer_bench.data.loader import asking, check_root
from lrfer_bench.data.prepared import Prepared, open_or_none, open_prepared
from lrfer_bench.data.reading import Tick, own_file, reading
from lrfer_bench.data.signature import CACHE_VERSION, called, signature_of
from lrfer_bench.data.sums import DONE, damage, digests
from lrfer_bench.data.unread import remarks_on
from lrfer_bench.errors import DataError, escaped
from lrfer_bench.files import (
    at_home,
    default_cache,
    is_forbidden,
    own_folder,
    read_json,
    replacing,
    sweep,
    unwritable_cache,
)


def prepare(
    dataset: Dataset,
    name: str,
    root: Path | None,
    *,
    cache: Path | None = None,
    anew: bool = False,
    tick: Tick | None = None,
) -> Prepared:
    """A data set in its prepared form: from the cache, else loaded and audited.

    The cache is used when the same files were prepared before.

    root: the user's files (--data-root), None for a data set that needs none. anew: read the files
    even if they look as they did. tick(done, all): told of each picture. Raises DataError for what
    is wrong with the files or the loader, and where it needs files and root is None; UserError when
    the cache cannot be written.
    """
    cache = at_home(cache or default_cache()).absolute()
    check_root(dataset, name, root)
    with asking(dataset, name, root, "sources"):
        signature, options = signature_of(dataset, name, root)
    found = None if anew else _from_signature(cache, signature)
    why = damage_of(found) if found is not None else ""
    if found is not None and not why:
        return with_checked_lr(found)
    with reading(cache / "datasets", tick) as noticed:
        with asking(dataset, name, root, "load"):
            faces = dataset.load(root)
            if not isinstance(faces, FaceSet):
                raise DataError(
                    f'the loader of the data set "{name}" returned a {type(faces).__name__}: end '
                    "its load() with return FaceSet(...)"
                )
            faces.check()
        # Files need not have names in Unicode, texts in JSON files have to be.
        notes = (*map(escaped, faces.notes), *remarks_on(noticed))
        faces = replace(faces, notes=notes)
        return _kept(cache, name, signature, options, faces, why)


def _kept(
    cache: Path,
    name: str,
    signature: str,
    options: dict[str, Any],
    faces: FaceSet,
    why: str,
) -> Prepared:
    """Write a loaded data set into the cache and open it there; why: the damage of an older one."""
    fingerprint = faces.fingerprint()
    directory = cache / "datasets" / f"{_file_name(called(name, options))}-{fingerprint[:16]}"
    entry = {"directory": directory.name, "options": options, "notes": list(faces.notes)}
    notes: list[str] = []
    try:
        wanted = bool(why) or not is_sound(directory)
        if wanted and directory.exists():
            about = why or damage(directory) or "it is of another version or not complete"
            notes.append(f"the prepared data set was damaged and is made anew ({about})")
        elif not wanted and not _has_marks_of(faces, directory):
            _put_away(directory)
            wanted = True
        if wanted:
            _write(directory, faces, fingerprint, options)
        _write_signature(_signature_path(cache, signature), entry)
    except OSError as error:
        if is_forbidden(error) and is_sound(directory):
            # A cache that others share: what is in it can be used, and is read again next time.
            found = _with_entry(open_prepared(directory), entry)
            today = replace(found.faces, leaked=audit(faces, near=False).leaked)
            return with_checked_lr(replace(found, faces=today), *notes)
        raise unwritable_cache(cache, error) from error
    return with_checked_lr(_with_entry(open_prepared(directory), entry), *notes)


def _signature_path(cache: Path, signature: str) -> Path:
    return cache / "signatures" / f"{signature}.json"


def _write_signature(path: Path, entry: Mapping[str, Any]) -> None:
    with replacing(path) as file:
        file.write(json.dumps(entry).encode())


def _from_signature(cache: Path, signature: str) -> Prepared | None:
    try:
        entry = read_json(_signature_path(cache, signature))
        directory = cache / "datasets" / entry["directory"]
        found = open_or_none(directory)
        return None if found is None else _with_entry(found, entry)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _with_entry(found: Prepared, entry: Mapping[str, Any]) -> Prepared:
    """Two forms of the same data share a folder, but each has its own notes and options."""
    return replace(
        found,
        faces=replace(found.faces, notes=tuple(entry["notes"])),
        options=dict(entry["options"]),
    )


def _put_away(directory: Path) -> None:
    """Remove a prepared data set; renamed first, as another process may be opening it."""
    aside = own_folder(directory.parent)
    os.rename(directory, aside / directory.name)
    shutil.rmtree(aside, ignore_errors=True)


def _has_marks_of(faces: FaceSet, directory: Path) -> bool:
    """Whether a folder has what the loader says beyond pixels, labels and classes.

    Its name rests on these alone. Where both tell rows, the first form of the data keeps its own.
    Leaked rows are those that are found today: an older version may have found others.
    """
    there = open_prepared(directory).faces
    leaked = audit(faces, near=False).leaked
    return (
        there.synthetic == faces.synthetic
        and all(
            there.splits[name].rows is not None or faces.splits[name].rows is None
            for name in SPLITS
        )
        and all(np.array_equal(leaked[name], there.leaked[name]) for name in leaked)
    )


def _write(directory: Path, faces: FaceSet, fingerprint: str, options: Mapping[str, Any]) -> None:
    """Write beside the target under a name of our own, then move into place.

    If another process was faster, its folder is used.
    """
    directory.parent.mkdir(parents=True, exist_ok=True)
    sweep(directory.parent)
    temporary = own_folder(directory.parent)
    try:
        _fill(temporary, faces, fingerprint, options)
        move_into_place(temporary, directory)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def move_into_place(temporary: Path, directory: Path) -> None:
    """Give a filled folder its name; if another process was faster, its folder is used."""
    try:
        os.rename(temporary, directory)
        return
    except OSError:
        if is_sound(directory):
            return
    # What stands there is damaged. It is renamed, not emptied: another process may have it mapped.
    aside = own_folder(directory.parent)
    try:
        if directory.exists():
            os.rename(directory, aside / directory.name)
        os.rename(temporary, directory)
    except OSError:
        if open_or_none(directory) is None:
            raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _fill(folder: Path, faces: FaceSet, fingerprint: str, options: Mapping[str, Any]) -> None:
    found = audit(faces, near=False)
    arrays: dict[str, NDArray[Any]] = {
        f"{name}.leaked.npy": mask for name, mask in found.leaked.items()
    }
    for name in SPLITS:
        split = faces.splits[name]
        labels = split.labels.astype(np.int64)  # whole numbers of any size: check() saw to it
        soft = None if split.soft is None else split.soft.astype(np.float32)
        parts: dict[str, NDArray[Any] | None] = {
            "images": split.images,
            "labels": labels,
            "soft": soft,
            "rows": split.rows,
        }
        arrays.update(
            {f"{name}.{part}.npy": array for part, array in parts.items() if array is not None}
        )
    for file_name, array in arrays.items():
        if (written := own_file(array)) is not None:
            os.rename(written, folder / file_name)
            continue
        with open(folder / file_name, "wb") as file:
            np.save(file, np.ascontiguousarray(array), allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())
    meta = {
        "cache_version": CACHE_VERSION,
        "name": faces.name,
        "fingerprint": fingerprint,
        "classes": list(faces.classes),
        "synthetic": faces.synthetic,
        "notes": list(faces.notes),
        "options": dict(options),
        "audit": found.summary(),
        "files": {file_name: (folder / file_name).stat().st_size for file_name in sorted(arrays)},
    }
    meta["sha256"] = digests(folder, arrays)
    with open(folder / DONE, "wb") as marker:
        marker.write(meta_bytes(meta))
        marker.flush()
        os.fsync(marker.fileno())


def _file_name(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name)
