"""The cache of prepared data sets: loaded and audited once, memory-mapped by every worker.

    <cache>/datasets/<name>-<fingerprint[:16]>/  images, labels, soft, rows and leaked as .npy;
                                                 meta.json is written last
    <cache>/signatures/<signature>.json          which of these folders certain source files and
                                                 options gave

A signature is made of the paths, sizes and times of the source files, the options and the loader's
own code, so that a second `prepare` reads nothing but file names. Needs numpy only.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lrfer_bench.contract.dataset import Dataset
from lrfer_bench.contract.faceset import SPLITS, FaceSet, Split
from lrfer_bench.data.audit import audit
from lrfer_bench.errors import DataError, UserError
from lrfer_bench.files import replacing
from lrfer_bench.keys import key_of

CACHE_VERSION = 1
CACHE_VARIABLE = "LRFER_CACHE"
DONE = "meta.json"
LOADING = (
    "contract/faceset.py",
    "data/audit.py",
    "data/images.py",
    "data/tree.py",
    "data/validation.py",
)
STALE_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Prepared:
    """A data set on disk: faces are memory-mapped, with the leaked masks of val and test filled.

    audit: Audit.summary() without near copies. options: what the loader was told.
    """

    faces: FaceSet
    fingerprint: str
    directory: Path
    audit: dict[str, Any]
    options: dict[str, Any]


def default_cache() -> Path:
    """$LRFER_CACHE, or ~/.cache/lrfer-bench."""
    return Path(os.environ.get(CACHE_VARIABLE) or "~/.cache/lrfer-bench").expanduser()


def prepare(
    dataset: Dataset, name: str, root: Path | None, *, cache: Path | None = None
) -> Prepared:
    """A data set in its prepared form: from the cache, else loaded and audited.

    The cache is used when the same files were prepared before.

    root: the user's files (--data-root), None for a data set that needs none. Raises DataError for
    what is wrong with the files, UserError when the cache cannot be written.
    """
    cache = (cache or default_cache()).expanduser().absolute()
    options = options_of(dataset)
    with _reading(root):
        signature = _signature(dataset, name, root, options)
    found = _from_signature(cache, signature)
    if found is not None:
        return found
    with _reading(root):
        faces = dataset.load(root).check()
    fingerprint = faces.fingerprint()
    directory = cache / "datasets" / f"{_file_name(name)}-{fingerprint[:16]}"
    entry = {"directory": directory.name, "options": options, "notes": list(faces.notes)}
    try:
        if _open_or_none(directory) is None:
            _write(directory, faces, fingerprint, options)
        _write_signature(_signature_path(cache, signature), entry)
    except OSError as error:
        raise UserError(
            f"the cache {cache} cannot be written: {error.strerror or error}; "
            f"free some space or set {CACHE_VARIABLE} to another folder"
        ) from error
    return _with_entry(open_prepared(directory), entry)


@contextmanager
def _reading(root: Path | None) -> Iterator[None]:
    """A loader names the faults it knows; here any other error of the system is named.

    Such an error is a file that may not be read, for example.
    """
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{error.filename or root} cannot be read: {error.strerror or error}; check the file "
            "and its permissions"
        ) from error


def open_prepared(directory: Path) -> Prepared:
    """Memory-map a prepared folder.

    Raises DataError when it is incomplete or not what meta.json says.
    """
    try:
        meta = json.loads((directory / DONE).read_text(encoding="utf-8"))
        if meta["cache_version"] != CACHE_VERSION:
            raise ValueError(f"it has cache version {meta['cache_version']}, not {CACHE_VERSION}")
        for name, size in meta["files"].items():
            if (directory / name).stat().st_size != size:
                raise ValueError(f"{name} does not have {size} bytes")
        faces = FaceSet(
            name=meta["name"],
            classes=tuple(meta["classes"]),
            splits={name: _read_split(directory, name, meta["files"]) for name in SPLITS},
            synthetic=meta["synthetic"],
            leaked={name: np.load(directory / f"{name}.leaked.npy") for name in ("val", "test")},
            notes=tuple(meta["notes"]),
        )
        return Prepared(faces, meta["fingerprint"], directory, meta["audit"], meta["options"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"the prepared data set {directory} is damaged ({error}): delete it and prepare it "
            "again"
        ) from error


def option_names(kind: type[Dataset]) -> list[str]:
    """The names of a loader's options: the keyword arguments of its __init__."""
    various = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    parameters = inspect.signature(kind.__init__).parameters.values()
    return [
        parameter.name
        for parameter in parameters
        if parameter.name != "self" and parameter.kind not in various
    ]


def options_of(dataset: Dataset) -> dict[str, Any]:
    """What a loader was told: the arguments of its __init__, read from its attributes."""
    names = option_names(type(dataset))
    missing = [name for name in names if not hasattr(dataset, name)]
    if missing:
        raise TypeError(
            f"{type(dataset).__name__} must keep its option {missing[0]} as self.{missing[0]}"
        )
    return {name: _plain(getattr(dataset, name)) for name in names}


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def _signature(dataset: Dataset, name: str, root: Path | None, options: Mapping[str, Any]) -> str:
    files = [entry for source in dataset.sources(root) for entry in _stamps(Path(source))]
    return key_of(
        {
            "cache": CACHE_VERSION,
            "name": name,
            "options": options,
            "code": _code_hash(dataset),
            "files": files,
        }
    )


