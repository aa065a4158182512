"""Imports of rooms go one way: `python tests/support/rooms.py` prints the graph.

Imports inside functions and under `if TYPE_CHECKING` count like any other.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import rooms
from folders import ROOT
from rooms import Arrow, arrows, circles, drawn, graph, levels, room_of

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

AT_THE_ROOT = {"__init__", "__main__", "api", "library", "errors", "keys", "files", "pixels"}
"""The only modules that lie loose in lrfer_bench; everything else is in a room."""

ONLY = {
    "errors": set(),
    "keys": set(),
    "pixels": set(),
    "files": {"errors"},
    "scoring": set(),
    "machine": set(),
    "contract": {"errors", "files", "pixels"},
    "methods": {"api"},
    "datasets": {"api"},
}
"""Rooms that import these of ours and no other."""


@pytest.fixture(scope="module")
def found() -> list[Arrow]:
    return arrows()


def test_no_circle(found: list[Arrow]) -> None:
    drawing = drawn(found)
    assert "Circle" not in drawing, drawing


def test_the_lowest_rooms_import_what_they_may(found: list[Arrow]) -> None:
    wrong = [str(arrow) for arrow in found if arrow.end not in ONLY.get(arrow.start, {arrow.end})]
    assert not wrong, "\n".join(wrong)


def test_only_listed_modules_lie_at_the_root() -> None:
    loose = {path.stem for path in (ROOT / "lrfer_bench").glob("*.py")}
    assert loose == AT_THE_ROOT, "put a new module into a room"


def test_every_room_is_installed() -> None:
    """pyproject.toml lists packages one by one: a forgotten one is missing in the wheel only."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = {
        module if path.name == "__init__.py" else module.rpartition(".")[0]
        for module, path in rooms.sources()
    }
    assert set(project["tool"]["setuptools"]["packages"]) == packages


def test_the_graph_has_the_great_arrows(found: list[Arrow]) -> None:
    """A parser that found nothing would find no circle."""
    drawing = graph(found)
    for start, end in (
        ("cli", "planning"),
        ("planning", "plugins"),
        ("running", "training"),
        ("reporting", "scoring"),
    ):
        assert end in drawing[start]
    assert len(drawing) > 20 and {arrow.when for arrow in found} == {"at once", "late", "typing"}
    order = levels(drawing)
    assert len(order) >= 5 and sum(len(line) for line in order) > 15


SMALL = {
    "lrfer_bench/errors.py": "",
    "lrfer_bench/first/__init__.py": "",
    "lrfer_bench/first/one.py": """
from typing import TYPE_CHECKING
from ..errors import Wrong
import lrfer_bench.second.two
if TYPE_CHECKING:
    from lrfer_bench.second import two
""",
    "lrfer_bench/second/__init__.py": "",
    "lrfer_bench/second/two.py": """
class Here:
    def late(self):
        from lrfer_bench.first.one import Thing
        from lrfer_bench import errors
""",
    "methods/mine.py": "from lrfer_bench.second.two import Here",
}


def test_every_kind_of_import_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in SMALL.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(rooms, "ROOT", tmp_path)
    monkeypatch.setattr(rooms, "PACKAGED", {"methods": tmp_path / "methods"})
    found = {(a.start, a.end, a.when, a.place.rpartition("/")[2]) for a in arrows()}
    assert found == {
        ("first", "errors", "at once", "one.py:3"),
        ("first", "second", "at once", "one.py:4"),
        ("first", "second", "typing", "one.py:6"),
        ("second", "first", "late", "two.py:4"),
        ("second", "errors", "late", "two.py:5"),
        ("methods", "second", "at once", "mine.py:1"),
    }
    assert circles(graph(arrows())) == [["first", "second"]]
    assert levels(graph(arrows())) == [["methods"], ["first + second"], ["errors"]]
    assert room_of("lrfer_bench") == "__init__" and room_of("lrfer_bench.first.one") == "first"
