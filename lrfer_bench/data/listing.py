"""Which files and folders count: one rule for every command that looks into a user's folders."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from lrfer_bench.errors import DataError

CLUTTER = frozenset(
    {
        "thumbs.db", "ehthumbs.db", "desktop.ini",  # Windows
        "$recycle.bin", "system volume information", "recycler",
        "__macosx", "icon\r",  # macOS; all else that it leaves is hidden
        "@eadir", "@recycle", "#recycle", "#snapshot", "@tmp",  # file servers
        "lost+found",  # Linux
        "__pycache__",
    }
)  # fmt: skip
"""Names, in small letters, of what systems put among a user's files."""


def is_clutter(name: str) -> bool:
    """Whether a file or folder is hidden, or what a system and not the user put there."""
    return name.startswith(".") or name.lower() in CLUTTER


def listing(folder: Path) -> list[Path]:
    """What is in a folder without clutter, in the order of names; DataError if it is unreadable."""
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise DataError(f"the folder {folder} cannot be read: {error.strerror or error}") from error
    return [folder / name for name in names if not is_clutter(name)]


def below(folder: Path) -> Iterator[Path]:
    """All files below a folder without clutter, folder by folder in the order of names."""
    for entry in listing(folder):
        if not entry.is_dir():
            yield entry
        elif not entry.is_symlink():  # a link may lead back up
            yield from below(entry)


def plain_name(name: str) -> str:
    """A name as it is compared: in small letters, and in one form of accents.

    macOS writes é as two characters, others write one.
    """
    return unicodedata.normalize("NFC", name).casefold()


def subfolders(folder: Path) -> dict[str, Path]:
    """plain_name() -> folder; DataError names two folders that differ in letter case only."""
    found: dict[str, Path] = {}
    for entry in listing(folder):
        if entry.is_dir():
            other = found.setdefault(plain_name(entry.name), entry)
            if other != entry:
                raise DataError(
                    f"{folder} has both {other.name} and {entry.name}, which many systems take for "
                    "one: leave one of them"
                )
    return found
