"""Writing files so that a reader never sees half of one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from lrfer_bench.errors import UserError


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A binary file beside path that takes its place when the block ends well.

    It is gone when the block does not. Two processes that write the same path do no harm: one of
    the two whole files stays. Raises what the system raises.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".tmp-")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_atomically(
    path: Path, data: bytes, advice: str = "choose another folder with --results"
) -> None:
    """Write a whole file or none.

    A full disk or a wrong folder is a UserError that ends with the advice.
    """
    try:
        with replacing(path) as file:
            file.write(data)
    except OSError as error:
        raise UserError(
            f"cannot write {path}: {error.strerror or error}; free some space or {advice}"
        ) from error
