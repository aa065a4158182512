"""What a tuning refuses: one sentence, and everything stays as it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from made_engine import Killed, MadeEngine
from tunings import files, read, tuned

from lrfer_bench.contract.budget import SETTING
from lrfer_bench.contract.search import Choice
from lrfer_bench.errors import UserError
from lrfer_bench.planning.declared import checked
from lrfer_bench.planning.settings import settings_of
from lrfer_bench.plugins.registry import METHODS


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"trials": 0}, "--trials 0"),
        ({"trials": -3}, "--trials -3"),
        ({"epochs": "0x"}, "tune.epochs"),
        ({"epochs": "much"}, "tune.epochs"),
        ({"methods": ["kd[kd_weight=2]"]}, "--set kd.kd_weight"),
        ({"methods": ["kdd"]}, "did you mean"),
        ({"methods": ["kd", "kd"]}, "twice"),
        ({"scales": (0,)}, "scale 0"),
        ({"settings": {"kd": {"wait": 1}}}, "wait"),
        ({"settings": {"fitnet": {"kd_weight": 1}}}, "reaches nothing"),
    ],
)
def test_wrong_words_are_one_sentence_before_anything_is_trained(
    change: dict[str, Any], word: str, tmp_path: Path, through: Any
) -> None:
    engine = through(MadeEngine())
    with pytest.raises(UserError) as caught:
        tuned(tmp_path / "results", *change.pop("methods", ["kd"]), **change)
    assert word in str(caught.value) and "\n" not in str(caught.value)
    assert not engine.trained and not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"data_options": {"train": 48}}, "fingerprint"),
        ({"preset": "cpu@1"}, "preset quick@1"),
        ({"epochs": "3"}, "epochs 5"),
        ({"scales": (4,)}, "scales 2"),
        ({"seeds": (1,)}, "seeds 0"),
        ({"protocols": ("area",)}, "protocols bicubic@1"),
        ({"settings": {"tunable": {"held": 2}}}, "trial 1 of"),
        ({"settings": {"tunable": {"kind": "squared"}}}, "trial 1 of"),
        ({"settings": {"tunable": {"kind": "plain"}}}, "trial 1 of"),
    ],
)
def test_a_folder_of_another_tuning_is_refused_in_one_sentence(
    change: dict[str, Any], word: str, tmp_path: Path, through: Any
) -> None:
    through(MadeEngine())
    tuned(tmp_path, "tunable", trials=1)
    before = files(tmp_path)
    with pytest.raises(UserError, match="delete") as caught:
        tuned(tmp_path, "tunable", trials=1, **change)
    assert word in str(caught.value) and "\n" not in str(caught.value)
    assert files(tmp_path) == before


def test_a_fixed_setting_that_is_a_tuple_goes_on(tmp_path: Path, through: Any) -> None:
    for _ in range(2):
        through(MadeEngine())
        fixed = {"tunable": {"held": 2, "pair": (2, 4)}}
        (study,) = tuned(tmp_path, "tunable", trials=2, settings=fixed).studies
        assert study.settled and study.fixed["held"] == 2


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema_version": 1}', "\x00"])
def test_a_damaged_study_is_named(text: str, tmp_path: Path, through: Any) -> None:
    through(MadeEngine())
    tuned(tmp_path, "tunable", trials=1)
    path = tmp_path / "tuning" / "tunable.json"
    path.write_text(text)
    with pytest.raises(UserError, match=r"tunable\.json"):
        tuned(tmp_path, "tunable", trials=1)
    assert path.read_text() == text


def test_a_study_of_another_code_is_refused(tmp_path: Path, through: Any) -> None:
    through(MadeEngine())
    tuned(tmp_path, "tunable", trials=1)
    content = read(tmp_path, "tunable")
    content["trials"][0]["keys"] = ["f" * 64]
    del content["content_sha256"]  # as earlier versions wrote it
    (tmp_path / "tuning" / "tunable.json").write_text(json.dumps(content))
    with pytest.raises(UserError, match="other code"):
        tuned(tmp_path, "tunable", trials=1)


def test_a_trial_that_its_method_would_refuse_today_is_of_another_code(
    tmp_path: Path, through: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    through(MadeEngine())
    tuned(tmp_path, "tunable")
    before = files(tmp_path)

    def picky(settings: Any, preset: Any) -> Any:
        if settings["kind"] == "squared":
            raise UserError("not squared")
        return settings

    monkeypatch.setattr(METHODS.load("tunable"), "canonical_settings", staticmethod(picky))
    with pytest.raises(UserError, match="other code"):
        tuned(tmp_path, "tunable")
    assert files(tmp_path) == before


def test_an_open_trial_is_planned_anew_with_the_code_of_today(
    tmp_path: Path, through: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    through(MadeEngine(dies_after=0))
    with pytest.raises(Killed):
        tuned(tmp_path, "tunable")
    monkeypatch.setattr(METHODS.load("tunable"), "version", "2")
    engine = through(MadeEngine())
    (study,) = tuned(tmp_path, "tunable").studies
    assert {key for trial in study.trials for key in trial.keys} == set(engine.keys)


def test_the_budget_itself_cannot_be_searched() -> None:
    cls = METHODS.load("direct")
    assert SETTING in settings_of(cls)
    with pytest.raises(UserError, match="same budget"):
        checked("direct", type("Longer", (cls,), {"search": {SETTING: Choice("1x", "2x")}}))


@pytest.mark.parametrize("option", [{"a": None}, [1, None], {1: 2}, [{3}]])
def test_an_option_that_no_settings_file_can_hold(option: Any) -> None:
    fault = Choice(option).fault(option)
    assert "which no settings file can hold" in fault, fault
    assert not Choice({"a": [1, {"b": True}]}, {}).fault({})
