"""Errors that a user can cause, as sentences that say what is wrong, where, and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


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


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The tail of a "not found" message: the nearest known name, or all of them.

    >>> did_you_mean("gmnet", ["gmenet", "direct"])
    'did you mean "gmenet"?'
    """
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return f'did you mean "{close[0]}"?'
    return "known: " + ", ".join(names) if names else "none is known"
