"""Arrays of numpy's files (.npy, .npz), measured by their headers before anything is unpacked."""

from __future__ import annotations

import io
import math
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from lrfer_bench.files import read_limited

HEADERS = {(1, 0): np.lib.format.read_array_header_1_0,
           (2, 0): np.lib.format.read_array_header_2_0}  # fmt: skip


def read_array(path: Path, most: int) -> NDArray[Any]:
    """The array of a .npy file of at most `most` bytes.

    ValueError for any other file, a pipe or a device among them. Raises OSError as well.
    """
    data = read_limited(path, most)
    _measure(io.BytesIO(data), len(data))
    return np.asarray(_unpacked(data))


def read_arrays(path: Path, most: int) -> dict[str, NDArray[Any]]:
    """Name -> array of a .npz archive that takes at most `most` bytes, packed and unpacked.

    ValueError for any other file, a pipe or a device among them. Raises OSError as well.
    """
    data = read_limited(path, most)
    if not data.startswith(b"PK"):  # np.load() would take it for a single array, unmeasured
        raise ValueError("it is not an archive of arrays")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            total = sum(entry.file_size for entry in entries)
            if total > most:
                raise ValueError(f"it unpacks to {total:,} bytes, more than {most:,}")
            for entry in entries:
                with archive.open(entry) as file:
                    _measure(file, entry.file_size)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"it is not a complete archive of arrays: {error}") from error
    with _unpacked(data) as arrays:
        try:
            return {name: arrays[name] for name in arrays.files}
        except Exception as error:  # zlib, zipfile and numpy fail in their own ways
            raise ValueError(f"it is damaged: {error}") from error


def _unpacked(data: bytes) -> Any:
    try:
        return np.load(io.BytesIO(data), allow_pickle=False)
    except Exception as error:  # numpy, and Python's tokenizer, which reads its headers
        raise ValueError(f"it holds no array: {error}") from error


def _measure(file: IO[bytes], size: int) -> None:
    """ValueError where a .npy header promises more than its file can hold."""
    try:
        shape, _, dtype = HEADERS[np.lib.format.read_magic(file)](file)
    except Exception as error:  # see _unpacked()
        raise ValueError(f"it holds no array: {error}") from error
    if math.prod(shape) * max(dtype.itemsize, 1) > size:
        raise ValueError(f"its header promises {list(shape)} numbers in {size:,} bytes")
