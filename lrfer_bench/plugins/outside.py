"""What a program gets from outside of its text is taken away for the length of a block.

The arguments of the command line, environment variables, standard input and the user's files are in
no key: what two runs of one text read there may differ.
"""

from __future__ import annotations

import errno
import io
import os
import sys
import threading
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from lrfer_bench.plugins.blame import is_installed

READERS = (os.getenv.__code__.co_filename, Mapping.get.__code__.co_filename)
"""What asks for a variable in another's place: os.getenv() and Mapping.get()."""
CODE = frozenset({".py", ".pyc", ".pyd", ".pyi", ".so"})
SYSTEM = ("/dev", "/etc", "/proc", "/sys", sys.prefix, sys.base_prefix)
_shut: set[int] = set()
"""The threads that open no file of the user's now."""
_hooked: list[bool] = []


@contextmanager
def nothing_outside() -> Iterator[None]:
    """Inside, this thread's own code finds no argument, variable, input and file of the user's.

    Libraries see the environment as it is, and files of theirs; files of code are read as ever.
    """
    argv, environ, stdin = sys.argv, os.environ, sys.stdin
    thread = threading.get_ident()
    if not _hooked:  # once: a hook cannot be taken away
        _hooked.append(True)
        sys.addaudithook(_hook)
    sys.argv, sys.stdin = argv[:1], io.StringIO()
    os.environ = cast("os._Environ[str]", _Hidden(environ, thread))  # noqa: B003 - C keeps it
    _shut.add(thread)
    try:
        yield
    finally:
        _shut.discard(thread)
        sys.argv, os.environ, sys.stdin = argv, environ, stdin


def _hook(event: str, args: tuple[Any, ...]) -> None:
    """Every way of opening a file ends here, that of any library too."""
    if event == "open" and _shut and threading.get_ident() in _shut:
        file, flags = args[0], args[2]
        if not flags & (os.O_WRONLY | os.O_CREAT) and _is_users(file):
            raise FileNotFoundError(errno.ENOENT, "what it holds is not in the key", str(file))


class _Hidden(MutableMapping[str, str]):
    """The environment; code of the user's sees only the variables that it sets from now on."""

    def __init__(self, real: MutableMapping[str, str], thread: int) -> None:
        self._real = real
        self._thread = thread
        self._set: set[str] = set()

    def _seen(self) -> Mapping[str, str]:
        frame = sys._getframe(1)
        between = (*READERS, frame.f_code.co_filename)
        while frame.f_code.co_filename in between and frame.f_back:
            frame = frame.f_back
        if threading.get_ident() != self._thread or is_installed(frame.f_code.co_filename):
            return self._real
        return {name: self._real[name] for name in self._set & self._real.keys()}

    def __getitem__(self, name: str) -> str:
        return self._seen()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._seen()))

    def __len__(self) -> int:
        return len(self._seen())

    def __setitem__(self, name: str, value: str) -> None:
        self._set.add(name)
        self._real[name] = value

    def __delitem__(self, name: str) -> None:
        del self._real[name]

    def copy(self) -> dict[str, str]:
        return dict(self)


def _is_users(file: Any) -> bool:
    if not isinstance(file, (str, bytes, os.PathLike)):
        return False
    path = Path(os.path.abspath(os.fsdecode(file)))
    if path.suffix in CODE or is_installed(str(path)):
        return False
    return not any(path.is_relative_to(folder) for folder in SYSTEM)
