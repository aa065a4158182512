"""Errors that a user can cause, as sentences that say what is wrong, where, and what to do."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence

_UNSHOWN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Controls of terminals, lines and the direction of writing, and halves of surrogate pairs."""
MOST_NAMES = 40
"""So many names are still read in one sentence."""
MOST_NEAR = 3
_FORMULA = {"=", "+", "-", "@", "\t", "\r", "\n"}
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")


class _OneSentence(Exception):
    """An error whose message says all: a notebook shows it without a traceback, too."""

    exit_status = 2

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback."""
        return [escaped(f"{type(self).__name__}: {self}")]


class UserError(_OneSentence):
    """A mistake outside the program: one sentence, shown without a traceback, exit status 2."""


class DataError(UserError):
    """A data set's files are missing, damaged or not what its card says."""


class MachineError(UserError):
    """The machine is in the way: a full disk, too many open files. No method's failure."""


class RecordError(UserError):
    """A record on disk cannot be trusted."""


class CellError(_OneSentence):
    """A cell or a stage cannot be finished; the reason becomes its record.

    The other cells go on.
    function: the author's function that is to blame, where it is not the one that was called
    """

    def __init__(self, sentence: str = "", function: str = "") -> None:
        super().__init__(sentence)
        self.function = function


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


def is_unicode(text: str) -> bool:
    r"""Whether a record or a TOML file can hold a text.

    The name of a file, and so a word of a command line, may have bytes that are no UTF-8: Python
    keeps them as halves of surrogate pairs.

    >>> is_unicode("größer"), is_unicode("gr\udcf6ßer")
    (True, False)
    """
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def check_unicode(what: str, text: str) -> None:
    """UserError for a text that no record could hold. what: how the message calls it"""
    if not is_unicode(text):
        raise UserError(
            f"{what} is {escaped(text)}, which is not Unicode (UTF-8), so that no record could "
            "hold it: write it otherwise, or rename the file that it names"
        )


def csv_cell(value: object) -> object:
    """A value for a CSV file; a text that a spreadsheet would run as a formula is quoted by '.

    >>> csv_cell("=cmd"), csv_cell("happy"), csv_cell("-1"), csv_cell(-1.5)
    ("'=cmd", 'happy', '-1', -1.5)
    """
    runs = isinstance(value, str) and value[:1] in _FORMULA and not _NUMBER.fullmatch(value)
    return f"'{value}" if runs else value


def joined(names: Sequence[str]) -> str:
    """
    >>> joined(["a", "b", "c"]), joined(["a"])
    ('a, b and c', 'a')
    """
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def did_you_mean(name: str, known: Iterable[str], meant: Mapping[str, str] | None = None) -> str:
    """The tail of a "not found" message: the nearest known names, or all, or a few of many.

    meant: what newcomers call a thing, in small letters and digits -> its known name

    >>> did_you_mean("gmnet", ["gmenet", "direct"])
    'did you mean "gmenet"?'
    >>> did_you_mean("fer", ["fer2013", "ferplus", "rafdb"])
    'did you mean "fer2013" or "ferplus"?'
    """
    names = sorted(known)
    close = nearest(name, names, meant)
    if close:
        quoted = [f'"{each}"' for each in close]
        return f"did you mean {' or '.join(quoted)}?"
    if len(names) > MOST_NAMES:
        return f"known: {', '.join(names[:6])} and {len(names) - 6:,} more"
    return "known: " + ", ".join(names) if names else "none is known"


def nearest(name: str, known: Iterable[str], meant: Mapping[str, str] | None = None) -> list[str]:
    """The known names that may be meant, three at most: case and punctuation do not count.

    First what means the same, then names that begin so, then names spelled alike, then names that
    contain it.

    >>> nearest("GME-Net", ["gmenet", "direct"]), nearest("noaa", ["bicubic", "bicubic-noaa"])
    (['gmenet'], ['bicubic-noaa'])
    """
    plain = {each: _letters(each) for each in sorted(known)}
    word = _letters(name)
    same = [each for each in plain if plain[each] == word or each == (meant or {}).get(word)]
    begin = [each for each in plain if len(word) > 1 and plain[each].startswith(word)]
    for found in (same, begin):
        if 1 <= len(found) <= MOST_NEAR:
            return found
    alike = difflib.get_close_matches(word, plain.values(), n=1)
    if alike:
        return [next(each for each in plain if plain[each] == alike[0])]
    return [each for each in plain if len(word) > 2 and word in plain[each]][:MOST_NEAR]


def _letters(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())