def _stamps(source: Path) -> Iterator[list[Any]]:
    """Absolute path, size and time of a file, or of every file under a folder in a fixed order."""
    source = source.absolute()
    if not source.is_dir():
        status = source.stat()
        yield [os.fspath(source), status.st_size, status.st_mtime_ns]
        return
    with os.scandir(source) as listing:
        entries = sorted(listing, key=lambda entry: entry.name)
    for entry in entries:
        if entry.is_dir():
            yield from _stamps(Path(entry.path))
        elif entry.is_file():
            status = entry.stat()
            yield [entry.path, status.st_size, status.st_mtime_ns]


def _code_hash(dataset: Dataset) -> str:
    """A hash of the loader's own file and of what it rests on: after a change it reads again.

    A built-in loader rests on its neighbours; every loader rests on what they share.
    """
    files = {Path(__file__).parents[1] / name for name in LOADING}
    for kind in type(dataset).__mro__:
        file = getattr(sys.modules.get(kind.__module__), "__file__", None)
        if not file or kind is Dataset or kind.__module__ == "abc":
            continue
        built_in = kind.__module__.startswith("lrfer_bench.datasets.")
        files.update(Path(file).parent.rglob("*.py") if built_in else [Path(file)])
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _signature_path(cache: Path, signature: str) -> Path:
    return cache / "signatures" / f"{signature}.json"


def _write_signature(path: Path, entry: Mapping[str, Any]) -> None:
    with replacing(path) as file:
        file.write(json.dumps(entry).encode())


def _from_signature(cache: Path, signature: str) -> Prepared | None:
    try:
        entry = json.loads(_signature_path(cache, signature).read_text(encoding="utf-8"))
        directory = cache / "datasets" / entry["directory"]
        found = _open_or_none(directory)
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


def _open_or_none(directory: Path) -> Prepared | None:
    try:
        return open_prepared(directory)
    except DataError:
        return None


def _write(directory: Path, faces: FaceSet, fingerprint: str, options: Mapping[str, Any]) -> None:
    """Write beside the target under a name of our own, then move into place.

    If another process was faster, its folder is used.
    """
    directory.parent.mkdir(parents=True, exist_ok=True)
    _sweep(directory.parent)
    temporary = Path(tempfile.mkdtemp(dir=directory.parent, prefix=".tmp-"))
    try:
        _fill(temporary, faces, fingerprint, options)
        move_into_place(temporary, directory)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def move_into_place(temporary: Path, directory: Path) -> None:
    """Give a filled folder its name; if another process was faster, its folder is used."""
    temporary.chmod(0o755)
    try:
        os.rename(temporary, directory)
        return
    except OSError:
        if _open_or_none(directory) is not None:
            return
    # What stands there is damaged. It is renamed, not emptied: another process may have it mapped.
    aside = Path(tempfile.mkdtemp(dir=directory.parent, prefix=".old-"))
    try:
        if directory.exists():
            os.rename(directory, aside / directory.name)
        os.rename(temporary, directory)
    except OSError:
        if _open_or_none(directory) is None:
            raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _sweep(parent: Path) -> None:
    """Remove what processes killed long ago left behind."""
    for left in [*parent.glob(".tmp-*"), *parent.glob(".old-*")]:
        try:
            if time.time() - left.stat().st_mtime > STALE_SECONDS:
                shutil.rmtree(left, ignore_errors=True)
        except OSError:
            continue


def _fill(folder: Path, faces: FaceSet, fingerprint: str, options: Mapping[str, Any]) -> None:
    found = audit(faces, near=False)
    arrays: dict[str, NDArray[Any]] = {
        f"{name}.leaked.npy": mask for name, mask in found.leaked.items()
    }
    for name in SPLITS:
        split = faces.splits[name]
        labels = split.labels.astype(np.int64)
        parts = {"images": split.images, "labels": labels, "soft": split.soft, "rows": split.rows}
        arrays.update(
            {
                f"{name}.{part}.npy": np.asarray(array)
                for part, array in parts.items()
                if array is not None
            }
        )
    for file_name, array in arrays.items():
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
    with open(folder / DONE, "w", encoding="utf-8") as marker:
        marker.write(json.dumps(meta, indent=1) + "\n")
        marker.flush()
        os.fsync(marker.fileno())


def _read_split(directory: Path, name: str, files: Mapping[str, int]) -> Split:
    """Images are mapped; the small arrays are read, so that they can be used like any other."""

    def small(part: str) -> NDArray[Any] | None:
        file_name = f"{name}.{part}.npy"
        return np.load(directory / file_name, allow_pickle=False) if file_name in files else None

    images = np.load(directory / f"{name}.images.npy", mmap_mode="r", allow_pickle=False)
    labels = np.load(directory / f"{name}.labels.npy", allow_pickle=False)
    return Split(images, labels, small("soft"), small("rows"))


def _file_name(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name)
