"""What a worker on another machine needs: plugin files, the data set, and the same arithmetic."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from lrfer_bench.data.cache import default_cache, move_into_place, open_prepared
from lrfer_bench.data.checked import is_sound
from lrfer_bench.errors import DataError, UserError
from lrfer_bench.files import own_folder, sweep, write_atomically
from lrfer_bench.planning.plan import DataRef
from lrfer_bench.plugins.contents import add_content, met
from lrfer_bench.plugins.loading import PLUGINS_VARIABLE, load_plugins, loaded_contents
from lrfer_bench.plugins.registry import METHODS, PLUGIN_ERRORS, PROTOCOLS
from lrfer_bench.running.engines.fileserver import PIECE
from lrfer_bench.running.environment import computing
from lrfer_bench.training.arithmetic import PROCESSORS, TO_BE_ALIKE


@dataclass(frozen=True)
class Kit:
    """What every worker of a run gets.

    plugins: (path on the main process's machine, content)
    files: (name, bytes) of the files that settings name, such as weights
    facts: what the main process computes with
    checkpoint_every: seconds between two checkpoints on their way home
    gpu: whether a worker gets one, or a part of one
    """

    plugins: Sequence[tuple[str, bytes]]
    facts: Mapping[str, str]
    checkpoint_every: float
    files: Sequence[tuple[str, bytes]] = ()
    gpu: bool = True


def pack(plugins: Sequence[str | Path], checkpoint_every: float) -> Kit:
    """The kit of this process: all plugin files that count here, LRFER_PLUGINS' among them.

    They travel as they were loaded: keys of the plan name what they were then.
    """
    content = loaded_contents(plugins)
    files = [(place.name, place.read_bytes()) for place in met().values()]
    return Kit(content, all_facts(), checkpoint_every, files)


def unpack(kit: Kit) -> dict[str, str]:
    """On a worker: write and load the plugin files. Returns the place of each -> its author's path.

    This machine's own LRFER_PLUGINS do not count.
    """
    places = {}
    for name, data in kit.files:
        add_content(data, Path(name).name)
    for path, content in kit.plugins:
        folder = hashlib.sha256(content).hexdigest()[:12]
        place = default_cache().absolute() / "plugins" / folder / Path(path).name
        if not place.is_file() or place.read_bytes() != content:
            write_atomically(place, content)
        places[str(place.resolve())] = path
    os.environ.pop(PLUGINS_VARIABLE, None)
    load_plugins(places)
    return places


def all_facts() -> dict[str, str]:
    """computing(), and where each method and protocol comes from."""
    facts = computing()
    for registry in (METHODS, PROTOCOLS):
        facts |= {f"{registry.kind} {entry.name}": entry.source for entry in registry}
    return {**facts, **{f"plugin {Path(file).name}": why for file, why in PLUGIN_ERRORS.items()}}


def differences(ours: Mapping[str, str], theirs: Mapping[str, str]) -> str:
    """What another machine computes with that this one does not; "" where results are the same."""
    names = sorted(name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name))
    found = [
        f"{name} is {theirs.get(name, 'missing')} there, {ours.get(name, 'missing')} here"
        for name in names[:3]
    ]
    if names and set(names) <= set(PROCESSORS):
        found.append(f"{TO_BE_ALIKE} on every machine can make processors alike")
    return "; ".join(found)


def local_data(data: DataRef, server: Any) -> str:
    """The data set's folder on this machine: in its cache, on a shared disk, or fetched."""
    return _local_data(data.name, data.fingerprint, data.directory, server)


@lru_cache(maxsize=4)
def _local_data(name: str, fingerprint: str, theirs: str, server: Any) -> str:
    ours = default_cache() / "datasets" / Path(theirs).name
    for place in (ours, Path(theirs)):
        if _holds(place, fingerprint):
            return str(place)
    ours.parent.mkdir(parents=True, exist_ok=True)
    with _locked(ours.parent / f".{ours.name}.lock"):  # one worker of a machine fetches for all
        if not _holds(ours, fingerprint):
            _fetch(ours, server)
    if open_prepared(ours).faces.fingerprint() != fingerprint:
        raise UserError(f"the data set {name} arrived damaged in {ours}: delete it and run again")
    return str(ours)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _holds(place: Path, fingerprint: str) -> bool:
    try:
        return open_prepared(place).fingerprint == fingerprint and is_sound(place)
    except (DataError, OSError):
        return False


def _fetch(ours: Path, server: Any) -> None:
    import ray

    sweep(ours.parent)
    temporary = own_folder(ours.parent)
    try:
        for name, size in ray.get(server.listing.remote()).items():
            with open(temporary / Path(name).name, "wb") as file:
                for start in range(0, size, PIECE):
                    file.write(ray.get(server.read.remote(name, start)))
        move_into_place(temporary, ours)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
