"""Names of expressions: which words mean the same, and which class a folder's name means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from lrfer_bench.data.listing import plain_name
from lrfer_bench.errors import DataError, escaped

SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "angry": ("anger", "an"),
    "contempt": ("contemptuous", "scorn", "co"),
    "disgust": ("disgusted", "disgusting", "di"),
    "fear": ("fearful", "afraid", "scared", "fe", "af"),
    "happy": ("happiness", "joy", "joyful", "ha"),
    "neutral": ("neutrality", "normal", "ne"),
    "sad": ("sadness", "sa"),
    "surprise": ("surprised", "su"),
}
"""A class -> other words for it; the two letters are those of JAFFE's and KDEF's file names."""

_MEANING = {word: meaning for meaning, words in SYNONYMS.items() for word in (meaning, *words)}


def meaning_of(name: str) -> str:
    """What a class name means: angry for Anger, itself in small letters for an unknown one.

    >>> meaning_of("Anger"), meaning_of("HA"), meaning_of("Tired")
    ('angry', 'happy', 'tired')
    """
    plain = plain_name(name.strip())
    return _MEANING.get(plain, plain)


def class_indices(
    names: Sequence[str], classes: Sequence[str], where: Path, first_digit: int | None = None
) -> dict[str, int]:
    """Name of a folder -> index into classes, by the name itself, else by what it means.

    first_digit: the number of the first class, where numbers in the order of classes are names,
    too. DataError for a name that means none of the classes, and for two that mean one.
    """
    found = {name: _index(name, classes, first_digit) for name in names}
    taken: dict[int, str] = {}
    for name, index in found.items():
        if index is None:
            digits = ""
            if first_digit is not None:
                digits = f", or the numbers {first_digit} to {first_digit + len(classes) - 1}"
            raise DataError(
                f'{where} has a folder "{escaped(name)}": its classes must be '
                f"{', '.join(classes)}{digits}"
            )
        if index in taken:
            raise DataError(
                f"{where} has both {taken[index]} and {name}, which mean one class: put their "
                "pictures into one folder"
            )
        taken[index] = name
    return {name: index for name, index in found.items() if index is not None}


def _index(name: str, classes: Sequence[str], first_digit: int | None) -> int | None:
    if name in classes:
        return classes.index(name)
    if first_digit is not None and name.isascii() and name.isdigit():
        index = int(name) - first_digit
        return index if 0 <= index < len(classes) else None
    meanings = [meaning_of(one) for one in classes]
    meaning = meaning_of(name)
    # Where two of the classes mean the same, only their own names tell them apart.
    return meanings.index(meaning) if meanings.count(meaning) == 1 else None
