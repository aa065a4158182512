"""What a statement of a script may change when it runs, as far as the script's text shows.

`WIDTHS.append(48)` changes WIDTHS, and so does `add(48)` if the script's function add() does that.
Followed are the script's own functions and classes, and second names (`alias = WIDTHS`); what is
done by way of an item of a list or an attribute of an instance is not. A call of lrfer_bench takes
classes and changes none.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from lrfer_bench.plugins.constants import Constants
from lrfer_bench.plugins.names import FUNCTIONS, PARTS, bound, root, running, used

LIBRARY = "lrfer_bench"
HARMLESS = frozenset({
    "abs", "all", "any", "bool", "callable", "dict", "dir", "display", "enumerate", "float",
    "format", "frozenset", "hasattr", "hash", "help", "id", "int", "isinstance", "issubclass",
    "len", "list", "max", "min", "print", "range", "repr", "reversed", "round", "set", "sorted",
    "str", "sum", "tuple", "type", "zip",
})  # fmt: skip
"""Built-in functions (and a notebook's display) that change nothing they are given."""
READING = frozenset({"copy", "count", "get", "index", "items", "keys", "values"})
"""Methods of lists and dicts that change nothing."""
DISPLAYS = (ast.List, ast.Set, ast.Tuple)
Made = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda
Names = Mapping[str, set[str]]


@dataclass(frozen=True)
class Effects:
    """changed: names of the script; given: whether an argument of the call may be changed.

    returned: names of the script that a call may answer.
    """

    changed: frozenset[str] = frozenset()
    given: bool = False
    returned: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Place:
    """Code that is looked at.

    taken: the names that it has from its module; params: its parameters
    parts: whether a part of a name that is handed to a call counts as that name. In functions it
           does not: `Linear(CONFIG["width"])` is how settings are read
    sure: of calls, only `NAME.method()` with which nothing else is done. So in classes: who makes
          an instance to try it changes nothing, as a rule
    """

    nodes: Sequence[ast.AST]
    taken: set[str]
    params: frozenset[str] = frozenset()
    parts: bool = False
    sure: bool = False


class Changes:
    """The changes of one script. body: its statements; binders: name -> those that define it."""

    def __init__(self, body: Sequence[ast.stmt], binders: Mapping[str, list[ast.stmt]]) -> None:
        self._binders = binders
        self._constants = Constants(binders)
        self._made = dict(_made(body))
        self._functions = {
            name for name, made in self._made.items() if not isinstance(made, ast.ClassDef)
        }
        self._aliases = _aliases(node for statement in body for node in running(statement))
        self._imported, self._library = _imported(body)
        self._effects: dict[str, Effects] = {}

    def of(self, statement: ast.stmt) -> set[str]:
        """The names of the script that a statement may change where it stands."""
        place = Place(list(running(statement)), used(statement), parts=True)
        return set(self._looked_at(place).changed) - self._imported

    def surely_of(self, statement: ast.stmt) -> set[str]:
        """The names that a statement changes for sure, also by functions of the script.

        It assigns to them, to parts of them, or by setattr(); what other calls may change is not
        among them.
        """
        found = self._surely(list(running(statement)), used(statement), frozenset())
        return (found | bound(statement)) - self._imported

    def _surely(self, nodes: Sequence[ast.AST], taken: set[str], seen: frozenset[str]) -> set[str]:
        aliases = _aliases(nodes)
        found = self.meant_by(self._meant(_assigned(nodes), aliases) & taken)
        called = self.meant_by(self._meant(self._called(nodes), aliases) & taken)
        for name in (called & self._functions) - seen:
            place = self._place(self._made[name])
            found |= self._surely(place.nodes, place.taken, seen | {name})
        return found

    def meant_by(self, names: Iterable[str]) -> set[str]:
        """The names, and what they are second names of."""
        return self._meant(names, self._aliases)

    def _meant(self, names: Iterable[str], aliases: Names) -> set[str]:
        found: set[str] = set()
        waiting = [name for name in names if name]
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += [n for n in aliases.get(name, ()) if not self._constants.has(n)]
        return found

    def _effects_of(self, name: str) -> Effects:
        """Of a call of a function or class of the script."""
        if name not in self._effects:
            self._effects[name] = Effects()  # for one that calls itself
            self._effects[name] = self._looked_at(self._place(self._made[name]))
        return self._effects[name]

    def _place(self, made: Made) -> Place:
        inside = [made.body] if isinstance(made, ast.Lambda) else made.body
        nodes = [node for part in inside for node in ast.walk(part)]
        if not isinstance(made, ast.ClassDef):
            statement = ast.Expr(made) if isinstance(made, ast.Lambda) else made
            return Place(nodes, used(statement), _parameters(made))
        starts = [s for s in made.body if isinstance(s, FUNCTIONS) and s.name == "__init__"]
        params = frozenset().union(*map(_parameters, starts)) - {"self"}
        bases = [ast.Call(base, [], []) for base in made.bases]  # an instance is one of its bases
        return Place([*nodes, *bases], used(made), params, sure=True)

    def _looked_at(self, place: Place) -> Effects:
        aliases = _aliases(place.nodes)
        touched = self._meant(self._touched(place, aliases), aliases)
        called = self._meant(self._called(place.nodes), aliases) & place.taken
        changed = self.meant_by(touched & place.taken)
        for name in changed & self._functions:  # `widths().append(48)`
            changed |= self._effects_of(name).returned
        classes = [node for node in place.nodes if isinstance(node, ast.ClassDef)]
        told = {name for node in classes for base in node.bases for name in self._told(base)}
        for name in (self.meant_by(called) | told) & self._made.keys():
            changed |= self._effects_of(name).changed
        answers = [node.value for node in place.nodes if isinstance(node, ast.Return)]
        returned = self._meant({root(answer) for answer in answers if answer}, aliases)
        returned = self.meant_by(returned & place.taken) - self._made.keys()
        return Effects(frozenset(changed | told), bool(touched & place.params), frozenset(returned))

    def _touched(self, place: Place, aliases: Names) -> set[str]:
        """The names, local ones among them, that the code changes itself or hands to a call."""
        found: set[str] = set()
        bare = {id(node.value) for node in place.nodes if isinstance(node, ast.Expr)}
        for node in place.nodes:
            if isinstance(node, PARTS) and not isinstance(node.ctx, ast.Load):
                found.add(root(node))
            elif isinstance(node, ast.Global):
                found.update(node.names)
            calls = _calls(node)
            if calls and not (place.sure and id(node) not in bare):
                for function, args in calls:
                    found |= self._by_call(function, args, place, aliases)
        return found

    def _by_call(
        self, function: ast.expr, args: list[ast.expr], place: Place, aliases: Names
    ) -> set[str]:
        name = root(function)
        if self._is_harmless(function):
            return set()
        found: set[str] = set()
        own = self.meant_by(self._meant({name}, aliases)) & self._made.keys()
        if isinstance(function, PARTS):
            if not (isinstance(function, ast.Attribute) and function.attr in READING):
                found.add(name)
        elif not own:
            found |= self._meant({name}, aliases) & place.taken  # an instance that is called
        is_plain = isinstance(function, ast.Name) and bool(own)
        if place.sure or (is_plain and not any(self._effects_of(each).given for each in own)):
            args = []
        for part in (part for arg in args for part in _handed(arg)):
            is_whole = isinstance(part, ast.Name)
            if is_whole or (place.parts and not self._constants.hold_items_of(root(part))):
                found |= {root(part)} - self._functions
        return {name for name in found if not self._constants.has(name)}

    def _called(self, nodes: Iterable[ast.AST]) -> set[str]:
        """The names that are called, and those of functions that are handed to a call."""
        found: set[str] = set()
        for node in nodes:
            for function, args in _calls(node):
                if not self._is_harmless(function):
                    handed = [root(part) for arg in args for part in _handed(arg)]
                    classes = {n for n in handed if isinstance(self._made.get(n), ast.ClassDef)}
                    found |= {root(function), *handed} - classes
        return found

    def _is_harmless(self, function: ast.expr) -> bool:
        name = root(function)
        if name in self._library:
            return True
        if name in self._binders or not name:
            return False
        if "*" in self._library and not hasattr(builtins, name):
            return True
        return isinstance(function, ast.Name) and name in HARMLESS

    def _told(self, base: ast.expr, seen: frozenset[str] = frozenset()) -> set[str]:
        """The classes of the script that are told (__init_subclass__) of what derives from base."""
        made = self._made.get(root(base))
        if not isinstance(made, ast.ClassDef) or root(base) in seen:
            return set()
        seen |= {root(base)}
        found = {name for each in made.bases for name in self._told(each, seen)}
        names = {statement.name for statement in made.body if isinstance(statement, FUNCTIONS)}
        return found | {root(base)} if found or "__init_subclass__" in names else set()


def _assigned(nodes: Iterable[ast.AST]) -> set[str]:
    """A of `A.x = 1`, `del A["x"]`, `global A` and `setattr(A, "x", 1)`."""
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, PARTS) and not isinstance(node.ctx, ast.Load):
            found.add(root(node))
        elif isinstance(node, ast.Global):
            found.update(node.names)
        elif isinstance(node, ast.Call) and root(node.func) in ("setattr", "delattr"):
            found |= {root(arg) for arg in node.args[:1]}
    return found


