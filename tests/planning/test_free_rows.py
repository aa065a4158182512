"""Rows that cost no training beside what is asked for, and the line that says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import registries
from folders import PLUGINS

from lrfer_bench.contract.preset import preset_of
from lrfer_bench.planning.build import build_plan
from lrfer_bench.planning.free_rows import free_rows, sentence
from lrfer_bench.planning.plan import DataRef
from lrfer_bench.planning.request import Request
from lrfer_bench.running.session import open_session

DATA = DataRef("faces", "f" * 64, "/somewhere", ("a", "b", "c"), 1, (48, 48), False)


def free(*methods: str, **more: Any) -> list[str]:
    request = Request(methods=methods, scales=(2, 4), preset=preset_of("cpu"), **more)
    return list(free_rows(request, DATA, build_plan(request, DATA)))


def test_a_method_that_rests_on_the_hr_classifier_brings_the_ceiling_and_the_floor() -> None:
    assert free("cascade") == ["oracle", "enlarge"]
    assert free("cascade", settings={"classifier": {"epochs": "2x"}}) == ["oracle", "enlarge"]


def test_what_would_have_to_be_trained_is_not_called_free() -> None:
    assert free("direct") == [] and free("direct", "multires") == []


def test_what_is_asked_for_is_not_offered_under_any_of_its_names() -> None:
    assert free("cascade", "bicubic") == ["oracle"]
    assert free("oracle", "enlarge", "cascade") == []


def test_a_run_says_it_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LRFER_CACHE", str(tmp_path / "cache"))
    with registries.kept():
        asked: dict[str, Any] = {"dataset": "tinyfaces", "scales": [2], "results": tmp_path}
        plugins = [PLUGINS / "tiny.py"]
        notes = open_session(Request(["cascade"], plugins=plugins, **asked)).plan.notes
        assert [note for note in notes if "no cost" in note] == [sentence(["oracle", "enlarge"])]
        assert not any(
            "no cost" in note
            for note in open_session(Request(["direct"], plugins=plugins, **asked)).plan.notes
        )
    assert "\n" not in sentence(["oracle"]) and "rests" in sentence(["oracle"])


@pytest.fixture(autouse=True)
def _kept() -> Iterator[None]:
    with registries.kept():
        yield
