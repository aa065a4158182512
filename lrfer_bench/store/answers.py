"""What a cell answered: the logits of every test image, as one compressed file."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

KINDS = (
    np.floating,
    np.integer,
    np.bool_,
)  # of logits, labels and clean, which are [N, K], [N] and [N]
GARBAGE = (Exception,)
"""zipfile, zlib, numpy and Python's own tokenizer fail in their own ways on damaged archives."""


HEADERS = 1 << 16
"""More bytes than the headers of an archive of three arrays take."""
MOST_BYTES = 1 << 29
"""No test split of faces has logits of half a gigabyte."""


def most_bytes(images: int, classes: int) -> int:
    """The most bytes that the logits of so many images take, packed or unpacked."""
    return min(HEADERS + images * (8 * classes + 8 + 1), MOST_BYTES)


@dataclass(frozen=True)
class Logits:
    """What a cell answered: logits float32 [N, classes], labels int64 [N], clean bool [N] (False:
    leaked row).
    """

    logits: NDArray[np.float32]
    labels: NDArray[np.int64]
    clean: NDArray[np.bool_]

    def to_bytes(self) -> bytes:
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            logits=self.logits.astype("<f4"),
            labels=self.labels.astype("<i8"),
            clean=self.clean,
        )
        return buffer.getvalue()

    @staticmethod
    def from_bytes(data: bytes, most: int = MOST_BYTES) -> Logits:
        """Inverse of to_bytes(); raises one of GARBAGE for bytes of any other kind.

        most: bytes that the arrays may take; it is looked at before anything is unpacked.
        """
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            unpacked = sum(entry.file_size for entry in packed.infolist())
        if unpacked > most:
            raise ValueError(f"its arrays take {unpacked:,} bytes in place of {most:,}")
        archive = np.load(io.BytesIO(data), allow_pickle=False)
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise ValueError("it is not an npz archive")
        with archive as z:
            arrays = [np.asarray(z[name]) for name in ("logits", "labels", "clean")]
        for name, array, kind, axes in zip(
            ("logits", "labels", "clean"), arrays, KINDS, (2, 1, 1), strict=True
        ):
            if (
                not np.issubdtype(array.dtype, kind)
                or array.ndim != axes
                or len(array) != len(arrays[0])
            ):
                raise ValueError(f"its {name} are {array.dtype} of shape {list(array.shape)}")
        return Logits(*arrays)
