"""Files that settings name, such as weights: known by their content, never by their path.

A setting says a path or "sha256:...", a key and a record always say "sha256:...". What a run needs
is copied into the cache under that hash, where its workers find it; it travels to other machines as
plugin files do.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lrfer_bench.contract.labels import CONTENT
from lrfer_bench.errors import UserError, escaped
from lrfer_bench.files import at_home, check_regular, default_cache, write_atomically

FOLDER = "contents"
ADVICE = "set LRFER_CACHE to a folder with room"
MOST_NAME = 200
SHOWN = 19
"""Letters of a content that messages show: "sha256:" and twelve digits."""

_SEEN: dict[str, Path] = {}
"""Contents that this process met -> a file that had it."""
_HASHED: dict[tuple[object, ...], str] = {}
"""Files as they stood when they were hashed -> what their content was."""
_READ_AS: dict[str, str] = {}
"""Contents -> the path that each was read from, here or by a run whose run file was read."""
_TOLD: dict[str, str] = {}
"""Paths -> the content that a run file says they had."""


def is_content(value: Any) -> bool:
    """Whether a setting's value is a content and not a path."""
    return isinstance(value, str) and CONTENT.fullmatch(value) is not None


def contents_of(settings: Mapping[str, Any]) -> dict[str, str]:
    """Setting -> content, of those settings that name one."""
    return {name: value for name, value in settings.items() if is_content(value)}


def content_of(
    setting: str, value: str, imported: Callable[[Path], tuple[bytes, str]] | None = None
) -> str:
    """What a setting's file holds: "sha256:" and 64 hexadecimal digits; a content stays as it is.

    setting: how messages call it, such as "cascade.sr_checkpoint"
    imported: reads a file of any of several forms into (bytes of one form, file name): these bytes
              are then the content, so that two files which say the same are one

    A file that is gone is taken from the cache where a run file tells its content (see expect()).
    UserError for a file that cannot be read, and for one that holds something else by now.
    """
    if is_content(value):
        return value
    file = at_home(value).absolute()
    try:
        _check(file, f"{setting}={value}")
        mark = (imported, *_signature(file))
        if mark not in _HASHED:
            if imported:
                _HASHED[mark] = add_content(*imported(file))
            else:
                _HASHED[mark] = _sha256(file)
    except OSError as error:
        return _as_told(setting, value, error)
    content = _HASHED[mark]
    told = _told(value)
    if told and content not in told:
        raise UserError(
            f"{setting}={value} ({file}) holds {content[:SHOWN]} now, and {min(told)[:SHOWN]} when "
            "the run was made: give the one that is meant by its whole path, or remove its line "
            "from contents in the run file"
        )
    _READ_AS[content] = str(file)
    if not imported:
        _SEEN.setdefault(content, file)
    return content


def _as_told(setting: str, value: str, error: OSError) -> str:
    """What a file held that cannot be read, by a run file; UserError where that is nowhere, too."""
    told = _told(value)
    content = told.pop() if len(told) == 1 else ""
    if content and place_of(content) is not None:
        return content
    read = _last_read(content)
    then = f"; it was {content}{read}{',' * bool(read)} when the run was made" if content else ""
    raise UserError(
        f"{setting}={value} cannot be read ({error.strerror or error}{then}): check the path"
    ) from error


def _told(value: str) -> set[str]:
    """What a file held by a run file, the one of this path or else those that end like it.

    An absolute path means that very file; a relative one may be looked for from another folder now
    than when the run was made.
    """
    file = at_home(value)
    if (told := _TOLD.get(str(file.absolute()))) or file.is_absolute():
        return {told} if told else set()
    end = file.parts
    return {content for path, content in _TOLD.items() if Path(path).parts[-len(end) :] == end}


def remember(content: str, path: str) -> None:
    """Take from a run file that this content was read from this path, for messages."""
    _READ_AS.setdefault(content, path)


def expect(content: str, path: str) -> None:
    """Take from a run file that is run again that this path has to have this content."""
    _TOLD[path] = content
    remember(content, path)


def expect_nothing() -> None:
    """Forget what a run file said."""
    _TOLD.clear()


def read_as(content: str) -> str:
    """The path that a content was last read from, "" where nobody knows."""
    return _READ_AS.get(content, "")


def _last_read(content: str) -> str:
    return f", last read as {escaped(read_as(content))}" if read_as(content) else ""


def _check(file: Path, said: str) -> None:
    try:
        check_regular(file)
    except ValueError as error:
        raise UserError(f"{said} cannot be read ({error}): check the path") from error


def add_content(data: bytes, name: str) -> str:
    """Keep bytes in the cache under their hash, as a file of this name; returns the content."""
    content = f"sha256:{hashlib.sha256(data).hexdigest()}"
    place = place_of(content)
    if place is None:
        place = _folder(content) / name
        write_atomically(place, data, ADVICE)
    _SEEN[content] = place
    return content


def keep_content(content: str) -> None:
    """Copy a file that this process met into the cache, so that workers and later commands find it.

    MachineError where the cache is full.
    """
    place = place_of(content)
    if place is not None and place.parent != _folder(content):
        write_atomically(_folder(content) / place.name, place.read_bytes(), ADVICE)
        _SEEN[content] = _folder(content) / place.name


def place_of(content: str) -> Path | None:
    """A file that has this content now: one that this process met, or that of the cache."""
    kept = _folder(content)
    inside = sorted(kept.iterdir()) if kept.is_dir() else []
    candidates = [file for file in inside if not file.name.startswith(".")]
    candidates += [_SEEN[content]] if content in _SEEN else []
    for file in candidates:
        try:
            check_regular(file)
            if _hash_once(file) == content:
                return file
        except (OSError, ValueError):
            continue
    return None


def found(setting: str, value: str, advice: str = "") -> Path:
    """The file of a setting, said as a path or a content; UserError where no file has it.

    advice: what to do then; "" is to give it as the setting of a method
    """
    place = place_of(value) if is_content(value) else at_home(value)
    if place is None:
        raise UserError(
            f"{setting}: no file here has the content {value}{_last_read(value)}: "
            + (advice or f"give the file itself once with --set METHOD.{setting}=FILE")
        )
    return place


def name_of(content: str) -> str:
    """What a content is called here: the name of its file, without .safetensors."""
    place = place_of(content)
    name = escaped(place.name).removesuffix(".safetensors").strip() if place else ""
    return " ".join(name.split())[:MOST_NAME] or "weights"


def met() -> dict[str, Path]:
    """All contents that this process met and has still, each with its file."""
    places = {content: place_of(content) for content in list(_SEEN)}
    return {content: place for content, place in places.items() if place is not None}


def _folder(content: str) -> Path:
    return default_cache().absolute() / FOLDER / content.partition(":")[2]


def _signature(file: Path) -> tuple[object, ...]:
    now = os.stat(file)
    return str(file), now.st_size, now.st_mtime_ns, now.st_ctime_ns, now.st_ino


def _hash_once(file: Path) -> str:
    mark = (None, *_signature(file))
    if mark not in _HASHED:
        _HASHED[mark] = _sha256(file)
    return _HASHED[mark]


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    with open(file, "rb") as opened:
        while block := opened.read(1 << 20):
            digest.update(block)
    return f"sha256:{digest.hexdigest()}"
