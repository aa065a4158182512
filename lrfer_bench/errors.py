"""Errors that a user can cause, as sentences that say what is wrong, where, and what to do."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

_UNSHOWN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Controls of terminals, lines and the direction of writing, and halves of surrogate pairs."""
MOST_NAMES = 40
"""So many names are still read in one sentence."""
_FORMULA = {"=", "+", "-", "@", "\t", "\r", "\n"}


class UserError(Exception):
    """A mistake outside the program: one sentence, shown without a traceback, exit status 2."""

    exit_status = 2


class DataError(UserError):
    """A data set's files are missing, damaged or not what its card says."""


class MachineError(UserError):
    """The machine is in the way: a full disk, too many open files. No method's failure."""


class RecordError(UserError):
    """A record on disk cannot be trusted."""


class CellError(Exception):
    """A cell or a stage cannot be finished; the reason becomes its record.

    The other cells go on.
    """


def escaped(text: str) -> str:
    """Text for a terminal: control characters and what is not Unicode are shown, not obeyed.

    New lines and tabs stay.

    >>> escaped("a\x1b[2Jb\u202e")
    'a\\x1b[2Jb\\u202e'
    """
    return _UNSHOWN.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def is_plain(name: str) -> bool:
    """Whether a name is Unicode without control characters, on one line."""
    return escaped(name) == name and not set(name) & {"\n", "\t"}


def csv_cell(value: object) -> object:
    """A value for a CSV file; a text that a spreadsheet would run as a formula is quoted by '.

    >>> csv_cell("=cmd"), csv_cell("happy"), csv_cell(-1.5)
    ("'=cmd", 'happy', -1.5)
    """
    return f"'{value}" if isinstance(value, str) and value[:1] in _FORMULA else value


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The tail of a "not found" message: the nearest known name, or all of them, or a few of many.

    >>> did_you_mean("gmnet", ["gmenet", "direct"])
    'did you mean "gmenet"?'
    """
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return f'did you mean "{close[0]}"?'
    if len(names) > MOST_NAMES:
        return f"known: {', '.join(names[:6])} and {len(names) - 6:,} more"
    return "known: " + ", ".join(names) if names else "none is known"
