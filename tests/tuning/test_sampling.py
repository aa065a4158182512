"""Settings to try: inside the space, the same again, new ones first, and better where it pays."""

from __future__ import annotations

import json
import logging
import math
import sys
import warnings
from typing import Any

import pytest

from lrfer_bench.contract.search import Choice, LogUniform, Space
from lrfer_bench.errors import UserError
from lrfer_bench.plugins.registry import METHODS
from lrfer_bench.tuning.sampling import ROUND, drawn

TUNED = sorted(entry.name for entry in METHODS if METHODS.load(entry.name).search)


def inside(space: Space, value: Any) -> bool:
    if isinstance(space, Choice):
        return any(value == option and type(value) is type(option) for option in space.options)
    return isinstance(value, float) and space.low <= value <= space.high


@pytest.mark.parametrize("name", TUNED)
def test_what_is_drawn_lies_in_the_space_and_is_drawn_again(name: str) -> None:
    space = METHODS.load(name).search
    first = drawn(space, [], ROUND, seed=1)
    assert drawn(space, [], ROUND, seed=1) == first != drawn(space, [], ROUND, seed=2)
    told = [(settings, 0.1 * k) for k, settings in enumerate(first)]
    for settings in [*first, *drawn(space, told, ROUND, seed=3)]:
        assert settings.keys() == space.keys()
        assert all(inside(space[key], value) for key, value in settings.items())
        assert json.loads(json.dumps(settings)) == settings


def test_numbers_have_three_digits_and_stay_within_their_bounds() -> None:
    narrow = {"weight": LogUniform(0.123456, 0.123457)}
    assert {each["weight"] for each in drawn(narrow, [], 4, seed=0)} <= {0.123456, 0.123457}
    wide = {"weight": LogUniform(1e-6, 1e6)}
    for each in drawn(wide, [], 30, seed=0):
        assert float(f"{each['weight']:.2e}") == each["weight"]


def test_numbers_are_uniform_in_their_logarithm() -> None:
    values = [each["weight"] for each in drawn({"weight": LogUniform(0.01, 100)}, [], 200, seed=0)]
    below = sum(value < 1 for value in values)
    assert 70 < below < 130


def test_what_was_tried_is_drawn_again_only_where_nothing_else_is_left() -> None:
    space = {"a": Choice(1, 2, 3), "b": Choice(True, False)}
    tried: list[tuple[dict[str, Any], float | None]] = [({"a": 1, "b": True}, None)]
    rest = drawn(space, tried, 5, seed=0)
    every = [*rest, tried[0][0]]
    assert len({json.dumps(each, sort_keys=True) for each in every}) == 6
    assert drawn(space, [(each, 0.5) for each in every], 1, seed=0)[0] in every


def test_scores_help_to_find_a_better_setting() -> None:
    space = {"weight": LogUniform(0.001, 1000.0), "kind": Choice("good", "bad")}

    def score(settings: Any) -> float:
        return -abs(math.log10(settings["weight"]) - 1) - 2 * (settings["kind"] == "bad")

    def best(seed: int, seen: bool) -> float:
        tried: list[tuple[Any, float | None]] = []
        for number in range(4):
            told = tried if seen else [(settings, None) for settings, _ in tried]
            found = drawn(space, told, ROUND, seed=100 * seed + number)
            tried += [(settings, score(settings)) for settings in found]
        return max(value for _, value in tried if value is not None)

    seen, blind = (sum(best(seed, how) for seed in range(10)) / 10 for how in (True, False))
    assert seen > blind + 0.1


def test_scores_outside_the_space_are_left_out() -> None:
    space = {"weight": LogUniform(0.1, 1.0)}
    strange: list[Any] = [({"weight": 50.0}, 1.0), ({}, 1.0), ({"weight": "x"}, 1.0)]
    assert drawn(space, strange, 2, seed=0) == drawn(space, [], 2, seed=0)


def test_options_may_be_anything_that_json_holds() -> None:
    space = {"free": Choice(None, "x", 3, [1, 2], (3, 4))}
    found = [each["free"] for each in drawn(space, [], 5, seed=0)]
    assert sorted(map(json.dumps, found)) == sorted(map(json.dumps, [None, "x", 3, [1, 2], [3, 4]]))


def test_optuna_is_quiet_and_its_settings_stay(caplog: pytest.LogCaptureFixture) -> None:
    optuna = pytest.importorskip("optuna")
    before = optuna.logging.get_verbosity()
    with warnings.catch_warnings(), caplog.at_level(logging.DEBUG):
        warnings.simplefilter("error")
        drawn({"weight": LogUniform(0.1, 1.0)}, [], 1, seed=0)
    assert optuna.logging.get_verbosity() == before and not caplog.records


def test_without_optuna_a_sentence_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(UserError, match="pip install"):
        drawn({"weight": LogUniform(0.1, 1.0)}, [], 1, seed=0)
