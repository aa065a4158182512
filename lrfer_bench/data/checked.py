"""Is a prepared data set still what was prepared? Asked once a run, in the main process.

On a Ray cluster each worker process asks it of its node's data, too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from lrfer_bench.data.audit import audit
from lrfer_bench.data.prepared import Prepared, open_or_none
from lrfer_bench.data.sums import DONE, damage, digests, drop_damaged, read_meta
from lrfer_bench.files import replacing, sweep
from lrfer_bench.keys import sealed


def damage_of(prepared: Prepared) -> str:
    """What is wrong with the files of a prepared data set, in words; "" if nothing is.

    A folder from before checksums gets them, once its faces and leaks were found to be right.
    """
    why = damage(prepared.directory)
    return why or _without_sums(prepared)


def is_sound(directory: Path) -> bool:
    """Whether a prepared data set can be opened and nothing is wrong with its files."""
    prepared = open_or_none(directory)
    return prepared is not None and not damage_of(prepared)


def with_checked_lr(prepared: Prepared, *notes: str) -> Prepared:
    """Remove LR images that do not have their checksums, and note what was damaged."""
    for folder in (prepared.directory, prepared.directory / "lr"):
        sweep(folder)
    wrong = drop_damaged(prepared.directory / "lr")
    lost = [f"LR images in the cache were damaged and are made anew: {name}" for name in wrong]
    faces = prepared.faces
    return replace(prepared, faces=replace(faces, notes=(*faces.notes, *notes, *lost)))


def meta_bytes(meta: Mapping[str, Any]) -> bytes:
    """The content of meta.json, sealed."""
    plain = json.loads(json.dumps(dict(meta)))  # as it will be read, for the checksum
    return (json.dumps(sealed(plain), indent=1) + "\n").encode()


def _without_sums(prepared: Prepared) -> str:
    directory, faces = prepared.directory, prepared.faces
    meta = read_meta(directory)
    if "sha256" in meta:
        return ""
    leaked = audit(faces, near=False).leaked
    if not all(np.array_equal(leaked[name], faces.leaked[name]) for name in leaked):
        return "its leaked rows are not those of its faces"
    if faces.fingerprint() != prepared.fingerprint:
        return "its faces do not have its fingerprint"
    # A cache that may not be written is checked like this each time.
    with suppress(OSError), replacing(directory / DONE) as file:
        file.write(meta_bytes({**meta, "sha256": digests(directory, meta["files"])}))
    return ""
