"""What a method's class says of itself, checked before anything is trained.

Found later, a slip there would cost the other cells too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from lrfer_bench.contract import budget
from lrfer_bench.contract.cards import MethodCard
from lrfer_bench.contract.method import Method
from lrfer_bench.contract.search import Choice, LogUniform
from lrfer_bench.errors import UserError, did_you_mean
from lrfer_bench.planning.settings import required_of, settings_of
from lrfer_bench.planning.values import check_bounds
from lrfer_bench.plugins.blame import line_of, said_where

WORDS = {
    "trains": ("each scale", "all scales", "nothing"),
    "tests": ("lr", "hr"),
    "answers": ("logits", "images"),
}


def checked(name: str, cls: Any) -> type[Method]:
    """The class, or a UserError with the rule it breaks and the line of its file."""
    fault = _no_method(cls) or _wrong_word(cls) or _wrong_kind(cls)
    fault = fault or _wrong_setting(cls) or _wrong_search(cls)
    if fault:
        raise UserError(f'the method "{name}" cannot be used: {fault} ({line_of(cls)})')
    method: type[Method] = cls
    return method


@contextmanager
def asking(name: str, cls: type[Method], function: str) -> Iterator[None]:
    """Around a call of an author's function while a plan is made.

    What the function raises becomes a UserError that names its line.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        raise UserError(
            f'{function}() of the method "{name}" failed: {said_where(error, line_of(cls))}'
        ) from error


def _no_method(cls: Any) -> str:
    if isinstance(cls, type) and issubclass(cls, Method):
        return ""
    return (
        f"{getattr(cls, '__qualname__', repr(cls))} is not a class that derives from "
        "lrfer_bench.api.Method"
    )


def _wrong_word(cls: type[Method]) -> str:
    for attribute, words in WORDS.items():
        value = getattr(cls, attribute)
        if value not in words:
            return f"its {attribute} is {value!r}: write one of {', '.join(map(repr, words))}"
    return ""


def _wrong_kind(cls: type[Method]) -> str:
    needs, augmentation = cls.needs, cls.test_time_augmentation
    if not isinstance(cls.version, str) or not cls.version:
        return f'its version is {cls.version!r}: write a string, such as "2"'
    for switch in ("with_hr", "channels_last"):
        if not isinstance(value := getattr(cls, switch), bool):
            return f"its {switch} is {value!r}: write True or False"
    if not isinstance(needs, Mapping) or not all(
        isinstance(text, str) for pair in needs.items() for text in pair
    ):
        return f'its needs is {needs!r}: write {{"name of the stage": "method@hr"}}, or @lr'
    if augmentation is not None and not isinstance(augmentation, str):
        return (
            f"its test_time_augmentation is {augmentation!r}: write a sentence that says what is "
            "done, or None"
        )
    if not isinstance(getattr(cls, "card", None), MethodCard | None):
        return f"its card is a {type(cls.card).__name__}: write a MethodCard"
    return ""


def _wrong_setting(cls: type[Method]) -> str:
    settings = settings_of(cls)
    if required := required_of(cls):
        return f'its setting "{required[0]}" has no default: give it one'
    # A class that inherits `added` may have other settings than its base.
    own = cls.__dict__.get("added", ())
    if not isinstance(own, tuple) or not set(own) <= set(settings):
        known = ", ".join(settings) or "none"
        return f"its added is {cls.added!r}: write a tuple with names of its settings ({known})"
    if budget.SETTING in settings and (fault := budget.fault(settings[budget.SETTING])):
        return fault
    for setting, default in settings.items():
        try:
            json.dumps(default, allow_nan=False)
        except (TypeError, ValueError):
            return (
                f'the default of its setting "{setting}" is {default!r}: write a number, a word, '
                "true, false, none or a list"
            )
        try:
            check_bounds(f'the default of its setting "{setting}"', default)
        except UserError as error:
            return str(error)
    return ""


def _wrong_search(cls: type[Method]) -> str:
    """A search space for a setting that does not exist, or that cannot hold what would be drawn.

    One that is inherited may name settings of the base alone: search_of() takes what fits.
    """
    for base in cls.__mro__:
        search, known = vars(base).get("search", {}), settings_of(cls)
        if not isinstance(search, Mapping):
            wanted = '{"setting": LogUniform(0.1, 10.0)}, or {}'
            return f"its search is {search!r}: write {wanted}"
        if base is not cls and issubclass(base, Method):
            known = settings_of(base) | known
        for setting, space in search.items():
            if fault := _wrong_space(setting, space, known):
                return fault
            if base is not cls:
                continue
            if fault := space.fault(known[setting]) or _wrong_option(space):
                return f'its search space for "{setting}" {fault}'
    return ""


def _wrong_option(space: LogUniform | Choice) -> str:
    """An option that no setting can take: each trial that draws it would fail."""
    try:
        for option in space.options if isinstance(space, Choice) else ():
            check_bounds(f"cannot be drawn from: its option {option!r:.60}", option)
    except UserError as error:
        return str(error)
    return ""


def _wrong_space(setting: object, space: object, settings: Mapping[str, Any]) -> str:
    if setting not in settings:
        near = did_you_mean(str(setting), settings)
        return f'its search names the setting "{setting}", which it does not have: {near}'
    if not isinstance(space, LogUniform | Choice):
        wanted = "write LogUniform(low, high) or Choice(...)"
        return f'its search space for "{setting}" is {space!r}: {wanted}'
    if setting == budget.SETTING:
        return f'its search names "{setting}", but every trial of a tuning has the same budget'
    return ""
