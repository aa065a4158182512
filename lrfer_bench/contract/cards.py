"""Cards: what a method or a data set says about itself.

A card is a TOML file beside the code, so that listing imports no code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol, TypeVar

from lrfer_bench.contract.toml import parse_toml
from lrfer_bench.errors import UserError

Card = TypeVar("Card", bound="MethodCard | DatasetCard")
BETWEEN = {"bibtex": "\n\n", "layout": "\n"}
"""What stands between the texts of a list that was written for one text; else a comma."""


class Registered(Protocol):
    """What card_of() needs of a registered thing: its name, its module, and how to import it."""

    @property
    def name(self) -> str: ...

    @property
    def module(self) -> str: ...

    def load(self) -> Any: ...


@dataclass(frozen=True)
class MethodCard:
    """What a method says about itself.

    summary: one line for the list
    stated: what the paper or its official code says
    ours: what we decided, because no source at hand says it
    settings: name -> what it does (defaults are in the code)
    listed: false for a stage
    look: its place in the palette of pictures and pages (reporting/palette.py), fixed for ever
    """

    summary: str
    title: str = ""
    authors: str = ""
    year: int | None = None
    url: str = ""
    bibtex: str = ""
    stated: tuple[str, ...] = ()
    ours: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    listed: bool = True
    look: int | None = None

    def __post_init__(self) -> None:
        _mend_texts(self)


@dataclass(frozen=True)
class DatasetCard:
    """What a data set says about itself.

    layout: which files the user has to have, and where under --data-root
    fingerprint, counts, class_counts: what a right copy has ("" and {} where copies differ by
        nature); class_counts: split -> faces of each class, in the order of the classes
    other_counts: another official form -> its counts of train, val and test
    leaked: split -> rows that also stand in train
    showable: its faces may stand in pictures and pages
    learned_from: what a model that learned here has seen, as `predict` says it: "grey faces from
        the web"
    options: name -> what it does
    """

    summary: str
    title: str = ""
    url: str = ""
    licence: str = ""
    bibtex: str = ""
    classes: tuple[str, ...] = ()
    size: str = ""
    layout: str = ""
    splits: str = ""
    fingerprint: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    class_counts: Mapping[str, Any] = field(default_factory=dict)
    other_counts: Mapping[str, Any] = field(default_factory=dict)
    leaked: Mapping[str, int] = field(default_factory=dict)
    synthetic: bool = False
    showable: bool = False
    learned_from: str = ""
    notes: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _mend_texts(self)


def _mend_texts(card: MethodCard | DatasetCard) -> None:
    """Make every text one text and every list a tuple of texts, whatever its author wrote.

    ("one note") is a text, for the comma is missing: it would be read letter by letter.
    """
    for each in fields(card):
        value = getattr(card, each.name)
        if isinstance(each.default, tuple):
            object.__setattr__(card, each.name, _texts(value))
        elif each.default == "" or each.name == "summary":
            text = BETWEEN.get(each.name, ", ").join(_texts(value))
            object.__setattr__(card, each.name, text)


def _texts(value: object) -> tuple[str, ...]:
    """A text is one, a list or tuple is its parts, anything else none."""
    if isinstance(value, str):
        return (value,)
    return tuple(map(str, value)) if isinstance(value, list | tuple) else ()


def read_card(path: Path, kind: type[Card]) -> Card:
    """Parse a card file; an unknown or missing field is a UserError that names file and field."""
    try:
        raw = parse_toml(path)
    except (OSError, ValueError) as error:
        raise UserError(f"the card {path} cannot be read: {error}") from error
    known = {entry.name for entry in fields(kind)}
    unknown = sorted(set(raw) - known)
    if unknown:
        raise UserError(
            f'the card {path} has an unknown field "{unknown[0]}": known are '
            f"{', '.join(sorted(known))}"
        )
    if "summary" not in raw:
        raise UserError(f'the card {path} has no "summary": add one line that says what it is')
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in raw.items()
    }
    kinds = {"summary": "", "year": 0, "look": 0}  # of fields without a default that tells
    for name, value in values.items():
        if not _like(value, kinds.get(name, getattr(kind, name, {}))):
            raise UserError(
                f'the card {path} has a "{name}" of another kind than cards have: write it as the '
                "cards of built-in methods and data sets do"
            )
    return kind(**values)


def _like(value: Any, default: Any) -> bool:
    """Whether a field's value is of the kind of its default; lists hold texts."""
    if isinstance(default, tuple):
        return isinstance(value, tuple) and all(isinstance(part, str) for part in value)
    if isinstance(default, dict):  # texts, or counts of faces
        parts = value.values() if isinstance(value, dict) else [None]
        return all(isinstance(part, (str, int, list)) for part in parts)
    return type(value) is type(default)


def card_path(module: str, name: str) -> Path | None:
    """Where the card of `name` would stand: <name>.card.toml beside the file of `module`."""
    try:
        spec = find_spec(module)
    except (ImportError, ValueError):
        return None
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).with_name(f"{name}.card.toml")
    return path if path.is_file() else None


def card_of(entry: Registered, kind: type[Card]) -> Card:
    """The card of a registered thing, from its card file if there is one.

    Without a card file the thing is imported: the card is its `card` attribute or, without one, the
    first line of its docstring.
    """
    path = card_path(entry.module, entry.name)
    if path is not None:
        return read_card(path, kind)
    thing = entry.load()
    card = getattr(thing, "card", None)
    if isinstance(card, kind):
        return card
    lines = (thing.__doc__ or "").strip().splitlines()
    return kind(summary=lines[0] if lines else "(no card and no docstring)")
