"""What is left of a choice, and what is said where nothing is."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from lrfer_bench.errors import UserError
from lrfer_bench.reporting.choose import Choice
from lrfer_bench.reporting.collect import Options, collect
from lrfer_bench.store.schema import StagePart

LABELS = np.resize(np.arange(7), 70)


@pytest.fixture
def twins(factory: ModuleType, tmp_path: Path) -> Path:
    """Two records at x2 and two at x4 that no table can tell apart."""
    for scale in (2, 4):
        for key in ("a" * 64, "b" * 64):
            stage = StagePart(key=key, method="classifier", train_seconds=1.0)
            factory.save(
                tmp_path, np.arange(70) < 50, LABELS, scale=scale, stages={"teacher": stage}
            )
    return tmp_path


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (Choice(), "no record is left to show; left out before: 2 records claim the same cell"),
        (Choice(methods=["direct"]), 'about method "direct" is counted: 2 records claim'),
        (Choice(datasets=["faces"]), 'about data set "faces" is counted: 2 records claim'),
        (Choice(scales=[4]), 'about scale "4" is counted: 2 records claim'),
    ],
)
def test_where_all_was_left_out_the_error_says_why(twins: Path, choice: Choice, said: str) -> None:
    with pytest.raises(UserError) as caught:
        collect([twins], Options(choice=choice, resamples=0))
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_a_choice_that_meets_nothing_says_what_was_left_out_too(
    factory: ModuleType, twins: Path
) -> None:
    factory.save(twins, np.arange(70) < 50, LABELS, method="a", scale=2)
    factory.save(twins, np.arange(70) < 50, LABELS, method="b", scale=4)
    with pytest.raises(UserError, match=r"ask for fewer at once; left out before: 2 records"):
        collect([twins], Options(choice=Choice(methods=["a"], scales=[4]), resamples=0))
    with pytest.raises(UserError, match='no record is about method "c": known: a, b'):
        collect([twins], Options(choice=Choice(methods=["c"]), resamples=0))


def test_a_label_is_meant_however_its_numbers_are_written(
    factory: ModuleType, tmp_path: Path
) -> None:
    right = np.arange(70) < 50
    factory.save(tmp_path, right, LABELS, method="a", settings={"weight": 0.0, "depth": 2})
    factory.save(tmp_path, right, LABELS, method="b")
    for label in ("a[depth=2,weight=0]", "a[weight=0.0, depth=2]", "a"):
        found = collect([tmp_path], Options(choice=Choice(methods=[label]), resamples=0))
        assert [result.method_name for result in found.results] == ["a"]
    with pytest.raises(UserError, match='no record is about method "a'):
        collect([tmp_path], Options(choice=Choice(methods=["a[weight=0]"]), resamples=0))


def test_a_ceiling_stays_only_where_a_method_chosen_stands(
    factory: ModuleType, tmp_path: Path
) -> None:
    def save(method: str, dataset: str, **fields: Any) -> None:
        fields |= {"method": method, "dataset": dataset}
        factory.save(tmp_path, np.arange(70) < 50, LABELS, **fields)

    for dataset in ("one", "two"):
        save("direct", dataset)
        save("oracle", dataset, **{k: v for k, v in factory.ORACLE.items() if k != "method"})
    save("kd", "one")
    save("kd", "one", scale=2)

    def titles(**choice: Any) -> list[str]:
        report = collect([tmp_path], Options(Choice(**choice), resamples=0))
        return [board.dataset for board in report.boards]

    assert titles() == ["one", "two"] == titles(methods=["oracle"]) == titles(methods=["direct"])
    assert titles(methods=["kd"]) == ["one"] == titles(scales=[2])
