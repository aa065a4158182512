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
    return [folder / entry.name for entry in _entries(folder)]


def below(folder: Path, above: tuple[Path, ...] = ()) -> Iterator[Path]:
    """All files below a folder without clutter, folder by folder in the order of names.

    A link to a folder is followed, as it is where folders are classes; one that leads back to a
    folder it lies in is not, for that would never end.

    above: the folders on the way here, without links
    """
    way = (*above, Path(os.path.realpath(folder)))
    for entry in _entries(folder):
        path = folder / entry.name
        linked = entry.is_symlink()
        if not (os.path.isdir(path) if linked else entry.is_dir()):
            yield path
        elif not (linked and _leads_back(path, way)):
            yield from below(path, way)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """As listing(), with what the system tells of each without being asked again."""
    try:
        with os.scandir(folder) as found:
            entries = [entry for entry in found if not is_clutter(entry.name)]
    except OSError as error:
        raise DataError(f"the folder {folder} cannot be read: {error.strerror or error}") from error
    return sorted(entries, key=lambda entry: entry.name)


def _leads_back(link: Path, way: tuple[Path, ...]) -> bool:
    target = os.path.realpath(link)
    return any(folder.is_relative_to(target) for folder in way)


def plain_name(name: str) -> str:
    """A name as it is compared: in small letters, and in one form of accents.

    macOS writes é as two characters, others write one.
    """
    return one_form(name).casefold()


def one_form(name: str) -> str:
    """A name with each accent in the composed form (Unicode's NFC)."""
    return unicodedata.normalize("NFC", name)


class Named:
    """The files of a folder by the names that a list has for them.

    A list from one system and pictures from another may write é in other ways; where a folder has
    both, each name is its own file.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._forms: dict[Path, dict[str, list[Path]]] = {}

    def __call__(self, name: str) -> Path:
        """The file of this name, whether it is there or not; DataError where two would do."""
        path = self.folder / name
        if name.isascii() or os.path.exists(path):  # False, too, for a name that is too long
            return path
        found = self._in(path.parent).get(one_form(path.name), [path])
        if len(found) > 1:
            raise DataError(
                f"{path.parent} has {len(found)} files that are {path.name} but for how their "
                "accents are written: give them different names"
            )
        return found[0]

    def _in(self, folder: Path) -> dict[str, list[Path]]:
        if folder not in self._forms:
            forms: dict[str, list[Path]] = {}
            for entry in listing(folder) if folder.is_dir() else []:
                forms.setdefault(one_form(entry.name), []).append(entry)
            self._forms[folder] = forms
        return self._forms[folder]


def subfolders(folder: Path) -> dict[str, Path]:
    """plain_name() -> folder; DataError names two that differ in case or form of accents only."""
    found: dict[str, Path] = {}
    for entry in listing(folder):
        if entry.is_dir():
            other = found.setdefault(plain_name(entry.name), entry)
            if other != entry:
                alike = one_form(other.name) == one_form(entry.name)
                forms = " (their accents are written in two forms, NFC and NFD)" if alike else ""
                raise DataError(
                    f"{folder} has both {other.name} and {entry.name}{forms}, which many systems "
                    "take for one: leave one of them"
                )
    return found
