"""Former names lead to the name of today, over any number of steps, and never round in a circle."""

from __future__ import annotations

from importlib import metadata
from typing import Any

import pytest

from lrfer_bench.plugins.former import names_of_today
from lrfer_bench.plugins.registry import Registry


def registry_of(monkeypatch: pytest.MonkeyPatch, former: dict[str, str]) -> Registry:
    """A registry with one thing, "today", as installed packages would describe it."""
    installed = {
        "a.former": [metadata.EntryPoint(old, new, "a.former") for old, new in former.items()],
        "a.group": [metadata.EntryPoint("today", "a:A", "a.group")],
    }

    def entry_points(group: str) -> Any:
        return installed[group]

    monkeypatch.setattr(metadata, "entry_points", entry_points)
    return Registry("method", "a.group", "a.former")


def test_a_chain_is_followed_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = {"later": "today", "first": "second", "second": "later"}
    registry = registry_of(monkeypatch, chain)
    assert {registry.current(name) for name in [*chain, "today"]} == {"today"}
    assert registry.entry("first").names == ("first", "second", "later", "today"), "oldest first"
    assert registry.current_label("second[size=4]") == "today[size=4]"
    assert registry.broken == {}


def test_a_circle_is_a_sentence_and_stops_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = registry_of(monkeypatch, {"a": "b", "b": "a", "into": "a", "old": "today"})
    assert registry.names() == ["today"]
    assert registry.entry("old").names == ("old", "today")
    assert set(registry.broken) == {"a.former a", "a.former b", "a.former into"}
    assert "in a circle: into -> a -> b -> a" in registry.broken["a.former into"]
    assert registry.current("a") == "a", "it means nothing else than itself"


def test_a_name_that_is_its_own_former_one_is_a_circle() -> None:
    assert names_of_today({"a": "a"})[0] == {}
