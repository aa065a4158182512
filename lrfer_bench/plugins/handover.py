"""The third door: classes of a script, a notebook or a module, handed to worker processes, which start without them.

What a worker gets is a plugin file: the definitions that a class rests on, cut out of its script with their line numbers
kept, so that nothing else of the script runs again; or, for a class of an importable module, a line that imports it. A file
that stands alone and registers its class itself is such a plugin file already, and is handed over as it is.
"""

from __future__ import annotations

import ast
import hashlib
import re
import symtable
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lrfer_bench.errors import UserError
from lrfer_bench.files import write_atomically
from lrfer_bench.plugins.registry import (
    DATASETS,
    METHODS,
    PLUGIN_ERRORS,
    PROTOCOLS,
    REGISTRIES,
    Entry,
    Registry,
    load_plugin,
    plugin_module,
    target_of,
)

FOLDER = "plugins"
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
WHOLE = (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
"""Statements that say all about a name; an assignment may rest on the one before."""
DECORATORS = {METHODS.kind: "register_method", DATASETS.kind: "register_dataset", PROTOCOLS.kind: "register_protocol"}


def hand_over(registry: Registry, things: Sequence[str | type], results: Path) -> tuple[list[str], list[Path]]:
    """(names, plugin files that workers have to load) for a mixed list of names and classes.

    Files are written under results/plugins. UserError, one sentence, for a class whose source cannot be found or does not
    work by itself.
    """
    classes = [_class_of(registry, thing) for thing in things]
    names = [thing if isinstance(thing, str) else name_of(registry, thing) for thing in things]
    groups: dict[str, list[tuple[str, type]]] = {}
    for name, cls in zip(names, classes, strict=True):
        if cls is not None:
            groups.setdefault(cls.__module__, []).append((_bare(name), cls))
    for module, group in groups.items():  # a method may name another of the same script as its stage
        known = {name for name, _ in group}
        group += [(e.name, _newest(e)) for e in registry if _home(e) == module and e.name not in known]
    files = [_hand_over_module(registry, module, group, results) for module, group in groups.items()]
    return names, files


def name_of(registry: Registry, cls: type) -> str:
    """The name that a class is registered under; else its `name` (protocols), else its own in kebab-case.

    >>> class MyIdea: pass
    >>> name_of(METHODS, MyIdea)
    'my-idea'
    """
    if not isinstance(cls, type):
        raise UserError(f"{cls!r} is no name and no class: give a {registry.kind}'s name or its class")
    target = target_of(cls)
    for entry in registry:
        if entry.loaded is cls or target in (entry.target, entry.made_from):
            return entry.name
    own = getattr(cls, "name", None)
    return own if isinstance(own, str) else re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", cls.__name__).lower()


def _class_of(registry: Registry, thing: str | type) -> type | None:
    """The class to hand over; None for what workers find by themselves (installed things and plugin files)."""
    cls: Any = thing
    if isinstance(thing, str):
        if _bare(thing) not in registry.names():
            return None  # the plan says what is wrong with it
        entry = registry.entry(_bare(thing))
        if entry.loaded is None:
            return None
        cls = _newest(entry)
    if not isinstance(cls, type):
        raise UserError(f"{thing!r} is no name and no class: give a {registry.kind}'s name or its class")
    installed = any(entry.target == target_of(cls) and entry.loaded is None for entry in registry)
    return None if installed or cls.__module__.startswith("lrfer_plugin_") else cls


def _bare(label: str) -> str:
    """The name alone of "bicubic@1" or "gmenet[kd_weight=0]"."""
    return re.split(r"[@\[]", label, maxsplit=1)[0]


def _newest(entry: Entry) -> Any:
    """In a notebook a class may have been defined again since it was registered."""
    module, _, attribute = (entry.made_from or entry.target).partition(":")
    return getattr(sys.modules.get(module), attribute, entry.loaded)


def _home(entry: Entry) -> str:
    """The module that a registered class was written in."""
    return (entry.made_from or entry.target).partition(":")[0]


def _hand_over_module(registry: Registry, module: str, group: list[tuple[str, type]], results: Path) -> Path:
    own = _own_plugin(registry, module, group)
    if own is None:
        stem, text = _plugin_text(registry, module, group)
        file = _written(text.encode(), stem, results)
    else:
        file = own
        _written(own.read_bytes(), own.stem, results)  # where a trained model finds it again
    before = _take_out(module)
    try:
        sys.modules.pop(plugin_module(file), None)  # so that it registers what was just taken out
        load_plugin(file)
        if str(file) in PLUGIN_ERRORS:
            names = ", ".join(cls.__name__ for _, cls in group)
            raise UserError(
                f"{names} cannot be handed to the workers: {PLUGIN_ERRORS.pop(str(file))}; put it into a file of its own "
                "with all that it needs, and give that file with plugins=[...]"
            )
    finally:
        for old_registry, entry in before:
            old_registry.restore(entry)
    for name, cls in group:
        registry.restore(Entry(registry.kind, name, target_of(cls), ""))
    return file


def _written(content: bytes, stem: str, results: Path) -> Path:
    """The place of a plugin file in the results folder, by its content."""
    file = Path(results).resolve() / FOLDER / hashlib.sha256(content).hexdigest()[:12] / f"{stem}.py"
    if not file.is_file():
        write_atomically(file, content)
    return file


def _own_plugin(registry: Registry, module: str, group: list[tuple[str, type]]) -> Path | None:
    """The file of a module outside any package that registers all these classes itself, so that keys are those of --plugin."""
    file = getattr(sys.modules.get(module), "__file__", None)
    if module == "__main__" or "." in module or not file or not file.endswith(".py") or not _importable(module, file):
        return None
    if Path(file).name == "__init__.py":
        return None
    body = ast.parse(Path(file).read_bytes()).body
    registered = {(s.name, name) for s in body if isinstance(s, ast.ClassDef) for name in _registered_as(registry, s)}
    return Path(file).resolve() if {(cls.__name__, name) for name, cls in group} <= registered else None


def _registered_as(registry: Registry, cls: ast.ClassDef) -> list[str]:
    """The names in `@register_method("name")` above a class."""
    calls = [call for call in cls.decorator_list if isinstance(call, ast.Call)]
    ours = [call for call in calls if ast.unparse(call.func).rpartition(".")[2] == DECORATORS[registry.kind]]
    return [str(arg.value) for call in ours for arg in call.args if isinstance(arg, ast.Constant)]


def _take_out(module: str) -> list[tuple[Registry, Entry]]:
    """What a script registered when it ran itself makes room for the same things, registered by its plugin file."""
    found = []
    for registry in REGISTRIES:
        for entry in list(registry):
            if _home(entry) == module:
                found.append((registry, entry))
                registry.drop(entry.name)
    return found


def _plugin_text(registry: Registry, module: str, group: list[tuple[str, type]]) -> tuple[str, str]:
    """(stem of the file, its content)"""
    decorator = DECORATORS[registry.kind]
    last = [f"from lrfer_bench.api import {decorator} as _register", ""]
    last += [f'_register("{name}")({cls.__name__})' for name, cls in group]
    for _, cls in group:
        if cls.__qualname__ != cls.__name__:
            raise UserError(
                f"{cls.__qualname__} is defined inside a function or a class: workers cannot reach it there; "
                "define it at the top level of its file"
            )
    file = getattr(sys.modules.get(module), "__file__", None)
    if module != "__main__" and file and _importable(module, file):
        mark = hashlib.sha256(Path(file).read_bytes()).hexdigest()
        head = [f'"""{Path(file).name} sha256:{mark}"""', ""]
        head += [f"from {module} import {cls.__name__}" for _, cls in group]
        return Path(file).stem, "\n".join([*head, *last]) + "\n"
    names = [cls.__name__ for _, cls in group]
    stem, source = _source(module, file, names[0])
    return stem, definitions(source, names, f"{stem}.py" if file else stem) + "\n".join(["", *last]) + "\n"


def _importable(module: str, file: str) -> bool:
    try:
        spec = find_spec(module)
    except (ImportError, ValueError, AttributeError):
        return False
    return spec is not None and spec.origin is not None and Path(spec.origin) == Path(file)


def _source(module: str, file: str | None, name: str) -> tuple[str, str]:
    """(stem, text) of the script or notebook that a class was defined in."""
    if file and Path(file).is_file() and file.endswith(".py"):
        return Path(file).stem, Path(file).read_text(encoding="utf-8")
    cells = getattr(sys.modules.get(module), "In", None)  # what IPython and notebooks keep of their input
    text = "\n".join(_python(cell) for cell in cells) if isinstance(cells, list) else ""
    if re.search(rf"^class {re.escape(name)}\b", text, flags=re.MULTILINE):
        return "notebook", text
    raise UserError(
        f"the source of {name} cannot be found, so it cannot be handed to the workers: write it into a file and give "
        "that file with plugins=[...]"
    )


def _python(cell: str) -> str:
    """A notebook cell without its magics; "" when what is left is no Python."""
    lines = ["" if line.lstrip().startswith(("%", "!", "?")) else line for line in _lines(cell)]
    try:
        ast.parse("\n".join(lines))
    except SyntaxError:
        return ""
    return "\n".join(lines)


def definitions(text: str, names: Iterable[str], where: str = "the script") -> str:
    """The top-level statements that define names, and what these rest on; every other line is left empty.

    Only what gives names a meaning is kept: imports, functions, classes, and assignments, also those to an attribute or an
    item. A call that may change what is kept (`LIST.append(1)`) is a UserError: without it another class would be trained
    than was written, and with it the script might run again.

    >>> definitions("import os\\nimport sys\\nX = 2\\nprint(X)\\nclass A:\\n    y = X", ["A"]).split("\\n")
    ['', '', 'X = 2', '', 'class A:', '    y = X']
    """
    lines = _lines(text)
    out = [""] * len(lines)
    for statement in _kept(ast.parse("\n".join(lines)).body, names, where):
        first = min([statement.lineno, *(d.lineno for d in getattr(statement, "decorator_list", []))])
        out[first - 1 : statement.end_lineno] = lines[first - 1 : statement.end_lineno]
    return "\n".join(out)


def _lines(text: str) -> list[str]:
    """Lines as Python counts them: splitlines() would also break at form feeds and other marks within a line."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines[:-1] if not lines[-1] else lines


def _kept(body: Sequence[ast.stmt], names: Iterable[str], where: str) -> list[ast.stmt]:
    """The statements to keep; UserError for one that cannot be kept but changes what the names rest on."""
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
        since[name] = chosen[0].lineno  # what came before was about an older thing of that name
        for statement in [*chosen, *(s for s in changers.get(name, []) if s.lineno > since[name])]:
            kept.add(id(statement))
            waiting += _used(statement)
    own = {name: line for name, line in since.items() if not any(map(_imports, binders[name]))}
    for statement in body:
        if id(statement) not in kept and not isinstance(statement, (*FUNCTIONS, ast.ClassDef)):
            _refuse_lost(statement, own, where)
    return [statement for statement in body if id(statement) in kept]


def _refuse_lost(statement: ast.stmt, since: Mapping[str, int], where: str) -> None:
    """UserError for a dropped statement that changes a kept name, or may do so by a call; since: its first line."""
    lost = _changed(statement) | (set() if _is_main_guard(statement) else _called(statement))
    for name in sorted(name for name in lost if statement.lineno > since.get(name, sys.maxsize)):
        code = ast.unparse(statement).partition("\n")[0]
        raise UserError(
            f'{where}:{statement.lineno}: "{code}" may change {name}, which the workers need, but is not handed to them: '
            f'write it where {name} is defined, or, if it is a call that changes nothing, under if __name__ == "__main__"'
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
    nodes = [node for node in ast.walk(statement) if isinstance(node, (ast.Attribute, ast.Subscript))]
    return {_root(node) for node in nodes if not isinstance(node.ctx, ast.Load)} - {""}


def _called(statement: ast.stmt) -> set[str]:
    """A of `A.x()` where nothing is done with the answer."""
    calls = [n.value for n in ast.walk(statement) if isinstance(n, ast.Expr) and isinstance(n.value, ast.Call)]
    return {_root(call.func) for call in calls if isinstance(call.func, (ast.Attribute, ast.Subscript))} - {""}


def _root(node: ast.expr) -> str:
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _used(statement: ast.stmt) -> set[str]:
    """The names that a top-level statement takes from its module; what functions have of their own is none of these."""
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
    """SIZE of `class A: SIZE = SIZE`: a class takes a name of its own from the module as long as it has none."""
    found: set[str] = set()
    own: set[str] = set()
    for statement in cls.body:
        outside = [*statement.decorator_list, statement.args] if isinstance(statement, FUNCTIONS) else [statement]
        nodes = [node for part in outside for node in ast.walk(part) if isinstance(node, ast.Name)]
        found |= {node.id for node in nodes if isinstance(node.ctx, ast.Load)} - own
        own |= _bound(statement)
    return found & own