def _calls(node: ast.AST) -> list[tuple[ast.expr, list[ast.expr]]]:
    """(what is called, arguments): of a call, and of the decorators of a function or class."""
    if isinstance(node, ast.Call):
        return [(node.func, [*node.args, *(keyword.value for keyword in node.keywords)])]
    return [(decorator, []) for decorator in getattr(node, "decorator_list", [])]


def _handed(arg: ast.expr) -> Iterator[ast.expr]:
    """The names and parts of names that an argument hands on, also within a list."""
    if isinstance(arg, (ast.Name, ast.Starred, *PARTS)):
        yield arg
    elif isinstance(arg, DISPLAYS):
        for part in arg.elts:
            yield from _handed(part)
    elif isinstance(arg, ast.Dict):
        for part in arg.values:
            yield from _handed(part)


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> frozenset[str]:
    nodes = list(ast.walk(function.args))
    return frozenset(node.arg for node in nodes if isinstance(node, ast.arg))


def _made(body: Iterable[ast.stmt]) -> Iterator[tuple[str, Made]]:
    """The functions and classes of a script by name."""
    for statement in body:
        within = isinstance(statement, (ast.If, ast.Try, ast.With))
        for node in ast.walk(statement) if within else [statement]:
            if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
                yield node.name, node
            elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
                yield from ((root(target), node.value) for target in node.targets)


