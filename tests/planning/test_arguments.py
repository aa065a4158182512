"""Arguments from Python: what has the right meaning is brought to one form."""

from __future__ import annotations

import numpy as np

from lrfer_bench.contract.own_preset import chosen_preset
from lrfer_bench.planning.arguments import (
    Arguments,
    Integers,
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
