"""A path that a page names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from folders import ROOT

PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
TOP = ("lrfer_bench", "methods", "datasets", "benchmarks", "tests", "docs")
STALE: set[str] = set()
"""Pages that wait to be redrawn. Only ever remove from this list."""


def missing(text: str) -> set[str]:
    """Paths below TOP, in backticks, that are not there.

    One with a placeholder in capitals is not looked for.
    """
    named = set(re.findall(rf"`((?:{'|'.join(TOP)})/[\w./-]+)`", text))
    return {
        path for path in named if not re.search("[A-Z]{3,}", path) and not (ROOT / path).exists()
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_path_is_there(page: Path) -> None:
    found = missing(page.read_text(encoding="utf-8"))
    if page.name in STALE:
        assert found, f"good: take {page.name} off the list STALE"
    else:
        assert not found


def test_a_path_that_is_gone_is_found() -> None:
    text = "`tests/nowhere.py`, `tests/conftest.py`, `methods/NAME.py`, `tests/scoring/`, `report/`"
    assert missing(text) == {"tests/nowhere.py"}
