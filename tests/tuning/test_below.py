"""Methods of one folder were tuned on the same stages and the same pixels, or are refused."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from made_engine import MadeEngine
from tunings import FILES, asked, files, read, tuned

from lrfer_bench.errors import UserError
from lrfer_bench.tuning.tune import Outcome, run_tuning

STAGES = """
from torch import nn
from lrfer_bench.api import LogUniform, Method, register_method

class Linear(Method):
    def __init__(self, task, *, weight: float = 1.0):
        super().__init__(task)
        self.linear = nn.Linear(1, task.classes)

@register_method("base")
class Base(Linear):
    pass

class Tuned(Linear):
    search = {"weight": LogUniform(0.1, 10.0)}

@register_method("first")
class First(Tuned):
    needs = {"base": "base@lr"}

@register_method("second")
class Second(Tuned):
    needs = {"under": "base@lr"}
"""
BLACK = """
import torch
from lrfer_bench.api import Protocol, register_protocol

@register_protocol("black")
class Black(Protocol):
    name = "black"

    def degrade(self, hr, scale, draw=None):
        return torch.full_like(hr[..., ::scale, ::scale], LEVEL)
"""
LONGER = {"base": {"weight": "4"}}


def tuned_on(
    files: list[Path], folder: Path, *methods: str, trials: int = 2, **more: Any
) -> Outcome:
    wanted = asked(folder, *methods, trials=trials, **more)
    run = dataclasses.replace(wanted.run, plugins=[*FILES, *files])
    return run_tuning(dataclasses.replace(wanted, run=run))


@pytest.fixture
def stages(tmp_path: Path) -> Path:
    file = tmp_path / "stages.py"
    file.write_text(STAGES)
    return file


@pytest.mark.parametrize(("before", "after"), [(LONGER, {}), ({}, LONGER)])
def test_a_stage_with_other_settings_is_refused(
    before: Any, after: Any, stages: Path, tmp_path: Path, through: Any
) -> None:
    through(MadeEngine())
    results = tmp_path / "results"
    tuned_on([stages], results, "first", settings=before)
    kept = files(results)
    with pytest.raises(UserError) as caught:
        tuned_on([stages], results, "second", settings=after)
    said = str(caught.value)
    assert "first.json rests on base" in said and "second would rest on base" in said, said
    assert "base[weight=4.0]" in said and "base with its defaults" in said, said
    assert files(results) == kept


def test_the_same_stage_and_methods_without_it_share_a_folder(
    stages: Path, tmp_path: Path, through: Any
) -> None:
    through(MadeEngine())
    results = tmp_path / "results"
    tuned_on([stages], results, "first", settings=LONGER)
    tuned_on([stages], results, "tunable")
    (study,) = tuned_on([stages], results, "second", settings={"base": {"weight": 4.0}}).studies
    assert study.settled
    assert read(results, "second")["stages"]["base"]["fixed"] == {"weight": 4.0}


def test_a_default_that_is_named_is_no_other_stage(
    stages: Path, tmp_path: Path, through: Any
) -> None:
    through(MadeEngine())
    results = tmp_path / "results"
    tuned_on([stages], results, "first")
    assert tuned_on([stages], results, "second", settings={"base": {"weight": 1}}).studies


@pytest.mark.parametrize("edit", ["# another edit\n", 'Base.version = "7"\n'])
def test_an_edited_stage_is_refused(edit: str, tmp_path: Path, through: Any) -> None:
    through(MadeEngine())
    base, tuned_, results = tmp_path / "base.py", tmp_path / "heads.py", tmp_path / "results"
    head, first, second = STAGES.partition("class Tuned")
    base.write_text(head)
    tuned_.write_text(head.partition("@register")[0] + first + second)
    tuned_on([base, tuned_], results, "first")
    base.write_text(head + edit)
    with pytest.raises(UserError, match=r"first\.json rests on .*second would rest on"):
        tuned_on([base, tuned_], results, "second")


def test_methods_tuned_under_two_edits_of_a_protocol_are_refused(
    tmp_path: Path, through: Any
) -> None:
    through(MadeEngine())
    file, results = tmp_path / "black.py", tmp_path / "results"
    file.write_text(BLACK.replace("LEVEL", "0.0"))
    tuned_on([file], results, "tunable", protocols=("black",))
    file.write_text(BLACK.replace("LEVEL", "1.0"))
    with pytest.raises(UserError, match=r"tunable\.json was tuned with .*black@1 as of edit"):
        tuned_on([file], results, "fragile", protocols=("black",))


def test_a_study_of_an_earlier_version_goes_on_and_tells_them_from_then_on(
    stages: Path, tmp_path: Path, through: Any
) -> None:
    through(MadeEngine())
    results = tmp_path / "results"
    tuned_on([stages], results, "first")
    content = read(results, "first")
    del content["stages"], content["about"]["codes"], content["content_sha256"]
    (results / "tuning" / "first.json").write_text(json.dumps(content))
    assert tuned(results, "tunable", trials=2).studies
    tuned_on([stages], results, "first", trials=3)
    assert read(results, "first")["stages"]["base"]["version"] == "1"
    assert read(results, "first")["about"]["codes"] == {}
