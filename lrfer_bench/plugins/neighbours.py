"""The user's own modules that a text imports, at any remove: their code counts in its key."""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from lrfer_bench.plugins.blame import is_installed


def neighbours(text: str | bytes, module: str) -> dict[str, str]:
    """Name -> sha256 of the file of each module that a text of this module rests on.

    Left out are the module itself, what is installed, and what has no file of Python's.
    """
    found: dict[str, str] = {}
    waiting = list(_imported(text, module))
    while waiting:
        name = waiting.pop()
        file = _own_file(name)
        if file is None or name in found or name == module:
            continue
        content = file.read_bytes()
        found[name] = hashlib.sha256(content).hexdigest()
        waiting += _imported(content, name)
    return dict(sorted(found.items()))


def _imported(text: str | bytes, module: str) -> Iterator[str]:
    """The modules that the statements of a text name, and the packages that they are in."""
    package = getattr(sys.modules.get(module), "__package__", None) or ""
    yield from _with_packages(package)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            for each in node.names:
                yield from _with_packages(each.name)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: -node.level + 1 or None] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from _with_packages(base)
            yield from (f"{base}.{each.name}" for each in node.names)  # it may be a module


def _with_packages(name: str) -> Iterator[str]:
    """a, a.b and a.b.c of a.b.c"""
    parts = name.split(".")
    yield from (".".join(parts[: k + 1]) for k in range(len(parts)) if parts[k])


def _own_file(name: str) -> Path | None:
    """The file of a module that is neither installed nor one of our own plugin files."""
    known = sys.modules.get(name)
    place = getattr(known, "__file__", None) if known else _place(name)
    if not place or not place.endswith(".py") or name.startswith("lrfer_plugin_"):
        return None
    return None if is_installed(place) or not Path(place).is_file() else Path(place)


def _place(name: str) -> str | None:
    """Where a module that was not imported yet would come from; nothing is run to find out."""
    above = name.rpartition(".")[0]
    if above and above not in sys.modules:
        return None
    try:
        spec = find_spec(name)
    except (ImportError, ValueError, AttributeError):
        return None
    return spec.origin if spec else None
