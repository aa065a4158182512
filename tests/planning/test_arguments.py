"""Arguments from Python: what has the right meaning is brought to one form."""

from __future__ import annotations

import numpy as np
import pytest

from lrfer_bench.contract.own_preset import chosen_preset
from lrfer_bench.errors import UserError
from lrfer_bench.planning.arguments import (
    Arguments,
    Integers,
    ReportArguments,
    RunArguments,
    TuneArguments,
    as_list,
    checked_arguments,
)
from lrfer_bench.planning.from_python import request_from


def test_integers_of_any_kind_are_plain_ones() -> None:
    class Only(Arguments):
        scales: Integers

    for value in (
        "2, 4",
        (2, 4),
        {4, 2},
        (n for n in (2, 4)),
        np.array([2, 4]),
        [np.int64(2), np.uint8(4)],
    ):
        found = Only(scales=value).scales  # type: ignore[arg-type]
        assert found == [2, 4] and {type(number) for number in found} == {int}
    for one in (np.int64(3), np.array(3), 3):
        assert Only(scales=one).scales == [3]  # type: ignore[arg-type]
    assert as_list("methods", {"b", "a"}) == as_list("methods", (m for m in "ab")) == ["a", "b"]


def test_a_budget_has_the_same_words_in_python_and_in_the_terminal() -> None:
    budget = {"epochs": 3, "batch": 32, "lr": 0.5}
    found = request_from(checked_arguments(RunArguments, budget))
    assert found.preset.id == chosen_preset("quick", budget).id
    whole = checked_arguments(RunArguments, {"lr": 1})
    assert request_from(whole).preset.id == chosen_preset("quick", {"lr": 1.0}).id
    words = {"trials": 8, "epochs": "0.5x", "prune": "none", "overwrite": "never"}
    trials = request_from(checked_arguments(TuneArguments, words))
    assert trials.preset.id == "quick@2", "a trial's epochs are no budget of the request"


@pytest.mark.parametrize("name", ["methods", "protocols", "test_protocols", "scales", "seeds",
                                  "test_scales"])  # fmt: skip
def test_an_empty_list_is_not_all_and_not_none(name: str) -> None:
    with pytest.raises(UserError, match=f"^{name} names nothing: give one or more"):
        checked_arguments(RunArguments, {name: []})


def test_a_class_stands_for_the_name_of_its_records() -> None:
    class MyIdea:
        pass

    found = checked_arguments(ReportArguments, {"methods": [MyIdea, "direct"]})
    assert found.methods == ["my-idea", "direct"]
    with pytest.raises(UserError, match='give a text, such as "direct"'):
        checked_arguments(ReportArguments, {"methods": [3]})


def test_a_text_may_hold_several_names_as_on_the_command_line() -> None:
    words = {"methods": "direct, srfer[attention=0,prediction=0]", "protocols": "bicubic,camera"}
    found = checked_arguments(RunArguments, words)
    assert found.methods == ["direct", "srfer[attention=0,prediction=0]"]
    assert found.protocols == ["bicubic", "camera"]
    assert checked_arguments(ReportArguments, {"metrics": "brier,auroc"}).metrics == [
        "brier", "auroc",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["lr", "time_limit"])
def test_true_is_no_number(name: str) -> None:
    with pytest.raises(UserError, match=f"^{name} is True: give a number$"):
        checked_arguments(RunArguments, {name: True})
    assert getattr(checked_arguments(RunArguments, {name: 1}), name) == 1.0
