"""Keys and sharing: what is trained once, and what makes a new key."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest

from lrfer_bench.contract.preset import preset_of
from lrfer_bench.errors import UserError
from lrfer_bench.planning.build import build_plan
from lrfer_bench.planning.plan import DataRef, Plan, subset
from lrfer_bench.planning.request import Request

DATA = DataRef("faces", "f" * 64, "/somewhere", ("a", "b", "c"), 1, (48, 48), False)
REFERENCES = ("oracle", "enlarge", "direct", "multires")


def plan(**changes: Any) -> Plan:
    asked: dict[str, Any] = {
        "methods": REFERENCES,
        "scales": (2, 4, 8),
        "preset": preset_of("cpu@1"),
        **changes,
    }
    data = asked.pop("data", DATA)
    return build_plan(Request(**asked), data)


def labels(found: Plan) -> list[tuple[str, int]]:
    return [(cell.method.name, cell.tested.scale) for cell in found.cells.values()]


def test_reference_rows_share_one_classifier() -> None:
    found = plan()
    trained = sorted((t.method.name, t.scales) for t in found.trainings.values())
    assert trained == [
        ("classifier", (1,)),
        ("direct", (2,)),
        ("direct", (4,)),
        ("direct", (8,)),
        ("multires", (1, 2, 4, 8)),
    ]
    assert labels(found) == [
        ("oracle", 1),
        *((name, scale) for name in ("enlarge", "direct", "multires") for scale in (2, 4, 8)),
    ]
    assert found.alone() == 10  # oracle 1, enlarge 3, direct 3, multires 3
    order = list(found.trainings)
    assert all(
        order.index(stage) < order.index(t.key)
        for t in found.trainings.values()
        for stage in t.stages.values()
    )


def test_cells_cross_training_and_test_conditions() -> None:
    found = plan(
        methods=("direct",), scales=(2, 4), test_protocols=("bicubic", "camera"), test_scales=(3, 6)
    )
    conditions = {
        (c.trained.scales, c.tested.protocol, c.tested.scale) for c in found.cells.values()
    }
    assert conditions == {
        ((a,), p, b) for a in (2, 4) for p in ("bicubic@1", "camera@1") for b in (3, 6)
    }
    assert len(found.trainings) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"seeds": (1,)},
        {"preset": preset_of("quick@1")},
        {"preset": dataclasses.replace(preset_of("cpu@1"), lr=0.05)},
        {"preset": dataclasses.replace(preset_of("cpu@1"), targets="soft")},
        {"data": dataclasses.replace(DATA, fingerprint="e" * 64)},
        {"protocols": ("area",)},
        {"settings": {"direct": {"arch": "resnet18"}}},
    ],
)
def test_any_change_makes_a_new_key(change: Mapping[str, Any]) -> None:
    before, after = plan(methods=("direct",)), plan(methods=("direct",), **change)
    assert not set(before.cells) & set(after.cells)
    assert not set(before.trainings) & set(after.trainings)


@pytest.mark.parametrize(
    "change",
    [
        {"data": dataclasses.replace(DATA, directory="/elsewhere", name="other")},
        {"scales": (8, 4, 2)},
    ],
)
def test_paths_names_and_order_are_in_no_key(change: Mapping[str, Any]) -> None:
    assert set(plan().cells) == set(plan(**change).cells)


def test_another_method_or_scale_moves_no_key() -> None:
    few, many = plan(methods=("direct",), scales=(4,)), plan(scales=(2, 4, 8), seeds=(0, 1))
    assert set(few.cells) < set(many.cells)


def test_stage_settings_move_the_cells_that_rest_on_it_and_no_others() -> None:
    before, after = plan(), plan(settings={"classifier": {"arch": "resnet18"}})
    kept = {cell.method.name for key, cell in before.cells.items() if key in after.cells}
    assert kept == {"direct", "multires"}


PINNED = {
    "cpu@1": {
        "oracle": "bc9f4b716b73",
        "enlarge": "03efa9203241",
        "direct": "a77d5abaaf55",
        "multires": "11f3c883b90b",
    },
    "cpu@2": {
        "oracle": "7065e1021fa3",
        "enlarge": "a793954026d3",
        "direct": "eec32e2b3e36",
        "multires": "8ab599a43463",
    },
    "quick@2": {
        "oracle": "e161783162ef",
        "enlarge": "f81cf1b5d97e",
        "direct": "94e6f62883ec",
        "multires": "59739e73f189",
    },
}
"""The first 12 digits of each key, by preset."""


@pytest.mark.parametrize("preset", list(PINNED))
def test_keys_are_pinned(preset: str) -> None:
    """Published results are found again by these; a change here is a change of rules."""
    cells = plan(scales=(4,), preset=preset_of(preset)).cells
    assert {cell.method.name: key[:12] for key, cell in cells.items()} == PINNED[preset]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"methods": ("drect",)}, '"drect": did you mean "direct"'),
        ({"protocols": ("bicubik",)}, '"bicubik": did you mean "bicubic"'),
        ({"protocols": ("bicubic@9",)}, "bicubic@9"),
        ({"scales": (0,)}, "scale 0"),
        ({"scales": (-4,)}, "scale -4"),
        ({"test_scales": (64,)}, "larger"),
        ({"scales": (2, 2)}, "twice"),
        ({"methods": ()}, "no method"),
        ({"settings": {"direct": {"arc": "lean"}}}, '"arc": did you mean "arch"'),
        ({"settings": {"direct": {"input_size": "wide"}}}, "direct.input_size is 'wide'"),
        ({"settings": {"direct": {"pretrained": "perhaps"}}}, "true or false"),
        ({"settings": {"drect": {"arch": "lean"}}}, 'did you mean "direct"'),
    ],
)
def test_wrong_requests_are_refused_in_one_sentence(change: Mapping[str, Any], words: str) -> None:
    with pytest.raises(UserError) as caught:
        plan(**change)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_subset_keeps_what_its_cells_rest_on() -> None:
    found = plan()
    part = subset(found, [c for c in found.cells.values() if c.method.name == "enlarge"])
    assert [t.method.name for t in part.trainings.values()] == ["classifier"]
    assert len(part.cells) == 3


def test_a_label_brings_settings_for_its_row_only() -> None:
    by_option = plan(methods=("gmenet",), settings={"gmenet": {"kd_weight": 3}})
    both = plan(methods=("gmenet", "gmenet[kd_weight=3]"))
    assert set(by_option.cells) < set(both.cells) and len(both.cells) == 6
    assert [t.scales for t in both.trainings.values()].count((1,)) == 1, (
        "one teacher for every weight"
    )
    assert sum("gmenet[kd_weight=3.0]" in cell.label for cell in both.cells.values()) == 3
    resnet = plan(
        methods=("direct[arch=resnet18]", "enlarge"), settings={"direct": {"pretrained": False}}
    )
    assert {t.method.settings["arch"] for t in resnet.trainings.values()} == {"resnet18", "preset"}


@pytest.mark.parametrize(
    "label", ["gmenet[kd_weight]", "gmenet[kd_weight=1", "gmenet[]", "[kd_weight=1]", "gmenet[=1]"]
)
def test_a_label_that_is_none_is_refused(label: str) -> None:
    with pytest.raises(UserError, match="write NAME"):
        plan(methods=(label,))


def test_a_label_with_an_unknown_name_or_setting_is_refused() -> None:
    with pytest.raises(UserError, match='"gmnet"'):
        plan(methods=("gmnet[kd_weight=1]",))
    with pytest.raises(UserError, match='"weight"'):
        plan(methods=("gmenet[weight=1]",))


def test_a_former_name_means_the_same_cells_under_the_same_keys() -> None:
    now, before = plan(methods=("enlarge",)), plan(methods=("bicubic",))
    assert list(now.cells) == list(before.cells) and list(now.trainings) == list(before.trainings)
    assert {cell.method.name for cell in before.cells.values()} == {"enlarge"}
    with pytest.raises(UserError, match="twice"):
        plan(methods=("bicubic", "enlarge"))
