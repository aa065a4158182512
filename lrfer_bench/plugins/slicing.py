"""From the text of a script to the text of its classes: what they rest on, and nothing else.

In a script line numbers stay: what is not kept becomes an empty line. A notebook has none to keep.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence

from lrfer_bench.errors import UserError
from lrfer_bench.plugins.changes import Changes
from lrfer_bench.plugins.names import FUNCTIONS, bound, imports, set_parts, used
from lrfer_bench.plugins.repeats import without_repeats

DEFINITIONS = (*FUNCTIONS, ast.ClassDef)
WHOLE = (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
"""Statements that define a name completely; an assignment may rest on the one before."""

HARMLESS = ', or, if it is a call that changes nothing, put it under if __name__ == "__main__"'


def without_magics(cell: str) -> str:
    """A notebook cell without its magics; "" if the rest is not Python."""
    lines = ["" if line.lstrip().startswith(("%", "!", "?")) else line for line in _lines(cell)]
    try:
        ast.parse("\n".join(lines))
    except SyntaxError:
        return ""
    return "\n".join(lines)


def definitions(
    text: str, names: Iterable[str], where: str = "the script", lines_stay: bool = True
) -> str:
    """The top-level statements that define names, and what these rest on; other lines are empty.

    lines_stay: whether a statement keeps its line; else they follow each other without repeats, so
                that the text is the same when cells of a notebook were run again as they were

    Only what gives names a meaning is kept: imports, functions, classes, and assignments, also to
    an attribute or an item; of functions and classes also those that a decorator of the script
    enters into something kept. UserError for a call that may change what is kept
    (`LIST.append(1)`, or `add(1)` where add() appends to it): without it the class would not be the
    one that was written, and with it the script might run again. Under the main guard only what
    changes it for sure is refused (Changes.surely_of).

    >>> text = "import os\\nX = 2\\nprint(X)\\nclass A:\\n    y = X"
    >>> definitions(text, ["A"]).split("\\n")
    ['', 'X = 2', '', 'class A:', '    y = X']
    """
    lines = _lines(text)
    out: list[str] = []
    done = 0
    body = ast.parse("\n".join(lines)).body
    if not lines_stay:
        body = without_repeats(body, Changes(body, _binders(body)))
    for statement in _kept(body, names, where):
        decorators = getattr(statement, "decorator_list", [])
        first = min([statement.lineno, *(decorator.lineno for decorator in decorators)]) - 1
        if lines_stay:
            out += [""] * (first - len(out))
        out += lines[max(first, done) : statement.end_lineno]  # two may stand on one line
        done = statement.end_lineno or first
    return "\n".join(out)


def _lines(text: str) -> list[str]:
    """Lines as Python counts them: splitlines() would also break at form feeds and the like."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines[:-1] if not lines[-1] else lines


def _kept(body: Sequence[ast.stmt], names: Iterable[str], where: str) -> list[ast.stmt]:
    """The statements to keep; UserError if another statement changes what the names rest on."""
    changers: dict[str, list[ast.stmt]] = {}
    kept = {id(statement) for statement in body if _is_kept_always(statement)}
    binders = _binders(s for s in body if not _is_main_guard(s))
    changes = Changes(body, binders)
    for statement in body:
        for name in _set_by(statement, changes):
            changers.setdefault(name, []).append(statement)
    since: dict[str, int] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in since or name not in binders:
            continue
        last = binders[name][-1]
        chosen = _dotted(binders[name]) if isinstance(last, WHOLE) else binders[name]
        since[name] = chosen[0].lineno  # earlier statements are about an older thing of that name
        for statement in [*chosen, *(s for s in changers.get(name, []) if s.lineno > since[name])]:
            kept.add(id(statement))
            waiting += used(statement)
    own = {name: line for name, line in since.items() if not any(map(imports, binders[name]))}
    dropped = (s for s in body if id(s) not in kept and not isinstance(s, DEFINITIONS))
    for statement, lost, more in (found for s in dropped for found in _dropped(s, changes)):
        _refuse_lost(statement, lost, own, where, more)
    return [statement for statement in body if id(statement) in kept]


def _dotted(binders: Sequence[ast.stmt]) -> list[ast.stmt]:
    """The last statement, and before it imports that load another part of the same package.

    `import xml.sax` and `import xml.etree.ElementTree` both bind xml, and both are needed.
    """
    chosen = [binders[-1]]
    for statement in reversed(binders[:-1]):
        if not _loads_a_part(chosen[-1]) or not _loads_a_part(statement):
            break
        chosen.append(statement)
    return chosen[::-1]


def _loads_a_part(statement: ast.stmt) -> bool:
    names = statement.names if isinstance(statement, ast.Import) else []
    return any("." in each.name and not each.asname for each in names)


def _binders(body: Iterable[ast.stmt]) -> dict[str, list[ast.stmt]]:
    """Name -> the statements that bind it, in their order."""
    found: dict[str, list[ast.stmt]] = {}
    for statement in body:
        for name in bound(statement):
            found.setdefault(name, []).append(statement)
    return found


def _dropped(statement: ast.stmt, changes: Changes) -> Iterator[tuple[ast.stmt, set[str], str]]:
    """(statement, what is lost without it, further advice): of a main guard what is inside."""
    if isinstance(statement, ast.If) and _is_main_guard(statement):
        inside = (*statement.body, *statement.orelse)
        yield from ((each, changes.surely_of(each), "") for each in inside)
    else:
        yield statement, changes.of(statement), HARMLESS


def _set_by(statement: ast.stmt, changes: Changes) -> set[str]:
    """The names that a statement changes in a way that can be kept with them."""
    if isinstance(statement, DEFINITIONS):  # `@part` above it may enter it into a table
        return changes.of(statement)
    if isinstance(statement, (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Delete)):
        return changes.meant_by(set_parts(statement))
    return set()


def _refuse_lost(
    statement: ast.stmt, lost: set[str], since: Mapping[str, int], where: str, more: str = ""
) -> None:
    """UserError for a dropped statement that changes a kept name, or may do so by a call.

    lost: what it may change. since: for each kept name the line of its first statement.
    more: further advice
    """
    for name in sorted(name for name in lost if statement.lineno > since.get(name, sys.maxsize)):
        code = ast.unparse(statement).partition("\n")[0]
        raise UserError(
            f'{where}:{statement.lineno}: "{code}" may change {name}, which the workers need, but '
            f"is not handed to them: write it where {name} is defined, or make it a setting of the "
            f"method{more}"
        )


def _is_kept_always(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and (
        statement.module == "__future__" or statement.names[0].name == "*"
    )


def _is_main_guard(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and any(
        isinstance(node, ast.Name) and node.id == "__name__" for node in ast.walk(statement.test)
    )


def rests_on(text: str | bytes, names: Iterable[str]) -> set[str]:
    """The names, and those that the statements that bind them use, at any remove."""
    binders = _binders(ast.parse(text).body)
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [other for each in binders.get(name, ()) for other in used(each)]
    return found
