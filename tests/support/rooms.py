"""Which room of lrfer_bench imports which, read from the source: `python tests/support/rooms.py`
prints the arrows.

A room is a folder of lrfer_bench (with what lies below it), `methods`, `datasets`, or a module at
the root of the package.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from folders import ROOT

PACKAGE = "lrfer_bench"
PACKAGED = {"methods": ROOT / "methods", "datasets": ROOT / "datasets"}
"""Folders beside lrfer_bench that are installed as lrfer_bench.methods and lrfer_bench.datasets."""

When = Literal["at once", "late", "typing"]
"""At once: when the file is imported. Late: inside a function. Typing: under `if TYPE_CHECKING`."""

Graph = Mapping[str, Sequence[str]]


class Arrow(NamedTuple):
    """One import of one room by another."""

    start: str
    end: str
    when: When
    place: str  # file:line, from the root of the checkout
    module: str  # what is imported

    def __str__(self) -> str:
        return f"{self.start} -> {self.end}: {self.place} imports {self.module} ({self.when})"


def sources() -> Iterator[tuple[str, Path]]:
    """(module, file) of everything that is installed."""
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        yield _module(PACKAGE, path.relative_to(ROOT / PACKAGE)), path
    for name, folder in PACKAGED.items():
        for path in sorted(folder.rglob("*.py")):
            yield _module(f"{PACKAGE}.{name}", path.relative_to(folder)), path


def _module(package: str, path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join([package, *(parts[:-1] if parts[-1] == "__init__" else parts)])


def room_of(module: str) -> str:
    """`lrfer_bench.store.merge` -> store; `lrfer_bench` itself is the room __init__."""
    return [*module.split("."), "__init__"][1]


def arrows() -> list[Arrow]:
    """Every import of one room by another, in the order of files and lines."""
    modules = dict(sources())
    found = []
    for module, path in modules.items():
        for node, when in _imports(ast.parse(path.read_text(encoding="utf-8")), "at once"):
            place = f"{path.relative_to(ROOT)}:{node.lineno}"
            package = module if path.name == "__init__.py" else module.rpartition(".")[0]
            found += [
                Arrow(room_of(module), room_of(target), when, place, target)
                for target in _targets(node, package, modules)
                if room_of(target) != room_of(module)
            ]
    return found


def _imports(node: ast.AST, when: When) -> Iterator[tuple[ast.Import | ast.ImportFrom, When]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.Import, ast.ImportFrom)):
            yield child, when
        elif isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            yield from _imports(child, "late" if when == "at once" else when)
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            yield from _imports(child, "typing")
        else:
            yield from _imports(child, when)


def _targets(
    node: ast.Import | ast.ImportFrom, package: str, modules: Mapping[str, Path]
) -> Iterator[str]:
    """Our modules that a statement imports.

    A name from a package may be a module of it, or stand in its __init__.
    """
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    else:
        above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
        base = ".".join([*above, *([node.module] if node.module else [])])
        inside = [f"{base}.{alias.name}" for alias in node.names]
        names = [name if name in modules else base for name in inside]
    yield from dict.fromkeys(name for name in names if name.split(".")[0] == PACKAGE)


def graph(found: Sequence[Arrow]) -> Graph:
    """For each room the rooms that it imports."""
    ends: dict[str, set[str]] = defaultdict(set)
    for arrow in found:
        ends[arrow.start].add(arrow.end)
        ends[arrow.end]  # every room has a line of its own
    return {room: sorted(ends[room]) for room in sorted(ends)}


def circles(rooms: Graph) -> list[list[str]]:
    """The sets of rooms that reach each other.

    They are strongly connected components of more than one room.
    """
    reach = {room: _reachable(room, rooms) for room in rooms}
    groups = {tuple(sorted(b for b in reach[a] if a in reach[b])) for a in rooms if a in reach[a]}
    return [list(group) for group in sorted(groups)]


def _reachable(room: str, rooms: Graph) -> set[str]:
    seen: set[str] = set()
    waiting = list(rooms[room])
    while waiting:
        here = waiting.pop()
        if here not in seen:
            seen.add(here)
            waiting += rooms[here]
    return seen


def levels(rooms: Graph) -> list[list[str]]:
    """From the top down: each line imports only what stands on lines below it; a circle is one."""
    together = {room: tuple(circle) for circle in circles(rooms) for room in circle}
    group = {room: together.get(room, (room,)) for room in rooms}
    below = {
        one: {group[end] for room in one for end in rooms[room]} - {one} for one in group.values()
    }
    depth: dict[tuple[str, ...], int] = {}

    def deep(one: tuple[str, ...]) -> int:
        if one not in depth:
            depth[one] = 1 + max(map(deep, below[one]), default=-1)
        return depth[one]

    for one in below:
        deep(one)
    return [
        sorted(" + ".join(one) for one in depth if depth[one] == level)
        for level in range(max(depth.values()), -1, -1)
    ]


def drawn(found: Sequence[Arrow]) -> str:
    """The graph as text.

    It has the arrows of each room, the rooms from the top down, and circles with their lines.
    """
    rooms, lines = graph(found), []
    kinds: dict[tuple[str, str], set[str]] = defaultdict(set)
    for arrow in found:
        kinds[arrow.start, arrow.end].add(arrow.when)
    for room, ends in rooms.items():
        marked = [
            end
            if "at once" in kinds[room, end]
            else f"{end} ({', '.join(sorted(kinds[room, end]))})"
            for end in ends
        ]
        lines.append(f"{room:12} -> {', '.join(marked) or 'nothing of ours'}")
    lines += ["", "From the top down:", *("  " + ", ".join(level) for level in levels(rooms))]
    for circle in circles(rooms):
        lines += ["", f"Circle: {', '.join(circle)}"]
        lines += [f"  {arrow}" for arrow in found if {arrow.start, arrow.end} <= set(circle)]
    return "\n".join(lines)


if __name__ == "__main__":
    print(drawn(arrows()))
