"""What the user changed of a row's stages is known beside the row, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import registries

from lrfer_bench.api import Method, register_method
from lrfer_bench.contract.preset import preset_of
from lrfer_bench.planning.build import build_plan
from lrfer_bench.planning.plan import DataRef
from lrfer_bench.planning.request import Request
from lrfer_bench.planning.settings_file import SettingsFile
from lrfer_bench.running.records import failed_record

DATA = DataRef("faces", "f" * 64, "/somewhere", ("a", "b", "c"), 1, (48, 48), False)


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    with registries.kept():
        yield


def told(*methods: str, **asked: Any) -> dict[str, tuple[str, ...]]:
    request = Request(methods=methods, scales=(4,), preset=preset_of("cpu@1"), **asked)
    return {c.method.label: c.stage_settings for c in build_plan(request, DATA).cells.values()}


def test_rows_on_a_changed_stage_say_so() -> None:
    settings = {"classifier": {"epochs": "4x"}, "superres": {"blocks": 3}}
    assert told("oracle", "kd", "direct", "cascade", settings=settings) == {
        "oracle": ("classifier[epochs=4x]",),
        "kd": ("classifier[epochs=4x]",),
        "direct": (),
        "cascade": ("classifier[epochs=4x]", "superres[blocks=3]"),
    }
    assert told("oracle", settings={"classifier": {"epochs": "1x"}}) == {"oracle": ()}


def test_so_they_do_where_a_settings_file_says_it() -> None:
    file = SettingsFile(settings={"classifier": {"epochs": "2x"}})
    assert told("oracle", file=file) == {"oracle": ("classifier[epochs=2x]",)}


def test_what_a_method_asks_of_its_stages_itself_is_no_change() -> None:
    assert set(told("gmenet", "askd", "qualnet", "mafer").values()) == {()}
    assert told("gmenet[kd_weight=3]") == {"gmenet[kd_weight=3.0]": ()}
    changed = {"gmenet": {"heads": 2}}
    assert told("gmenet", settings=changed) == {"gmenet[heads=2]": ()}


def test_stages_of_stages_count() -> None:
    @register_method("upper")
    class Upper(Method):
        """On a method that rests on the classifier."""

        needs = {"below": "kd@lr"}

    assert told("upper", settings={"classifier": {"epochs": "4x"}}) == {
        "upper": ("classifier[epochs=4x]",)
    }


def test_a_record_keeps_it_also_of_a_cell_that_failed() -> None:
    request = Request(
        methods=("oracle",), preset=preset_of("cpu@1"), settings={"classifier": {"epochs": "4x"}}
    )
    (cell,) = build_plan(request, DATA).cells.values()
    assert failed_record(cell, "no memory").method.stage_settings == ["classifier[epochs=4x]"]
