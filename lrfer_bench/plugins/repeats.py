"""What a notebook says twice: a cell that is run again as it was stands there again."""

from __future__ import annotations

import ast
import sys
from collections.abc import Sequence

from lrfer_bench.plugins.changes import Changes
from lrfer_bench.plugins.names import FUNCTIONS, bound, running

STEADY = (*FUNCTIONS, ast.ClassDef, ast.Import, ast.ImportFrom)


def without_repeats(body: Sequence[ast.stmt], changes: Changes) -> list[ast.stmt]:
    """The statements but those that only say again what holds already.

    Left out is a definition, an import or a plain value that stands there before, unless a
    statement between the two binds or may change one of its names, or one that it takes at once.
    """
    kept: list[ast.stmt] = []
    places: dict[str, int] = {}
    for statement in body:
        said = ast.dump(statement)
        if said in places and _holds(statement, kept[places[said] + 1 :], changes):
            continue
        places[said] = len(kept)
        kept.append(statement)
    return kept


def _holds(statement: ast.stmt, since: Sequence[ast.stmt], changes: Changes) -> bool:
    """Whether a statement, run again after the others, would change nothing."""
    if not isinstance(statement, STEADY) and not _is_plain_value(statement):
        return False
    names = _bound(statement)
    touched: set[str] = set()
    for each in since:
        more = _bound(each)
        if more is None:
            return False
        touched |= more | changes.of(each)
    taken = {node.id for node in running(statement) if isinstance(node, ast.Name)}
    return names is not None and not (names | taken) & touched


def _bound(statement: ast.stmt) -> set[str] | None:
    """The names that a statement binds; None for all of a module that is not known here."""
    if not (isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*"):
        return bound(statement)
    module = sys.modules.get(statement.module or "")
    return None if module is None else set(vars(module))


def _is_plain_value(statement: ast.stmt) -> bool:
    """`N = 3`, `SIZES: list[int] = [64, 128]`, `A, B = 1, 2`."""
    if not isinstance(statement, (ast.Assign, ast.AnnAssign)) or statement.value is None:
        return False
    try:
        ast.literal_eval(statement.value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    parts = [node for target in targets for node in ast.walk(target)]
    return not any(isinstance(node, (ast.Attribute, ast.Subscript)) for node in parts)