def _aliases(nodes: Iterable[ast.AST]) -> dict[str, set[str]]:
    """Second name -> names: of `alias = NAME`, and of `for alias in (ONE, TWO)`."""
    found: dict[str, set[str]] = {}
    for node in nodes:
        values: Sequence[ast.expr | None] = []
        targets: Sequence[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets, values = node.targets, [node.value]
        elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)):
            targets, values = [node.target], [node.value]
        elif isinstance(node, (ast.For, ast.comprehension)) and isinstance(node.iter, DISPLAYS):
            targets, values = [node.target], node.iter.elts
        names = {value.id for value in values if isinstance(value, ast.Name)}
        for target in targets:
            if isinstance(target, ast.Name) and names:
                found.setdefault(target.id, set()).update(names - {target.id})
    return found


def _imported(body: Iterable[ast.stmt]) -> tuple[set[str], set[str]]:
    """(the names that are imported anywhere, those of lrfer_bench among them)"""
    imported: set[str] = set()
    library: set[str] = set()
    for node in (node for statement in body for node in ast.walk(statement)):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            module = getattr(node, "module", "") or ""
            for alias in node.names:
                name = alias.asname or alias.name.partition(".")[0]
                imported.add(name)
                if (module or alias.name).partition(".")[0] == LIBRARY:
                    library.add(name)
        elif isinstance(node, ast.Assign) and _is_part(node.value, library):
            library |= {root(target) for target in node.targets}  # `run = lrfer_bench.run`
    return imported, library


def _is_part(value: ast.expr, names: set[str]) -> bool:
    return isinstance(value, ast.Attribute) and root(value) in names
