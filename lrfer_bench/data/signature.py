"""What a prepared data set was made of: its loader's options, its source files and its code.

The signature holds the paths, sizes, times and inodes of the source files, not their content.
"""

from __future__ import annotations

import hashlib
import inspect
import os
import stat
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lrfer_bench.contract.dataset import Dataset
from lrfer_bench.data.listing import below
from lrfer_bench.errors import UserError, check_unicode
from lrfer_bench.keys import canonical_json, key_of
from lrfer_bench.plugins.blame import place_of
from lrfer_bench.plugins.neighbours import neighbours

CACHE_VERSION = 1
"""Raised when the files of a prepared data set change their form."""

LOADING = (
    "contract/faceset.py",
    "data/arrays.py",
    "data/audit.py",
    "data/classes.py",
    "data/images.py",
    "data/listing.py",
    "data/reading.py",
    "data/text.py",
    "data/tree.py",
    "data/unread.py",
    "data/validation.py",
)
"""What every loader rests on, below the package's folder."""


def option_names(kind: type[Dataset]) -> list[str]:
    """The names of a loader's options: the keyword arguments of its __init__."""
    return [option.name for option in _options(kind)]


def required_options(kind: type[Dataset]) -> list[str]:
    """The names of the options without a default."""
    return [option.name for option in _options(kind) if option.default is option.empty]


def _options(kind: type[Dataset]) -> list[inspect.Parameter]:
    various = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    parameters = inspect.signature(kind.__init__).parameters.values()
    return [each for each in parameters if each.name != "self" and each.kind not in various]


def options_of(dataset: Dataset) -> dict[str, Any]:
    """What a loader was told: the arguments of its __init__, read from its attributes.

    UserError for an option that it does not keep under its own name, or that is not Unicode.
    """
    names = option_names(type(dataset))
    missing = [name for name in names if not hasattr(dataset, name)]
    if missing:
        place = place_of(type(dataset), "__init__")
        raise UserError(
            f"{type(dataset).__name__} must keep its option {missing[0]} as self.{missing[0]}: "
            f"write self.{missing[0]} = {missing[0]} into its __init__ ({place})"
        )
    options = {name: _plain(getattr(dataset, name)) for name in names}
    for name, value in options.items():
        if isinstance(value, str):
            check_unicode(f"the data option {name}", value)
    return options


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def called(name: str, options: Mapping[str, Any]) -> str:
    """What records and tables call a data set: the option `name` of those that have it."""
    return str(options.get("name") or name)


def signature_of(dataset: Dataset, name: str, root: Path | None) -> tuple[str, dict[str, Any]]:
    """(the key of everything that a prepared data set is made of, the loader's options)."""
    options, code = options_of(dataset), _code_hash(dataset)
    files = hashlib.sha256()  # one by one: a set may have a million
    for source in dataset.sources(root):
        for entry in _stamps(Path(source)):
            files.update(canonical_json(entry).encode())
    key = key_of(
        {
            "cache": CACHE_VERSION,
            "name": name,
            "options": options,
            "code": code,
            "files": files.hexdigest(),
        }
    )
    return key, options


def _stamps(source: Path) -> Iterator[list[Any]]:
    """What tells whether a file is still the same; of a folder, for every file in a fixed order.

    Archives and copies keep the time of the content, so the time of the inode (ctime), which nobody
    can set, and the inode's number count as well.
    """
    source = source.absolute()
    if not source.is_dir():
        yield _stamp(source, source.stat())
        return
    for path in below(source):
        try:
            status = os.stat(path)
        except OSError:  # such as a link to nowhere; who needs the file says that it is missing
            continue
        if stat.S_ISREG(status.st_mode):
            yield _stamp(path, status)


def _stamp(path: Path, status: os.stat_result) -> list[Any]:
    times = [status.st_mtime_ns, status.st_ctime_ns]
    return [os.fspath(path), status.st_size, *times, status.st_ino]


def _code_hash(dataset: Dataset) -> str:
    """A hash of the loader's own file and of what it rests on: after a change it reads again.

    A built-in loader rests on its neighbours, another on the user's own modules that it imports;
    every loader rests on what they share.
    """
    files = {Path(__file__).parents[1] / name for name in LOADING}
    digest = hashlib.sha256()
    for kind in type(dataset).__mro__:
        file = getattr(sys.modules.get(kind.__module__), "__file__", None)
        if not file or kind is Dataset or kind.__module__ == "abc":
            continue
        built_in = kind.__module__.startswith("lrfer_bench.datasets.")
        files.update(Path(file).parent.rglob("*.py") if built_in else [Path(file)])
        if not built_in:
            digest.update(
                canonical_json(neighbours(Path(file).read_bytes(), kind.__module__)).encode()
            )
    for path in sorted(files):
        digest.update(os.fsencode(path.name) + b"\0" + path.read_bytes())
    return digest.hexdigest()
