"""The user's own modules that a text imports, at any remove: their code counts in its key."""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from pathlib import Path

from lrfer_bench.errors import UserError
from lrfer_bench.plugins.blame import is_installed

OURS = "lrfer_bench"
"""Installed from a checkout it would look like a user's."""


def neighbours(text: str | bytes, module: str) -> dict[str, str]:
    """Name -> sha256 of the file of each module that a text of this module rests on.

    The same whatever was imported so far. Left out are the files of the module itself and of the
    script, what is installed, and what has no file of Python's. UserError for a file that cannot
    be read.
    """
    found: dict[str, str] = {}
    known = sys.modules.get(module)
    own = {getattr(each, "__file__", None) for each in (known, sys.modules.get("__main__"))}
    waiting = list(_imported(text, getattr(known, "__package__", None) or ""))
    while waiting:
        name = waiting.pop()
        spec = _spec(name)
        if spec is None or name in found or not _is_users(spec) or spec.origin in own:
            continue
        content = _content(Path(str(spec.origin)))
        found[name] = hashlib.sha256(content).hexdigest()
        inside = spec.submodule_search_locations is not None
        waiting += _imported(content, name if inside else name.rpartition(".")[0])
    return dict(sorted(found.items()))


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UserError(
            f"{file} cannot be read ({error.strerror}), and a class of yours imports it"
        ) from error


def _imported(text: str | bytes, package: str) -> Iterator[str]:
    """The modules that the statements of a text name, and the packages that they are in.

    None where it does not parse, as code for another Python behind a try: its file counts all the
    same.
    """
    yield from _with_packages(package)
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return
    for node in _run(tree):
        if isinstance(node, ast.Import):
            for each in node.names:
                yield from _with_packages(each.name)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: -node.level + 1 or None] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from _with_packages(base)
            yield from (f"{base}.{each.name}" for each in node.names)  # it may be a module


def _run(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those that only a type checker reads."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            waiting += node.orelse
        else:
            waiting += ast.iter_child_nodes(node)


def _with_packages(name: str) -> Iterator[str]:
    """a, a.b and a.b.c of a.b.c"""
    parts = name.split(".")
    yield from (".".join(parts[: k + 1]) for k in range(len(parts)) if parts[k])


def _spec(name: str) -> ModuleSpec | None:
    """Where a module comes from; nothing is imported to find out."""
    above = name.rpartition(".")[0]
    try:
        if not above:
            return find_spec(name)
        package = _spec(above)
        places = package.submodule_search_locations if package else None
        return PathFinder.find_spec(name, places) if places is not None else None
    except (ImportError, ValueError, AttributeError):
        return None


def _is_users(spec: ModuleSpec) -> bool:
    """Whether a module is the user's: neither installed, nor ours, nor a plugin file of ours."""
    top, file = spec.name.partition(".")[0], spec.origin
    if top == OURS or top.startswith("lrfer_plugin_") or not spec.has_location or not file:
        return False
    return file.endswith(".py") and not is_installed(file)
