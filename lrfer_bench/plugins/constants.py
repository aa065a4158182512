"""Which names of a script are constants: only a new assignment can change them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping

from lrfer_bench.plugins.names import imports, root

FIXED = frozenset({"Path", "device", "float", "frozenset", "getLogger", "int", "len", "str"})
"""Calls whose answers are not changed by what they are handed to, nor by a method of theirs."""
MADE_OF = (
    ast.BinOp, ast.BoolOp, ast.Compare, ast.FormattedValue, ast.JoinedStr, ast.Tuple, ast.UnaryOp,
)  # fmt: skip
"""Expressions that are constants if their parts are."""
Test = Callable[[ast.expr, frozenset[str]], bool]


class Constants:
    """Of one script. binders: name -> the statements that give it a meaning."""

    def __init__(self, binders: Mapping[str, list[ast.stmt]]) -> None:
        self._binders = binders

    def has(self, name: str) -> bool:
        """Whether a name is a number, a text, a tuple of such, or what a module has."""
        return self._always(name, self._is_constant, frozenset())

    def hold_items_of(self, name: str) -> bool:
        """Whether the items of a name are constants: a list or dict that holds nothing else."""
        return self._always(name, self._has_constant_items, frozenset())

    def _always(self, name: str, test: Test, seen: frozenset[str]) -> bool:
        """Whether every statement that defines the name gives it such a value."""
        if name in seen:  # `SIZE = SIZE + 1` is what the SIZE before is
            return True
        binders = self._binders.get(name, [])
        return bool(binders) and all(
            isinstance(statement, (ast.Assign, ast.AnnAssign, ast.AugAssign))
            and (statement.value is None or test(statement.value, seen | {name}))
            for statement in binders
        )

    def _is_constant(self, value: ast.AST, seen: frozenset[str]) -> bool:
        if isinstance(value, ast.Name):
            return self._always(value.id, self._is_constant, seen)
        if isinstance(value, ast.IfExp):
            return all(self._is_constant(part, seen) for part in (value.body, value.orelse))
        if isinstance(value, ast.Call):
            name = value.func.attr if isinstance(value.func, ast.Attribute) else root(value.func)
            return name in FIXED
        if isinstance(value, ast.Attribute):  # `torch.float32`
            return any(map(imports, self._binders.get(root(value), [])))
        if isinstance(value, ast.Subscript):
            return self._always(root(value), self._has_constant_items, seen)
        parts = [part for part in ast.iter_child_nodes(value) if isinstance(part, ast.expr)]
        return isinstance(value, ast.Constant) or (
            isinstance(value, MADE_OF) and all(self._is_constant(part, seen) for part in parts)
        )

    def _has_constant_items(self, value: ast.expr, seen: frozenset[str]) -> bool:
        if isinstance(value, (ast.List, ast.Set)):
            return all(self._is_constant(part, seen) for part in value.elts)
        if isinstance(value, ast.Dict):
            return all(self._is_constant(part, seen) for part in value.values)
        return self._is_constant(value, seen)
