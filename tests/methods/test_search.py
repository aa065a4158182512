"""Search spaces: what the built-in methods say, and what is refused before anything is trained."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import torch
from builtin import LISTED
from small_models import fresh, plan_of

from lrfer_bench.api import Choice, LogUniform, Method
from lrfer_bench.contract.preset import preset_of
from lrfer_bench.errors import UserError
from lrfer_bench.planning.declared import checked
from lrfer_bench.planning.settings import settings_of
from lrfer_bench.plugins.registry import METHODS, Entry

TUNED = {"gmenet", "askd", "fskd", "kd", "fitnet", "srfer", "rsnet", "qualnet", "mafer", "fsrfer"}


class Mine(Method):
    """Has a setting of each kind."""

    def __init__(
        self,
        task: Any,
        *,
        weight: float = 1.0,
        kind: str = "a",
        count: int = 2,
        on: bool = True,
        free: Any = None,
    ) -> None:
        super().__init__(task)


def with_space(search: Any) -> type[Method]:
    return type("Mine", (Mine,), {"search": search})


def test_methods_with_something_to_tune_say_so_and_the_others_have_an_empty_space() -> None:
    assert {name for name in LISTED if METHODS.load(name).search} == TUNED
    for name in LISTED:
        cls = checked(name, METHODS.load(name))
        assert set(cls.search) <= set(settings_of(cls))


@pytest.mark.parametrize("name", sorted(TUNED))
def test_the_default_lies_within_its_space(name: str) -> None:
    cls = METHODS.load(name)
    defaults = settings_of(cls)
    for setting, space in cls.search.items():
        if isinstance(space, LogUniform):
            assert space.low <= defaults[setting] <= space.high
        else:
            assert defaults[setting] in space.options


@pytest.mark.parametrize("name", sorted(TUNED))
def test_each_end_of_a_space_can_be_planned(name: str) -> None:
    cls = METHODS.load(name)
    for setting, space in cls.search.items():
        ends = (space.low, space.high) if isinstance(space, LogUniform) else space.options
        for end in ends:
            assert plan_of([name], (4,), **{name: {setting: end}}).cells


@pytest.mark.parametrize(("preset", "maps"), [("cpu@1", 8), ("cpu@2", 6), ("quick@2", 6)])
def test_askd_s_space_holds_what_its_authors_use(preset: str, maps: int) -> None:
    """They use 240 and 80 times the mean over maps; kd_weight is the weight of one map."""
    method: Any = fresh("askd", preset=preset_of(preset))
    assert len(method.attention_maps(torch.zeros(1, 1, 48, 48))) == maps
    space = METHODS.load("askd").search["kd_weight"]
    assert isinstance(space, LogUniform) and space.low < 80 / maps < 240 / maps < space.high


def test_good_spaces() -> None:
    search = {
        "weight": LogUniform(0.3, 30), "kind": Choice("a", "b"), "count": Choice(1, 2),
        "on": Choice(True, False), "free": Choice(None, "x", 3),
    }  # fmt: skip
    assert checked("mine", with_space(search)).search == search
    assert checked("mine", with_space({"weight": Choice(1, 2.5)})).search
    assert Choice("a", "b") == Choice("a", "b") and Choice("a") != Choice("b")


@pytest.mark.parametrize(
    ("search", "word"),
    [
        ({"wait": LogUniform(1.0, 2.0)}, 'did you mean "weight"'),
        ({"weight": (0.1, 1.0)}, "LogUniform"),
        ({"weight": LogUniform(0.0, 1.0)}, "0 < low < high"),
        ({"weight": LogUniform(-1.0, 1.0)}, "0 < low < high"),
        ({"weight": LogUniform(2.0, 1.0)}, "0 < low < high"),
        ({"weight": LogUniform(0.1, float("inf"))}, "0 < low < high"),
        ({"weight": LogUniform("0.1", 1.0)}, "0 < low < high"),  # type: ignore[arg-type]
        ({"kind": LogUniform(0.1, 1.0)}, "draws a float"),
        ({"count": LogUniform(1, 8)}, "draws a float"),
        ({"on": LogUniform(0.1, 1.0)}, "draws a float"),
        ({"kind": Choice()}, "no option"),
        ({"kind": Choice("a", 1)}, "the option 1"),
        ({"on": Choice(0, 1)}, "the option 0"),
        ({"count": Choice(1, 2.5)}, "the option 2.5"),
        ({"weight": Choice(True)}, "the option True"),
        ([("weight", LogUniform(0.1, 1.0))], "its search is"),
        ({3: Choice(1)}, "which it does not have"),
    ],
)
def test_wrong_spaces_are_refused_in_one_sentence_before_anything_is_trained(
    search: Any, word: str
) -> None:
    entry = Entry("method", "mine", "made:Mine", "made", loaded=with_space(search))
    with (
        METHODS.scope(put=[entry]),
        pytest.raises(UserError, match="cannot be used") as caught,
    ):
        plan_of(["mine"])
    assert word in str(caught.value) and "\n" not in str(caught.value)


def test_spaces_need_no_torch() -> None:
    code = (
        "import sys; from lrfer_bench.api import Choice, LogUniform; Choice(1), LogUniform(1, 2);"
        "assert not {'torch', 'optuna'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
