"""The setting `epochs`, and settings that came later: rows and keys of their own, or none."""

from __future__ import annotations

from typing import Any

import pytest
from made import made_faces, tiny_preset
from small_models import fitted, plan_of

from lrfer_bench.api import Method
from lrfer_bench.contract.preset import preset_of
from lrfer_bench.errors import UserError
from lrfer_bench.planning.declared import checked
from lrfer_bench.planning.plan import Plan
from lrfer_bench.plugins.registry import METHODS, Entry


def keys(plan: Plan) -> set[str]:
    return {*plan.trainings, *plan.cells}


def test_three_times_the_budget_is_a_row_of_its_own() -> None:
    plan = plan_of(["direct", "direct[epochs=3x]"], (4,), tiny_preset(epochs=10))
    assert [t.preset.epochs for t in plan.trainings.values()] == [10, 30]
    assert [cell.method.label for cell in plan.cells.values()] == ["direct", "direct[epochs=3x]"]
    assert {cell.preset.epochs for cell in plan.cells.values()} == {10}


@pytest.mark.parametrize("name", ["direct", "multires"])
@pytest.mark.parametrize(
    ("epochs", "like"),
    [
        ("1x", ""),
        ("10", ""),
        (10, ""),
        ("1.0x", ""),
        ("3X", "3x"),
        ("3.0x", "3x"),
        (30, "30"),
        ("30.0", "30"),
        ("0.5x", "0.5x"),
    ],
)
def test_a_budget_has_one_spelling_and_the_preset_s_own_has_none(
    name: str, epochs: Any, like: str
) -> None:
    preset = tiny_preset(epochs=10)
    found = plan_of([name], (4,), preset, **{name: {"epochs": epochs}})
    label = f"{name}[epochs={like}]" if like else name
    assert keys(found) == keys(plan_of([label], (4,), preset))
    assert next(iter(found.cells.values())).method.label == label


def test_stages_keep_their_budget_and_can_be_given_one() -> None:
    preset = tiny_preset(epochs=10)
    plain = plan_of(["enlarge"], (4,), preset)
    longer = plan_of(["enlarge"], (4,), preset, classifier={"epochs": "2x"})
    assert [t.preset.epochs for t in longer.trainings.values()] == [20]
    assert not keys(plain) & keys(longer)


def test_the_harness_trains_that_long() -> None:
    outcome = fitted(
        "direct", made_faces(14, side=16), preset=tiny_preset(epochs=2, batch=7), epochs="1.5x"
    )
    (trained,) = outcome.trained.values()
    assert len(outcome.history) == trained.epochs == 3


@pytest.mark.parametrize("epochs", ["many", "0x", 0, -1, "2.5", "inf", "nanx", "x", "0.01x", ""])
def test_what_is_no_budget_is_refused(epochs: Any) -> None:
    with pytest.raises(UserError, match=r"direct\.epochs"):
        plan_of(["direct"], (4,), preset_of("quick"), direct={"epochs": epochs})


def test_a_method_without_the_setting_says_so() -> None:
    with pytest.raises(UserError, match="epochs"):
        plan_of(["askd"], (4,), askd={"epochs": "2x"})


class _Bare(Method):
    """A method that is never trained here."""

    def __init__(self, task: Any) -> None:
        super().__init__(task)


class _Longer(_Bare):
    def __init__(self, task: Any, *, epochs: str = "2x") -> None:
        super().__init__(task)


class _OfItsOwn(_Bare):
    def __init__(self, task: Any, *, epochs: int = 5) -> None:
        super().__init__(task)


class _Before(_Bare):
    def __init__(self, task: Any, *, weight: float = 1.0) -> None:
        super().__init__(task)


class _After(_Bare):
    added = ("shape",)

    def __init__(self, task: Any, *, weight: float = 1.0, shape: str = "round") -> None:
        super().__init__(task)


def entered(cls: type[Method], monkeypatch: Any, **settings: Any) -> Plan:
    entry = Entry("method", "mine", "made:Mine", "made", loaded=cls)
    monkeypatch.setitem(METHODS._entries, "mine", entry)
    return plan_of(
        ["mine"], (4,), tiny_preset(epochs=10), **({"mine": settings} if settings else {})
    )


def test_a_method_may_have_a_larger_budget_of_its_own(monkeypatch: Any) -> None:
    plan = entered(_Longer, monkeypatch)
    assert [t.preset.epochs for t in plan.trainings.values()] == [20]
    once = entered(_Longer, monkeypatch, epochs="1x")
    assert [t.preset.epochs for t in once.trainings.values()] == [10]
    assert next(iter(once.cells.values())).method.label == "mine[epochs=1x]"
    assert not keys(plan) & keys(once)


def test_the_name_is_taken() -> None:
    with pytest.raises(UserError, match="training budget"):
        checked("mine", _OfItsOwn)


def test_a_setting_that_came_later_moves_no_key_at_its_default(monkeypatch: Any) -> None:
    before, after = entered(_Before, monkeypatch), entered(_After, monkeypatch)
    assert keys(before) == keys(after)
    assert keys(after) == keys(entered(_After, monkeypatch, shape="round"))
    changed = entered(_After, monkeypatch, shape="square")
    assert not keys(after) & keys(changed)
    assert next(iter(changed.cells.values())).method.label == "mine[shape=square]"


@pytest.mark.parametrize("added", ["weight", ("wait",), None, ["weight"]])
def test_added_names_settings(added: Any) -> None:
    with pytest.raises(UserError, match="added"):
        checked("mine", type("Wrong", (_Before,), {"added": added}))
