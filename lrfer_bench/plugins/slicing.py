"""From the text of a script to the text of its classes: what they rest on, and nothing else.

Line numbers stay: what is not kept becomes an empty line.
"""

from __future__ import annotations

import ast
import symtable
import sys
from collections.abc import Iterable, Mapping, Sequence

from lrfer_bench.errors import UserError

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
PARTS = (ast.Attribute, ast.Subscript)
WHOLE = (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
"""Statements that define a name completely; an assignment may rest on the one before."""


def without_magics(cell: str) -> str:
    """A notebook cell without its magics; "" if the rest is not Python."""
    lines = ["" if line.lstrip().startswith(("%", "!", "?")) else line for line in _lines(cell)]
    try:
        ast.parse("\n".join(lines))
    except SyntaxError:
        return ""
    return "\n".join(lines)


def definitions(text: str, names: Iterable[str], where: str = "the script") -> str:
    """The top-level statements that define names, and what these rest on; other lines are empty.

    Only what gives names a meaning is kept: imports, functions, classes, and assignments, also to
    an attribute or an item. UserError for a call that may change what is kept (`LIST.append(1)`):
    without it the class would not be the one that was written, and with it the script might run
    again.

    >>> text = "import os\\nX = 2\\nprint(X)\\nclass A:\\n    y = X"
    >>> definitions(text, ["A"]).split("\\n")
    ['', 'X = 2', '', 'class A:', '    y = X']
    """
    lines = _lines(text)
    out = [""] * len(lines)
    for statement in _kept(ast.parse("\n".join(lines)).body, names, where):
        decorators = getattr(statement, "decorator_list", [])
        first = min([statement.lineno, *(decorator.lineno for decorator in decorators)])
        out[first - 1 : statement.end_lineno] = lines[first - 1 : statement.end_lineno]
    return "\n".join(out)


def _lines(text: str) -> list[str]:
    """Lines as Python counts them: splitlines() would also break at form feeds and the like."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines[:-1] if not lines[-1] else lines


def _kept(body: Sequence[ast.stmt], names: Iterable[str], where: str) -> list[ast.stmt]:
    """The statements to keep; UserError if another statement changes what the names rest on."""
    binders: dict[str, list[ast.stmt]] = {}
    changers: dict[str, list[ast.stmt]] = {}
    kept = {id(statement) for statement in body if _is_kept_always(statement)}
    for statement in (s for s in body if not _is_main_guard(s)):
        for name in _bound(statement):
            binders.setdefault(name, []).append(statement)
        if isinstance(statement, (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Delete)):
            for name in _changed(statement):
                changers.setdefault(name, []).append(statement)
    since: dict[str, int] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in since or name not in binders:
            continue
        last = binders[name][-1]
        chosen = [last] if isinstance(last, WHOLE) else binders[name]
        since[name] = chosen[0].lineno  # earlier statements are about an older thing of that name
        for statement in [*chosen, *(s for s in changers.get(name, []) if s.lineno > since[name])]:
            kept.add(id(statement))
            waiting += _used(statement)
    own = {name: line for name, line in since.items() if not any(map(_imports, binders[name]))}
    for statement in body:
        if id(statement) not in kept and not isinstance(statement, (*FUNCTIONS, ast.ClassDef)):
            _refuse_lost(statement, own, where)
    return [statement for statement in body if id(statement) in kept]


def _refuse_lost(statement: ast.stmt, since: Mapping[str, int], where: str) -> None:
    """UserError for a dropped statement that changes a kept name, or may do so by a call.

    since: for each kept name the line of its first statement.
    """
    lost = _changed(statement) | (set() if _is_main_guard(statement) else _called(statement))
    for name in sorted(name for name in lost if statement.lineno > since.get(name, sys.maxsize)):
        code = ast.unparse(statement).partition("\n")[0]
        raise UserError(
            f'{where}:{statement.lineno}: "{code}" may change {name}, which the workers need, but '
            f"is not handed to them: write it where {name} is defined, or, if it is a call that "
            'changes nothing, under if __name__ == "__main__"'
        )


def _imports(statement: ast.stmt) -> bool:
    """True also for an import within try or if."""
    return any(isinstance(node, (ast.Import, ast.ImportFrom)) for node in ast.walk(statement))


def _is_kept_always(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and (
        statement.module == "__future__" or statement.names[0].name == "*"
    )


def _is_main_guard(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and any(
        isinstance(node, ast.Name) and node.id == "__name__" for node in ast.walk(statement.test)
    )


def _bound(statement: ast.stmt) -> set[str]:
    """The names that a statement gives a meaning where it stands."""
    if isinstance(statement, ast.Delete):
        return set()
    symbols = symtable.symtable(ast.unparse(statement), "statement", "exec").get_symbols()
    return {symbol.get_name() for symbol in symbols if symbol.is_assigned() or symbol.is_imported()}


def _changed(statement: ast.stmt) -> set[str]:
    """A of `A.x = 1`, `A["x"] = 1` and `del A.x`, wherever it stands in a statement."""
    parts = [node for node in ast.walk(statement) if isinstance(node, PARTS)]
    return {_root(part) for part in parts if not isinstance(part.ctx, ast.Load)} - {""}


def _called(statement: ast.stmt) -> set[str]:
    """A of `A.x()` where nothing is done with the answer."""
    values = [node.value for node in ast.walk(statement) if isinstance(node, ast.Expr)]
    called = [value.func for value in values if isinstance(value, ast.Call)]
    return {_root(function) for function in called if isinstance(function, PARTS)} - {""}


def _root(node: ast.expr) -> str:
    while isinstance(node, PARTS):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _used(statement: ast.stmt) -> set[str]:
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
            found |= _used_before_bound(node)
    return found


def _used_before_bound(cls: ast.ClassDef) -> set[str]:
    """SIZE of `class A: SIZE = SIZE`: until a class binds a name, it takes the module's."""
    found: set[str] = set()
    own: set[str] = set()
    for statement in cls.body:
        outside: list[ast.AST] = [statement]
        if isinstance(statement, FUNCTIONS):  # its body runs later, and does not see the class
            outside = [*statement.decorator_list, statement.args]
        nodes = [node for part in outside for node in ast.walk(part) if isinstance(node, ast.Name)]
        found |= {node.id for node in nodes if isinstance(node.ctx, ast.Load)} - own
        own |= _bound(statement)
    return found & own
