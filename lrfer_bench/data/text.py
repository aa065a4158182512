"""Text files of users, in the encodings that their programs write."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from lrfer_bench.errors import DataError
from lrfer_bench.files import check_regular, is_momentary, not_now

MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"),
         (codecs.BOM_UTF16_BE, "utf-16"))  # fmt: skip
MOST_BYTES = 1 << 30
"""FER2013 as text, all its pixels in decimal digits, has a third of that."""


def encoding_of(path: Path) -> str:
    """The encoding that the file's first bytes tell, else UTF-8. Raises OSError.

    Notepad and PowerShell write a byte order mark; PowerShell's > writes UTF-16.
    """
    with open(path, "rb") as file:
        head = file.read(4)
    return next((name for mark, name in MARKS if head.startswith(mark)), "utf-8")


@contextmanager
def open_text(path: Path, newline: str | None = None) -> Iterator[TextIO]:
    """A text file to read from, with or without a byte order mark; newline: as of open().

    DataError, also while it is read, names the encoding that was tried, or what the system says.
    """
    encoding = "utf-8"
    try:
        _check(path)
        encoding = encoding_of(path)
        with open(path, encoding=encoding, newline=newline) as file:
            yield file
    except UnicodeDecodeError as error:
        name = "UTF-16" if encoding == "utf-16" else "UTF-8"
        raise DataError(
            f"{path} was read as {name} text, which it is not ({error.reason}): save it as UTF-8"
        ) from error
    except OSError as error:
        if is_momentary(error):
            raise not_now(path, error) from error
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error


def _check(path: Path) -> None:
    try:
        check_regular(path, MOST_BYTES)
    except ValueError as error:
        raise DataError(f"{path} cannot be read: {error}") from error


def read_lines(path: Path) -> list[str]:
    """The lines of a text file without their ends, of Unix or of Windows; DataError as above."""
    with open_text(path) as file:
        return file.read().split("\n")
