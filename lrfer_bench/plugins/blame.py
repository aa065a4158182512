"""Whose line is it: file:line of the author's code, for messages of one sentence.

A mistake in a plugin often ends deep in torch. Its author wants the line that led there.
"""

from __future__ import annotations

import inspect
import os
import re
import traceback
from pathlib import Path
from typing import Any

from lrfer_bench.files import default_cache

_PLUGIN_PACKAGES: set[str] = set()
"""Top names of the modules that registered things are in; of what is installed, only these count
as an author's: all other packages are libraries, whichever there are.
"""

_PART = r"""[^\s/\\"'`:;,()\[\]{}<>|]+"""
_REST = rf"(?:(?:[ ](?![-~]){_PART}){{1,3}}(?:[/\\]{_PART})+)*[/\\]?"
"""One to three words that a slash follows are taken for more of the path before them."""
_PATHS = (
    re.compile(r"""(?<=')(?:/|~|\\\\|[A-Za-z]:[/\\])[^'\n]*(?=')"""),
    re.compile(r"""(?<=")(?:/|~|\\\\|[A-Za-z]:[/\\])[^"\n]*(?=")"""),
    re.compile(r"""\bfile:/+[^\s"'`,;()<>]+"""),
    re.compile(rf"(?<![\w/])[A-Za-z]:(?:[/\\]+{_PART})+{_REST}"),
    re.compile(rf"(?<![\w\\])\\\\{_PART}(?:\\+{_PART})+{_REST}"),
    re.compile(rf"(?<![\w./~])~[\w.-]+(?:/+{_PART})+{_REST}"),
    re.compile(rf"(?<![\w.:/~<-])/+{_PART}(?:/+{_PART})+{_REST}"),
    re.compile(rf"(?:(?<=:)|(?<=[\s]-\w)|(?<=^-\w)|(?<=\w>))/{_PART}(?:/+{_PART})+{_REST}"),
)
"""Absolute paths of two parts or more: in quotes, URLs of files, Windows' two kinds, those of
somebody's home, and those that follow a blank, a colon (in a list) or the letter of an option.
"""

_HARNESS = os.path.join(Path(__file__).parents[1], "")
"""The folder of lrfer_bench itself: this file is in a room of it."""

_PACKAGED = tuple(os.path.join(_HARNESS, room, "") for room in ("methods", "datasets"))
"""Folders of the package that hold authors' code."""


def last_place(error: BaseException) -> str:
    """file:line of an exception: the innermost frame in an author's code, else the innermost."""
    frames = traceback.extract_tb(error.__traceback__)
    innermost = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "no place known"
    return own_place(error) or innermost


def own_place(error: BaseException) -> str:
    """file:line of the innermost frame of an exception in an author's code; "" if there is none."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    return _innermost_own(traceback.extract_tb(error.__traceback__))


def said_where(error: Exception, otherwise: str) -> str:
    """What an author's code raised, on one line: "ValueError: text (file:line)".

    otherwise: the place that is named where the error has none in an author's code
    """
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text} ({own_place(error) or otherwise})"


def place_now() -> str:
    """file:line of the innermost frame that runs now in an author's code; "" if there is none."""
    return _innermost_own(traceback.extract_stack())


def place_of(cls: type, function: str) -> str:
    """file:line of a function of a class or of its bases; the class's module if there is none."""
    own = getattr(cls, "stands_for", cls)  # of a model that existed already: its author's class
    code = getattr(getattr(own, function, own), "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else cls.__module__


def line_of(thing: Any) -> str:
    """file:line where a class or function is written; its module if its source is not found."""
    try:
        return f"{inspect.getsourcefile(thing)}:{inspect.getsourcelines(thing)[1]}"
    except (OSError, TypeError):
        return str(getattr(thing, "__module__", "no place known"))


def without_paths(text: str) -> str:
    """Text that may leave this machine: of every absolute path only what does not name a user.

    Of a library's file its path in the library stays, of any other file its name.

    >>> without_paths("no (/home/me/work/mine.py:3), /usr/lib/python3/site-packages/torch/nn/a.py")
    'no (mine.py:3), torch/nn/a.py'
    """
    for folder in _own_folders():
        text = text.replace(os.path.join(folder, ""), "")
    for pattern in _PATHS:
        text = pattern.sub(lambda match: _name_in(match[0]), text)
    return text


def _own_folders() -> list[str]:
    """Folders whose names may hold anything, blanks too; the longest first."""
    found = {os.getcwd(), os.path.expanduser("~"), os.path.dirname(_HARNESS.rstrip(os.sep)),
             str(default_cache().absolute())}  # fmt: skip
    return sorted((folder for folder in found if len(folder) > 1), key=len, reverse=True)


def _name_in(path: str) -> str:
    path = path.replace("\\", "/")
    if path.rstrip("/").count("/") < 2 and path.startswith("/"):
        return path  # such as /tmp, which names nobody
    for part in ("/site-packages/", "/dist-packages/"):
        if part in path:
            return path.rpartition(part)[2]
    library = re.search(r"/(lrfer_bench/.+|lib/python[^/]*/.+)$", path)
    return library[1] if library else path.rstrip("/").rpartition("/")[2]


def _innermost_own(frames: traceback.StackSummary) -> str:
    own = [frame for frame in frames if not _foreign(frame.filename)]
    return f"{own[-1].filename}:{own[-1].lineno}" if own else ""


def is_installed(file: str) -> bool:
    """True for the standard library, every installed package, and code without a file."""
    path = file.replace(os.sep, "/")
    return _foreign(file) or "/site-packages/" in path or "/dist-packages/" in path


def note_author(module: str) -> None:
    """Note that what is installed as the package of this module holds an author's code."""
    _PLUGIN_PACKAGES.add(module.partition(".")[0])


def _foreign(file: str) -> bool:
    """True for the standard library, other libraries, lrfer-bench, and code without a file."""
    if file.startswith("<"):
        return True
    if file.startswith(_HARNESS):
        return not file.startswith(_PACKAGED)
    path = file.replace(os.sep, "/")
    installed = re.search(r".*/(?:site|dist)-packages/([^/]+)", path)
    if installed:
        return installed[1].removesuffix(".py") not in _PLUGIN_PACKAGES
    standard = os.path.dirname(os.__file__).replace(os.sep, "/")
    return path.startswith(f"{standard}/")
