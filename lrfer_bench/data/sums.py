"""Checksums of a prepared data set: a bit that turned on the disk must not enter a result.

Needs numpy only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lrfer_bench.errors import MachineError
from lrfer_bench.files import check_regular, is_no_fault, not_now, read_json
from lrfer_bench.keys import is_intact

DONE = "meta.json"
BLOCK = 1 << 22


def digest_of(path: Path) -> str:
    """sha256 of a file, 64 hexadecimal digits; ValueError for one that is not a regular file."""
    check_regular(path)
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def digests(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """File name -> sha256, for some files of a folder."""
    return {name: digest_of(folder / name) for name in sorted(names)}


def read_meta(directory: Path) -> dict[str, Any]:
    """The content of meta.json; ValueError where it was changed. Older folders have no seal."""
    meta: dict[str, Any] = read_json(directory / DONE)
    if not is_intact(meta):
        raise ValueError(f"{DONE} does not have its checksum")
    return meta


def damage(directory: Path) -> str:
    """Which file of a prepared folder does not have its checksum; "" where all have.

    A folder from before checksums has none to be compared. MachineError where a file cannot be
    read now.
    """
    try:
        for name, digest in read_meta(directory).get("sha256", {}).items():
            if digest_of(directory / name) != digest:
                return f"{name} does not have its checksum"
    except OSError as error:
        if is_no_fault(error):
            raise not_now(directory, error) from error
        return f"{error.filename} cannot be read ({error.strerror})"
    except (ValueError, TypeError, AttributeError) as error:
        return str(error)
    return ""


def sum_path(array: Path) -> Path:
    """Where the checksum of an array of LR images stands."""
    return array.with_name(f"{array.name}.sha256")


def drop_damaged(folder: Path) -> list[str]:
    """Remove arrays of LR images whose checksum is missing or differs; the names of the latter.

    They are made anew, from images that were checked, when somebody asks for them.
    """
    wrong = []
    for array in sorted(folder.glob("*.npy")):
        try:
            stated = sum_path(array).read_text(encoding="ascii", errors="replace").strip()
            if stated == digest_of(array):
                continue
            wrong.append(array.name)
        except FileNotFoundError:
            pass
        except ValueError:  # a pipe or a device
            wrong.append(array.name)
        except OSError as error:
            raise not_now(array, error) from error
        try:
            array.unlink(missing_ok=True)
        except OSError as error:
            raise MachineError(
                f"{array} is damaged and cannot be removed ({error.strerror}): check the "
                "permissions of the cache"
            ) from error
    return wrong
