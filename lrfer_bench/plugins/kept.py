"""Plugin files that run() keeps in a results folder, and when they may run again.

A results folder is data. A Python file in it is imported only if its content is what the record
names, and only if the same content was handed to run() on this machine, or the user says so.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from pathlib import Path

from lrfer_bench.errors import RecordError, UserError
from lrfer_bench.files import default_cache, read_limited, set_aside, write_atomically

FOLDER = "plugins"
MOST_BYTES = 16 << 20
_SOURCE = re.compile(r"(?P<name>[^/\\:\x00-\x1f\x7f]+\.py) sha256:(?P<digest>[0-9a-f]{12})")


def keep(content: bytes, stem: str, results: Path) -> Path:
    """Write a plugin file into a results folder, under its content's hash; its place there.

    The content counts as one of this machine's own from now on. Another content in its place is
    set aside.
    """
    digest = hashlib.sha256(content).hexdigest()[:12]
    file = (Path(results) / FOLDER).resolve() / digest / f"{stem}.py"
    if _content(file) != content:
        if os.path.lexists(file):
            set_aside(file, "changed")
        write_atomically(file, content)
    _remember(content)
    return file


def kept_plugin(results: Path, source: str, trust: bool = False) -> tuple[Path, bytes] | None:
    """The plugin file that a record's source ("mine.py sha256:0a1b2c3d4e5f") names, and its bytes.

    None if the folder does not hold it. RecordError if its content is not the one that was named;
    UserError if it is not this machine's own and trust is not given. Nothing is imported here.
    """
    named = _SOURCE.fullmatch(source)
    if named is None or named["name"].startswith("."):
        return None
    file = (Path(results) / FOLDER).resolve() / named["digest"] / named["name"]
    if not os.path.lexists(file):
        return None
    content = _content(file)
    if content is None or not hashlib.sha256(content).hexdigest().startswith(named["digest"]):
        raise RecordError(
            f"{file} is not the file that the record names ({source}): it is not run; give the "
            "right one with --plugin (plugins=[...] in Python)"
        )
    if not trust and not _is_own(content):
        raise UserError(
            f"{file} is a program of which this machine's cache does not know that it was run here "
            "(it came with the results folder, or the cache was emptied): read it, then allow it "
            "with --trust-plugins (trust_plugins=True in Python), or give the file with --plugin"
        )
    return file, content


def _content(file: Path) -> bytes | None:
    """The bytes of a regular file that lies just there, behind no link; else None."""
    try:
        return read_limited(file, MOST_BYTES) if file.resolve() == file else None
    except (OSError, ValueError, RuntimeError):  # RuntimeError: links in a circle
        return None


def _mark(content: bytes) -> tuple[Path, bytes]:
    digest = hashlib.sha256(content).hexdigest()
    return default_cache() / "trusted" / digest, f"{digest}\n".encode()


def _remember(content: bytes) -> None:
    """Note that this content is the user's own. Without the note, predict asks for their word."""
    path, text = _mark(content)
    with contextlib.suppress(UserError):
        write_atomically(path, text)


def _is_own(content: bytes) -> bool:
    """Whether this user noted the content; a cache may be shared, so others' notes do not count."""
    path, text = _mark(content)
    try:
        mine = not hasattr(os, "getuid") or path.lstat().st_uid == os.getuid()
        return mine and read_limited(path, len(text)) == text
    except (OSError, ValueError):
        return False
