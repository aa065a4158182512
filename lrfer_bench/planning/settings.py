"""Settings: what a method's __init__ takes, and how words of a command line become values."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, get_type_hints

from lrfer_bench.contract.labels import held_at
from lrfer_bench.errors import UserError, did_you_mean
from lrfer_bench.planning.values import as_default, check_bounds, ordered, unquoted, value_of

if TYPE_CHECKING:
    from lrfer_bench.contract.method import Method
    from lrfer_bench.contract.search import Space


def settings_of(cls: type[Method]) -> dict[str, Any]:
    """The settings of a method and their defaults, read from its __init__."""
    return {p.name: None if p.default is p.empty else p.default for p in _named(cls)}


def search_of(cls: type[Method]) -> dict[str, Space]:
    """The settings of a method that may be tuned; of an inherited search, what fits its own."""
    settings = settings_of(cls)
    return {
        name: space
        for name, space in cls.search.items()
        if name in settings and not space.fault(settings[name])
    }


def required_of(cls: type[Method]) -> list[str]:
    """The settings that its __init__ gives no default."""
    return [p.name for p in _named(cls) if p.default is p.empty]


def _named(cls: type[Method]) -> list[inspect.Parameter]:
    parameters = list(inspect.signature(cls.__init__).parameters.values())[2:]
    return [p for p in parameters if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)]


def types_of(cls: type[Method]) -> dict[str, Any]:
    """The declared types of a method's settings, without those that only a type checker knows."""
    init = inspect.unwrap(cls.__init__)
    found: dict[str, Any] = {}
    for name, said in getattr(init, "__annotations__", {}).items():
        try:  # each alone: one that is imported for a type checker only must not hide the others
            one = SimpleNamespace(__annotations__={name: said})
            found |= get_type_hints(one, getattr(init, "__globals__", {}))
        except Exception:
            continue
    return found


def complete_settings(name: str, cls: type[Method], given: Mapping[str, Any]) -> dict[str, Any]:
    """Defaults overlaid with what the user gave, each value in its setting's type.

    Dicts are in the order of their names: those that differ in order alone have one key, so the
    method must not see which it was. UserError for an unknown name, a value of another type, and
    what no record could hold.
    """
    settings, types = settings_of(cls), types_of(cls) if given else {}
    for setting, value in given.items():
        if setting not in settings:
            raise UserError(
                f'method "{name}" has no setting "{setting}": {did_you_mean(setting, settings)}'
            )
        what, default = f"{name}.{setting}", settings[setting]
        settings[setting] = as_default(what, value, default, types.get(setting))
    return {setting: ordered(value) for setting, value in settings.items()}


def parse_settings(texts: Sequence[str]) -> dict[str, dict[str, str]]:
    """("gmenet.kd_weight=0", ...) -> {"gmenet": {"kd_weight": "0"}}.

    UserError for another form, and for a setting that is given twice.
    """
    settings: dict[str, dict[str, str]] = {}
    for text in texts:
        left, equals, value = text.partition("=")
        method, dot, setting = left.strip().rpartition(".")
        if not equals or not dot or not method or not setting:
            raise UserError(f'--set "{text}" is not understood: write --set METHOD.SETTING=VALUE')
        own = settings.setdefault(method, {})
        if setting in own:
            raise UserError(f"the setting {method}.{setting} is given twice: give it once")
        own[setting] = unquoted(value.strip())
    return settings


def parse_options(pairs: Iterable[str]) -> dict[str, Any]:
    """["size=112", "colour=grey"] -> {"size": 112, "colour": "grey"}; "007" in quotes is a text.

    Raises UserError for a pair without a name or "=".
    """
    options: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or not name:
            raise UserError(f'"{pair}" is not a data option: write name=value, such as size=112')
        if name in options:
            raise UserError(f'the data option "{name}" is given twice: give it once')
        word = text.strip()
        options[name] = value_of(word) if unquoted(word) == word else unquoted(word)
        check_bounds(name, options[name])
    return options


def names(what: str, text: str) -> list[str]:
    """ "a, b[c=1,d=2]" -> ["a", "b[c=1,d=2]"]; UserError where nothing is named."""
    parts = split_labels(text)
    if not parts:
        raise UserError(f"{what} names nothing: give one or more names with commas between")
    return parts


def integers(what: str, text: str) -> list[int]:
    """ "2,4,8" -> [2, 4, 8]; UserError for anything but integers."""
    try:
        return [int(part) for part in names(what, text)]
    except ValueError:
        parts = [re.fullmatch("[xX]?([0-9]+)[xX]?", part) for part in names(what, text)]
        near = ",".join(part[1] for part in parts if part)
        hint = f"; did you mean {near}?" if all(parts) else ""
        raise UserError(
            f'{what} is "{text}": give integers with commas between, such as 2,4,8{hint}'
        ) from None


def split_labels(text: str) -> list[str]:
    """Labels with commas between; a comma within brackets belongs to its label.

    >>> split_labels("direct, gmenet[attention=none,kd_weight=0]")
    ['direct', 'gmenet[attention=none,kd_weight=0]']
    """
    found, word, depth, place = [], "", 0, 0
    while place < len(text):
        # brackets and commas in the texts of a JSON value are its own
        value = held_at(text, place) if depth == 1 and word.rstrip().endswith("=") else ""
        letter = value or text[place]
        depth += (letter == "[") - (letter == "]")
        if letter == "," and depth <= 0:
            found.append(word)
            word = ""
        else:
            word += letter
        place += len(letter)
    return [label.strip() for label in (*found, word) if label.strip()]
