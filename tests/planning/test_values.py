"""Values meet defaults: one spelling for each, so that one setting has one key and one name."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pytest
import registries
from made import data_ref

from lrfer_bench.api import register_method
from lrfer_bench.contract.method import Method
from lrfer_bench.contract.preset import preset_of
from lrfer_bench.errors import UserError
from lrfer_bench.keys import canonical_json, same
from lrfer_bench.planning.build import build_plan
from lrfer_bench.planning.request import Request
from lrfer_bench.planning.settings import complete_settings, types_of
from lrfer_bench.planning.settings_file import read_settings_file
from lrfer_bench.plugins.registry import METHODS

if TYPE_CHECKING:
    from lrfer_bench.contract.method import Task

WIDTHS = (4, 4)


class Many(Method):
    """A setting of each kind; the type of `task` is for a type checker only."""

    def __init__(
        self,
        task: Task,
        *,
        whole: int = 0,
        real: float = 0.0,
        yes: bool = True,
        word: str = "lean",
        maybe: int | None = 3,
        real_or_none: float | None = None,
        word_or_none: str | None = None,
        lean_or_none: str | None = "lean",
        anything: Any = None,
        mode: Literal["a", "b"] = "a",
        widths: tuple[int, ...] = WIDTHS,
        words: list[str] | None = None,
        table: dict[str, float] = {"a": 1.0},  # noqa: B006
    ) -> None: ...


def value(setting: str, given: Any) -> Any:
    return complete_settings("many", Many, {setting: given})[setting]


@pytest.mark.parametrize(
    ("setting", "given", "meant"),
    [
        ("whole", "0.0", 0), ("whole", 0.0, 0), ("whole", np.int64(2), 2), ("whole", "0.5", 0.5),
        ("real", "2", 2.0), ("real", 2, 2.0), ("real", np.float32(2), 2.0),
        ("yes", "1", True), ("yes", 0, False), ("yes", 1.0, True), ("yes", "False", False),
        ("word", 3, "3"), ("word", Path("a.pth"), "a.pth"), ("word", "none", "none"),
        ("maybe", "none", None), ("maybe", None, None), ("maybe", "4.0", 4),
        ("real_or_none", "2", 2.0), ("real_or_none", "none", None),
        ("word_or_none", "2", "2"), ("word_or_none", "none", None),
        ("lean_or_none", "none", None), ("lean_or_none", "null", None),
        ("lean_or_none", None, None), ("lean_or_none", "small", "small"),
        ("anything", "2", 2), ("anything", "[1, 2]", [1, 2]), ("anything", "[1", "[1"),
        ("mode", "b", "b"),
        ("widths", "[4.0,4]", (4, 4)), ("widths", [8, "8"], (8, 8)), ("widths", "[]", ()),
        ("words", '["a,b"]', ["a,b"]), ("words", "none", None),
        ("table", '{"b": 2}', {"b": 2}),
    ],
)  # fmt: skip
def test_a_value_takes_the_type_of_its_setting(setting: str, given: Any, meant: Any) -> None:
    found = value(setting, given)
    assert canonical_json(found) == canonical_json(meant) and type(found) is type(meant)


@pytest.mark.parametrize(
    ("setting", "given", "words"),
    [
        ("whole", "true", "whole is 'true': it takes a number"), ("real", True, "takes a number"),
        ("real", "none", "takes a number"), ("real", None, "takes a number"),
        ("real", [1.0], "takes a number"), ("real_or_none", "much", "takes a number"),
        ("yes", "none", "takes true or false"), ("yes", 2, "takes true or false"),
        ("word", None, "takes a text"), ("word", False, "takes a text"),
        ("whole", 1e30, "below 2"), ("real", math.inf, "finite number"),
        ("widths", "4,4", r"such as \[4, 4\]"), ("widths", "[4,NaN]", "finite number"),
        ("widths", ["a"], r"many\.widths\[0\] is 'a': it takes a number"),
        ("word", "a\udcfc", r"many\.word is a\\udcfc, which is not Unicode"),
        ("words", ["a\udcfc"], "not Unicode"), ("table", {"\udcfc": 1.0}, "not Unicode"),
        ("anything", '["\\ud800"]', "not Unicode"),
        ("table", {1: 2.0}, 'many.table has the name 1 in a dict: write names as texts.*"1"'),
        ("anything", [{None: 1}], 'has the name None in a dict'),
        ("table", [1], "such as"), ("anything", {1, 2}, "is a set: give a number"),
    ],
)  # fmt: skip
def test_a_value_of_another_type_is_refused(setting: str, given: Any, words: str) -> None:
    with pytest.raises(UserError, match=words):
        value(setting, given)


def test_types_that_only_a_type_checker_knows_hide_no_others() -> None:
    class Own(Method):
        def __init__(self, task: Unknown, *, x: int | None = None) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    assert types_of(Own)["x"] == int | None and "task" not in types_of(Own)


@pytest.fixture
def many() -> Iterator[None]:
    with registries.kept():
        register_method("many")(Many)
        yield


def keys(*methods: str, **words: Any) -> tuple[list[str], list[str]]:
    """Keys of cells, and how rows are called."""
    plan = build_plan(Request(methods, scales=[2], preset=preset_of("quick"), **words), data_ref())
    return list(plan.cells), [cell.method.label for cell in plan.cells.values()]


@pytest.mark.parametrize(
    ("method", "setting", "spellings"),
    [
        ("direct", "input_size", ["0.0", 0.0, 0]), ("fskd", "hint", ["1", 1, True, "true"]),
        ("gmenet", "heads", ["1.0", 1.0]), ("kd", "kd_weight", ["1", 1, 1.0]),
        ("many", "widths", ["[4,4]", [4, 4], [4.0, 4], (4, 4)]), ("many", "whole", [False + 0.0]),
    ],
)  # fmt: skip
def test_a_default_in_another_spelling_is_the_default(
    many: None, method: str, setting: str, spellings: list[Any], tmp_path: Path
) -> None:
    plain = keys(method)
    for given in spellings:
        assert keys(method, settings={method: {setting: given}}) == plain
        if isinstance(given, str):
            assert keys(f"{method}[{setting}={given}]") == plain
    (tmp_path / "s.toml").write_text(f"[settings.{method}]\n{setting} = {spellings[0]}\n")
    assert keys(method, file=read_settings_file(tmp_path / "s.toml")) == plain


def test_one_value_has_one_key_and_name_by_every_road(many: None) -> None:
    assert keys("gmenet[heads=2]") == keys("gmenet[heads=2.0]")
    assert keys("many[widths=[8,2],whole=2]") == keys(
        "many", settings={"many": {"widths": (8.0, 2), "whole": 2.0}}
    )


def test_a_method_sees_a_dict_in_the_order_of_its_names(many: None) -> None:
    """Dicts that differ in order alone have one key; a default is a dict like any other."""

    class Mixed(Many):
        def __init__(self, task: Any, *, table: Any = {"z": 1, "b": {"d": 1, "c": 2}}) -> None: ...  # noqa: B006

    found = complete_settings("mixed", Mixed, {})["table"]
    assert list(found) == ["b", "z"] and list(found["b"]) == ["c", "d"]
    for given in ({"b": 1.0, "a": [{"d": 1, "c": 2}]}, {"a": [{"c": 2, "d": 1}], "b": 1.0}):
        assert str(value("table", given)) == "{'a': [{'c': 2, 'd': 1}], 'b': 1.0}"
    register_method("mixed")(Mixed)
    (cell,) = build_plan(
        Request(["mixed"], scales=[2], preset=preset_of("quick")), data_ref()
    ).cells.values()
    assert list(cell.method.settings["table"]) == ["b", "z"]


@pytest.mark.parametrize(
    ("default", "words"), [({1: 2.0}, "has the name 1 in a dict"), ("\udcfc", "not Unicode")]
)
def test_a_default_that_no_record_could_hold_is_refused(
    many: None, default: Any, words: str
) -> None:
    class Odd(Many):
        def __init__(self, task: Any, *, table: Any = default) -> None: ...

    register_method("odd")(Odd)
    with pytest.raises(UserError, match=f'the default of its setting "table" .*{words}'):
        keys("odd")


@pytest.mark.parametrize("label", ["kd[kd_weight=true]", "kd[kd_weight=none]", "fskd[hint=none]"])
def test_what_would_pass_for_a_number_is_refused(label: str) -> None:
    with pytest.raises(UserError, match="it takes"):
        keys(label)


def test_what_has_another_key_has_another_name(many: None) -> None:
    """An author's canonical_settings() may answer with another type."""

    class Odd(Many):
        @classmethod
        def canonical_settings(cls, settings: Any, preset: Any) -> Any:
            return {**settings, "real": int(settings["real"]) if settings["whole"] else 0.0}

    register_method("odd")(Odd)
    (key, *_), (name, *_) = keys("odd[whole=1]")
    assert name == "odd[real=0,whole=1]" and [key] != keys("odd")[0]
    assert METHODS.load("odd") is Odd and not same(0, 0.0)
