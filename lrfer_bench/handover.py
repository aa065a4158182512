"""The third door: classes of a script, a notebook or a module, handed to worker processes, which start without them.

What a worker gets is a plugin file: the definitions that a class rests on, cut out of its script with their line numbers
kept, so that nothing else of the script runs again; or, for a class of an importable module, a line that imports it.
"""

from __future__ import annotations

import ast
import hashlib
import re
import sys
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lrfer_bench.errors import UserError
from lrfer_bench.files import write_atomically
from lrfer_bench.registry import (
    DATASETS,
    METHODS,
    PLUGIN_ERRORS,
    PROTOCOLS,
    REGISTRIES,
    Entry,
    Registry,
    load_plugin,
    plugin_module,
)

FOLDER = "plugins"
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
    target = _target(cls)
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
    installed = any(entry.target == _target(cls) and entry.loaded is None for entry in registry)
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


def _target(cls: type) -> str:
    return f"{cls.__module__}:{cls.__qualname__}"


def _hand_over_module(registry: Registry, module: str, group: list[tuple[str, type]], results: Path) -> Path:
    stem, text = _plugin_text(registry, module, group)
    digest = hashlib.sha256(text.encode()).hexdigest()
    file = Path(results).resolve() / FOLDER / digest[:12] / f"{stem}.py"
    if not file.is_file():
        write_atomically(file, text.encode())
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
        registry.restore(Entry(registry.kind, name, _target(cls), ""))
    return file


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
    return stem, definitions(source, names) + "\n".join(["", *last]) + "\n"


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
    lines = ["" if line.lstrip().startswith(("%", "!", "?")) else line for line in cell.splitlines()]
    try:
        ast.parse("\n".join(lines))
    except SyntaxError:
        return ""
    return "\n".join(lines)


def definitions(text: str, names: Iterable[str]) -> str:
    """The top-level statements that define names, and what these rest on; every other line is left empty.

    Only what binds a name is kept: imports, functions, classes and assignments. Calls that stand alone are not.

    >>> definitions("import os\\nimport sys\\nX = 2\\nprint(X)\\nclass A:\\n    y = X", ["A"]).split("\\n")
    ['', '', 'X = 2', '', 'class A:', '    y = X']
    """
    body = ast.parse(text).body
    binders: dict[str, list[ast.stmt]] = {}
    kept: set[int] = set()
    for statement in body:
        if _is_main_guard(statement):
            continue
        for name in _bound(statement):
            binders.setdefault(name, []).append(statement)
        if isinstance(statement, ast.ImportFrom) and (
            statement.module == "__future__" or statement.names[0].name == "*"
        ):
            kept.add(id(statement))
    waiting, seen = list(names), set()
    while waiting:
        name = waiting.pop()
        if name in seen or name not in binders:
            continue
        seen.add(name)
        last = binders[name][-1]
        whole = isinstance(last, (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom))
        for statement in [last] if whole else binders[name]:
            kept.add(id(statement))
            waiting += [node.id for node in ast.walk(statement) if isinstance(node, ast.Name)]
    lines = text.splitlines()
    out = [""] * len(lines)
    for statement in (s for s in body if id(s) in kept):
        first = min([statement.lineno, *(d.lineno for d in getattr(statement, "decorator_list", []))])
        out[first - 1 : statement.end_lineno] = lines[first - 1 : statement.end_lineno]
    return "\n".join(out)


def _is_main_guard(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and any(
        isinstance(node, ast.Name) and node.id == "__name__" for node in ast.walk(statement.test)
    )


def _bound(statement: ast.stmt) -> set[str]:
    """The names that a top-level statement gives a meaning."""
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {statement.name}
    found = set()
    for node in ast.walk(statement):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            found |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return found
