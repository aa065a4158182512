"""Whether the names of a program have the values that its text alone gives them.

Compared is what can be: numbers, texts, paths, lists and dicts of such, what stands in the script's
own classes and objects, defaults and code of its functions. A tensor, a network or another object
of a library is taken for equal, and so is what one side has not made yet.
"""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Number
from pathlib import PurePath
from types import CodeType, FunctionType, ModuleType, SimpleNamespace
from typing import Any, NamedTuple

from lrfer_bench.plugins import held

LEAVES = (bool, int, float, complex, str, bytes, PurePath, range, slice, Number, type(None))
NAMED = (type, FunctionType, type(len), ModuleType)
SPACES = (argparse.Namespace, SimpleNamespace)


class Missing:
    """Stands for a value that is not there."""

    def __repr__(self) -> str:
        return "missing"


MISSING = Missing()


class Difference(NamedTuple):
    """where: such as `Mine.width`; values: in the program, and of the text alone.

    values are None for a function whose code is another.
    """

    where: str
    values: tuple[Any, Any] | None


@dataclass
class Comparison:
    """Of a program with its text run alone. modules: the names of their two modules.

    code: whether the code of functions is compared
    """

    modules: tuple[str, str]
    code: bool
    _seen: set[tuple[int, int]] = field(default_factory=set)

    def of_names(self, program: Mapping[str, Any], alone: Mapping[str, Any]) -> list[Difference]:
        """What differs among the names of the text that the program has, too."""
        names = [name for name in alone if name in program and not _is_dunder(name)]
        return [found for n in names for found in self._of(n, program[n], alone[n])]

    def _of(self, where: str, ours: Any, alone: Any) -> Iterator[Difference]:
        ours, alone = held.bare(ours), held.bare(alone)
        pair = id(ours), id(alone)
        if pair in self._seen or not (self._is_known(ours) and self._is_known(alone)):
            return
        if not isinstance(ours, LEAVES):
            self._seen.add(pair)
        two = held.made_of(ours), held.made_of(alone)
        if isinstance(ours, FunctionType) and isinstance(alone, FunctionType):
            yield from self._of_closures(where, ours, alone)
            yield from self._of_functions(where, ours, alone)
        elif two[0] is not None and two[1] is not None:
            yield from self._of_items(where, two[0], two[1])
        else:
            own = self._is_own(ours, alone)
            if own:
                yield from self._of_items(f"{where}.__bases__", held.bases(ours), held.bases(alone))
                yield from self._of_parts(where, held.parts(ours), held.parts(alone), ".{}")
            yield from self._of_content(where, ours, alone, own)

    def _of_content(self, where: str, ours: Any, alone: Any, own: bool) -> Iterator[Difference]:
        """What a list, a dict or a number is beside its attributes.

        own: both are the script's own and of one class
        """
        if isinstance(ours, dict) and isinstance(alone, dict):
            yield from self._of_parts(where, ours, alone, "[{!r}]")
        elif isinstance(ours, (list, tuple)) and isinstance(alone, (list, tuple)):
            yield from self._of_items(where, ours, alone)
        elif not (own and not isinstance(ours, LEAVES)) and not self._is_same(ours, alone):
            yield Difference(where, (ours, alone))

    def _of_items(
        self, where: str, ours: Sequence[Any], alone: Sequence[Any]
    ) -> Iterator[Difference]:
        if len(ours) == len(alone):
            for k, (one, other) in enumerate(zip(ours, alone, strict=True)):
                yield from self._of(f"{where}[{k}]", one, other)
        elif all(self._is_known(value) for value in (*ours, *alone)):
            yield Difference(where, (ours, alone))

    def _of_parts(
        self, where: str, ours: Mapping[Any, Any], alone: Mapping[Any, Any], shown: str
    ) -> Iterator[Difference]:
        if not all(type(key) in (bool, int, float, str, bytes, tuple) for key in (*ours, *alone)):
            if len(ours) == len(alone):  # keys such as the script's own enumerations
                yield from self._of_items(where, list(ours.values()), list(alone.values()))
            return
        for key in dict.fromkeys([*ours, *alone]):
            two = ours.get(key, MISSING), alone.get(key, MISSING)
            written = any(isinstance(each, (classmethod, FunctionType)) for each in two)
            if written or not (isinstance(key, str) and _is_dunder(key)):
                yield from self._of(where + shown.format(key), *two)

    def _of_functions(
        self, where: str, ours: FunctionType, alone: FunctionType
    ) -> Iterator[Difference]:
        one, other = inspect.unwrap(ours), inspect.unwrap(alone)
        if not (isinstance(one, FunctionType) and isinstance(other, FunctionType)):
            return
        if one.__module__ != self.modules[0] or other.__module__ != self.modules[1]:
            if one.__qualname__ != other.__qualname__:
                yield Difference(where, (one, other))
            return
        if self.code and not _same_code(one.__code__, other.__code__):
            yield Difference(where, None)
        for name, two in (
            ("__defaults__", (one.__defaults__, other.__defaults__)),
            ("__kwdefaults__", (one.__kwdefaults__, other.__kwdefaults__)),
        ):
            yield from self._of(f"{where}.{name}", *two)

    def _of_closures(
        self, where: str, ours: FunctionType, alone: FunctionType
    ) -> Iterator[Difference]:
        """What functions of the script were made with, and what its decorators hold."""
        for one, other in zip(held.layers(ours), held.layers(alone), strict=False):
            if (held.home(one), held.home(other)) == self.modules:
                made = held.closed(other)
                # what is empty at first is a memory, which fills while the program runs
                for name, value in made.items():
                    if type(value) not in (list, dict, set) or value:
                        there = held.closed(one).get(name, MISSING)
                        yield from self._of(f"{where}.{name}", there, value)

    def _is_known(self, value: Any) -> bool:
        """Whether a value says all of itself; what it holds is asked for one by one."""
        if isinstance(value, (set, frozenset)):
            flat = [part for each in value for part in (each if type(each) is tuple else (each,))]
            return all(isinstance(part, LEAVES) for part in flat)
        if type(value).__module__ in self.modules:
            return held.has_parts(value)
        return isinstance(value, (*LEAVES, *NAMED, *SPACES, *held.MADE, Missing, dict, list, tuple))

    def _is_own(self, ours: Any, alone: Any) -> bool:
        """Whether both are the same class of the script, or objects whose values are theirs."""
        if isinstance(ours, SPACES) and type(ours) is type(alone):
            return True
        kinds = [thing if isinstance(thing, type) else type(thing) for thing in (ours, alone)]
        own = tuple(kind.__module__ for kind in kinds) == self.modules
        same = kinds[0].__qualname__ == kinds[1].__qualname__
        return own and same and held.has_parts(ours) and held.has_parts(alone)

    def _is_same(self, ours: Any, alone: Any) -> bool:
        if isinstance(ours, NAMED) and isinstance(alone, NAMED):
            names = [getattr(t, "__qualname__", None) or t.__name__ for t in (ours, alone)]
            return names[0] == names[1]
        if isinstance(ours, str) and isinstance(alone, str):  # some say where they are written
            return ours == alone or ours == alone.replace(self.modules[1], self.modules[0])
        if type(ours).__qualname__ != type(alone).__qualname__:
            return False
        return bool(ours == alone) or repr(ours) == repr(alone)  # nan is nan


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _same_code(one: CodeType, other: CodeType) -> bool:
    """Whether two functions do the same; their lines may lie elsewhere."""
    facts = [
        (code.co_code, code.co_names, code.co_varnames, code.co_freevars, len(code.co_consts))
        for code in (one, other)
    ]
    return facts[0] == facts[1] and all(
        _same_code(a, b)
        if isinstance(a, CodeType) and isinstance(b, CodeType)
        else type(a) is type(b) and (a == b or repr(a) == repr(b))
        for a, b in zip(one.co_consts, other.co_consts, strict=True)
    )
