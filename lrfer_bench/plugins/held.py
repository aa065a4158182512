"""What functions, objects and classes hold, as far as it can be looked at."""

from __future__ import annotations

import dis
import functools
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from functools import partial, partialmethod
from types import FunctionType, MemberDescriptorType, MethodType
from typing import Any

MADE = (property, MethodType, partial, partialmethod, deque)
"""What is made of parts without names: see made_of()."""


def bare(value: Any) -> Any:
    """The function of a classmethod, a staticmethod or a cache; else the value itself."""
    while isinstance(value, (classmethod, staticmethod, functools._lru_cache_wrapper)):
        value = value.__wrapped__
    return value


def made_of(value: Any) -> list[Any] | None:
    """The parts of one of MADE, in order; None for anything else."""
    if isinstance(value, property):
        return [value.fget, value.fset, value.fdel]
    if isinstance(value, MethodType):
        return [value.__func__, value.__self__]
    if isinstance(value, (partial, partialmethod)):
        return [value.func, value.args, value.keywords]
    return list(value) if isinstance(value, deque) else None


def has_parts(value: Any) -> bool:
    """Whether parts() sees all that an object holds by name."""
    return hasattr(value, "__dict__") or hasattr(value, "__slots__")


def parts(value: Any) -> dict[str, Any]:
    """What an object or a class holds by name, in a dict or in slots."""
    found = dict(getattr(value, "__dict__", {}))
    if isinstance(value, type):
        return {name: part for name, part in found.items() if not _is_slot(part)}
    slots = [n for kind in type(value).__mro__ for n, s in vars(kind).items() if _is_slot(s)]
    return found | {name: getattr(value, name) for name in slots if hasattr(value, name)}


def _is_slot(part: Any) -> bool:
    return isinstance(part, MemberDescriptorType)


def bases(value: Any) -> tuple[type, ...]:
    """Of a class."""
    return value.__bases__ if isinstance(value, type) else ()


def layers(function: Any) -> Iterator[FunctionType]:
    """A function and those that it wraps."""
    seen = set()
    while isinstance(function, FunctionType) and id(function) not in seen:
        seen.add(id(function))
        yield function
        function = getattr(function, "__wrapped__", None)


def home(function: FunctionType) -> str:
    """The module that a function was written in; a wrapper says that of what it wraps."""
    return str(function.__globals__.get("__name__", ""))


def closed(function: FunctionType) -> dict[str, Any]:
    """The values that a function was made with, by name; not those that it changes itself."""
    changed = {
        step.argval
        for step in dis.get_instructions(function.__code__)
        if step.opname in ("STORE_DEREF", "DELETE_DEREF")
    }
    found = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        with suppress(ValueError):  # it has no value yet
            if name not in changed:
                found[name] = cell.cell_contents
    return found
