"""The way from `--methods` to a record in docs/architecture.md is the way of the code."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from folders import ROOT

MOST = 25
"""A reader who follows a name to its record should not have to open more functions."""

PACKAGE = ROOT / "lrfer_bench"
ROW = re.compile(r"^\| (\d+) \| `([\w/]+\.py): ([\w.]+)` \|", re.MULTILINE)


def rows() -> list[tuple[Path, str]]:
    """(file, function or Class.method) of each row, in order."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    found = ROW.findall(text)
    assert [int(number) for number, _, _ in found] == list(range(1, len(found) + 1))
    return [(PACKAGE / file, function) for _, file, function in found]


@cache
def definition(file: Path, function: str) -> ast.AST:
    """The function; for a method its class, whose methods share the work."""
    tree: ast.Module | ast.ClassDef = ast.parse(file.read_text(encoding="utf-8"))
    *holders, last = function.split(".")
    for name in holders:
        tree = next(
            node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name
        )
    found = next(
        (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == last),
        None,
    )
    assert found is not None, f"{file.relative_to(ROOT)} has no {function}"
    return tree if holders else found


def names(node: ast.AST) -> set[str]:
    """Every function that is called in it, or handed to a call."""
    found = set()
    for call in (part for part in ast.walk(node) if isinstance(part, ast.Call)):
        for part in (call.func, *call.args, *(word.value for word in call.keywords)):
            if isinstance(part, ast.Name | ast.Attribute):
                found.add(part.id if isinstance(part, ast.Name) else part.attr)
    return found


def test_it_is_short() -> None:
    assert 10 < len(rows()) <= MOST


@pytest.mark.parametrize(("file", "function"), rows(), ids=[function for _, function in rows()])
def test_each_function_is_reached_from_one_before_it(file: Path, function: str) -> None:
    way = rows()
    here = way.index((file, function))
    name = function.rpartition(".")[2]
    before = [definition(*row) for row in way[:here]]
    assert definition(file, function) is not None
    assert not before or any(name in names(node) for node in before), (
        f"nothing before row {here + 1} of docs/architecture.md refers to {function}"
    )


def test_a_function_that_nobody_calls_is_found() -> None:
    file = PACKAGE / "files.py"
    assert "save" not in names(definition(file, "write_atomically"))
    with pytest.raises(AssertionError, match="has no nobody"):
        definition(file, "nobody")
