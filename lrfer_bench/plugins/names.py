"""The names that a statement gives a meaning, those that it takes, and what of it runs at once."""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterator

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
PARTS = (ast.Attribute, ast.Subscript)


def root(node: ast.expr) -> str:
    """A of `A`, `A.x`, `A["x"]` and `A.x().y`; "" if there is none or for `A.__name__`."""
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.Attribute) and node.attr in ("__name__", "__doc__", "__module__"):
            return ""
        if isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, (*PARTS, ast.Starred)):
            node = node.value
        else:
            return ""
    return node.id


def running(statement: ast.AST) -> Iterator[ast.AST]:
    """What runs where a statement stands: all but what is inside functions that it defines."""
    waiting = [statement]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, FUNCTIONS):
            waiting += [*node.decorator_list, node.args]
        else:
            waiting += ast.iter_child_nodes(node)


def imports(statement: ast.stmt) -> bool:
    """True also for an import within try or if."""
    return any(isinstance(node, (ast.Import, ast.ImportFrom)) for node in ast.walk(statement))


def bound(statement: ast.stmt) -> set[str]:
    """The names that a statement gives a meaning where it stands."""
    if isinstance(statement, ast.Delete):
        return set()
    symbols = symtable.symtable(ast.unparse(statement), "statement", "exec").get_symbols()
    return {symbol.get_name() for symbol in symbols if symbol.is_assigned() or symbol.is_imported()}


def set_parts(statement: ast.stmt) -> set[str]:
    """A of `A.x = 1`, `A["x"] = 1` and `del A.x`, wherever it stands in a statement."""
    parts = [node for node in ast.walk(statement) if isinstance(node, PARTS)]
    return {root(part) for part in parts if not isinstance(part.ctx, ast.Load)} - {""}


def used(statement: ast.stmt) -> set[str]:
    """The names that a top-level statement takes from its module, without functions' own names."""
    top = symtable.symtable(ast.unparse(statement), "statement", "exec")
    found = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_referenced()}
    waiting = list(top.get_children())
    while waiting:
        table = waiting.pop()
        waiting += table.get_children()
        found |= {symbol.get_name() for symbol in table.get_symbols() if symbol.is_global()}
    for node in ast.walk(statement):
        if isinstance(node, ast.ClassDef):
            found |= _used_beforebound(node)
    return found


def _used_beforebound(cls: ast.ClassDef) -> set[str]:
    """SIZE of `class A: SIZE = SIZE`: until a class binds a name, it takes the module's."""
    found: set[str] = set()
    own: set[str] = set()
    for statement in cls.body:
        outside: list[ast.AST] = [statement]
        if isinstance(statement, FUNCTIONS):  # its body runs later, and does not see the class
            outside = [*statement.decorator_list, statement.args]
        nodes = [node for part in outside for node in ast.walk(part) if isinstance(node, ast.Name)]
        found |= {node.id for node in nodes if isinstance(node.ctx, ast.Load)} - own
        own |= bound(statement)
    return found & own
