"""Settings files: the same values and the same keys as with --set, or one sentence."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from made import data_ref, tiny_preset

from lrfer_bench.contract.search import Choice
from lrfer_bench.errors import UserError
from lrfer_bench.planning.build import build_plan
from lrfer_bench.planning.plan import Plan
from lrfer_bench.planning.request import Request, plan_request
from lrfer_bench.planning.settings import parse_settings
from lrfer_bench.planning.settings_file import SettingsFile, read_settings_file, settings_toml
from lrfer_bench.plugins.registry import METHODS, Entry

KD = """
[settings.kd]
kd_weight = 2.5
variant = "dkd"

[trials]
kd = 8
"""


def read(folder: Path, text: str) -> SettingsFile:
    path = folder / "settings.toml"
    path.write_text(text)
    return read_settings_file(path)


def plan(*methods: str, **asked: Any) -> Plan:
    request = Request(methods=methods, scales=(4,), preset=tiny_preset(), **asked)
    return build_plan(request, data_ref())


def trials(found: Plan) -> list[int | None]:
    return [cell.method.trials for cell in found.cells.values()]


def test_a_file_gives_the_keys_that_set_gives_by_hand(tmp_path: Path) -> None:
    by_hand = parse_settings(["kd.kd_weight=2.5", "kd.variant=dkd"])
    of_file = plan("kd", file=read(tmp_path, KD))
    assert of_file.trainings.keys() == plan("kd", settings=by_hand).trainings.keys()
    assert of_file.cells.keys() == plan("kd", settings=by_hand).cells.keys()
    assert not of_file.cells.keys() & plan("kd").cells.keys()


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    settings = {
        "kd": {"a": 1e-05, "b": 3, "c": True, "d": 'a \\ "b" \n é', "e": [1, 2], "f": 0.1 + 0.2},
        "my.method": {"g": {"a b": [{"c": 1}], "d": {}}, "h": [-2.5, "", []]},
    }
    file = SettingsFile(
        settings, {"kd": 8, "my.method": 8}, "", {"my.method": "0a1b2c3d4e5f"}, {"kd": "1"}
    )
    found = read(tmp_path, settings_toml(file, "two\nlines"))
    assert dataclasses.replace(found, name="") == file
    none = read(tmp_path, settings_toml(SettingsFile({"kd": {"free": None}}), ""))
    assert none.settings == {"kd": {"free": "none"}}, "as --set writes it"


def test_a_row_counts_its_trials_where_all_that_the_file_says_is_in_force(tmp_path: Path) -> None:
    file = read(tmp_path, KD)
    assert trials(plan("kd")) == [None]
    assert trials(plan("direct")) == [0], "it has nothing to tune"
    assert trials(plan("kd", file=file)) == [8]
    assert trials(plan("kd[kd_weight=2.5]", file=file)) == [8]
    assert trials(plan("kd[kd_weight=3]", file=file)) == [None]
    assert trials(plan("kd", file=file, settings={"kd": {"variant": "kd"}})) == [None]
    assert trials(plan("kd", file=read(tmp_path, "[trials]\nkd = 8"))) == [8], "the defaults won"
    assert trials(plan("kd", file=read(tmp_path, "[trials]\nkd = 0"))) == [None], "none were made"


def test_a_method_that_trains_nothing_has_nothing_to_tune() -> None:
    class Resting(METHODS.load("enlarge")):  # type: ignore[misc]
        def __init__(self, task: Any, *, free: int = 1) -> None:
            super().__init__(task)

    Resting.search = {"free": Choice(1, 2)}
    entry = Entry("method", "resting", "made:Resting", "", loaded=Resting)
    with METHODS.scope(put=[entry]):
        assert Resting.trains == "nothing" and trials(plan("resting")) == [0]


def test_a_row_whose_other_settings_were_changed_was_not_tuned(tmp_path: Path) -> None:
    """Its network, or its losses, are none that a trial has seen."""
    file = read(
        tmp_path,
        "[settings.gmenet]\nkd_weight = 3\n[settings.srfer]\npixel = 2\nfinetune = true\n"
        "[settings.fsrfer]\npretrain = 0.4\n[trials]\ngmenet = 8\nsrfer = 8\nfsrfer = 8\n",
    )
    assert trials(plan("gmenet", "srfer", "fsrfer", file=file)) == [8, 8, 8]
    assert trials(plan("gmenet[global_branch=false]", file=file)) == [None]
    assert trials(plan("srfer[finetune=false]", file=file)) == [None]
    assert trials(plan("gmenet", file=file, settings={"gmenet": {"global_branch": "false"}})) == [
        None
    ]
    same = {"gmenet": {"global_branch": "true", "kd_weight": "3"}, "fsrfer": {"feature": "map"}}
    assert trials(plan("gmenet", "fsrfer", file=file, settings=same)) == [8, 8], "other words"


def test_a_budget_of_its_own_was_not_tuned(tmp_path: Path) -> None:
    class Longer(METHODS.load("kd")):  # type: ignore[misc]
        def __init__(self, task: Any, *, epochs: str = "1x", kd_weight: float = 1.0) -> None:
            super().__init__(task, kd_weight=kd_weight)

    Longer.search = {"kd_weight": METHODS.load("kd").search["kd_weight"]}
    entry = Entry("method", "longer", "made:Longer", "", loaded=Longer)
    file = read(tmp_path, "[settings.longer]\nkd_weight = 3\n[trials]\nlonger = 8\n")
    with METHODS.scope(put=[entry]):
        assert trials(plan("longer", file=file)) == [8]
        assert trials(plan("longer[epochs=1.0x]", file=file)) == [8]
        assert trials(plan("longer[epochs=3x]", file=file)) == [None]


def test_a_default_budget_in_another_spelling_is_the_default() -> None:
    class Plain(METHODS.load("direct")):  # type: ignore[misc]
        def __init__(self, task: Any, *, epochs: str = "1.0x") -> None:
            super().__init__(task)

    entry = Entry("method", "plain", "made:Plain", "", loaded=Plain)
    with METHODS.scope(put=[entry]):
        (cell,) = plan("plain").cells.values()
        assert cell.method.label == "plain"
        assert plan("plain[epochs=1x]").cells.keys() == {cell.key}


def test_settings_that_another_edit_was_tuned_with_are_not_tuned(tmp_path: Path) -> None:
    entry = Entry("method", "mine", "made:Mine", "mine.py sha256:0a1b2c3d4e5f",
                  loaded=type("Mine", (METHODS.load("kd"),), {}))  # fmt: skip
    tuned = "[settings.mine]\nkd_weight = 3\n[trials]\nmine = 8\n"
    with METHODS.scope(put=[entry]):
        assert trials(plan("mine", file=read(tmp_path, tuned))) == [8], "nobody knows"
        mine = plan("mine", file=read(tmp_path, tuned + '[code]\nmine = "0a1b2c3d4e5f"'))
        assert (trials(mine), mine.notes) == ([8], ())
        edited = plan("mine", file=read(tmp_path, tuned + '[code]\nmine = "000000000000"'))
        assert trials(edited) == [None] and edited.cells.keys() == mine.cells.keys()
        (note,) = edited.notes
        assert "another edit of mine.py" in note and "mine counts as not tuned" in note


def test_settings_that_another_version_was_tuned_with_are_not_tuned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert trials(plan("kd", file=read(tmp_path, KD))) == [8], "nobody knows"
    monkeypatch.setattr(METHODS.load("kd"), "version", "99")
    same = plan("kd", file=read(tmp_path, KD + '[versions]\nkd = "99"\nfitnet = "1"\n'))
    assert (trials(same), same.notes) == ([8], ())
    other = plan("kd", file=read(tmp_path, KD + '[versions]\nkd = "1"\n'))
    assert trials(other) == [None] and other.cells.keys() == same.cells.keys()
    (note,) = other.notes
    assert "version 1 of kd, and here is version 99" in note and "not tuned" in note


def test_set_and_brackets_win_over_a_file(tmp_path: Path) -> None:
    file = read(tmp_path, KD)
    for asked in (
        plan("kd", file=file, settings={"kd": {"kd_weight": 3}}),
        plan("kd[kd_weight=3]", file=file),
    ):
        (cell,) = asked.cells.values()
        assert cell.method.label == "kd[kd_weight=3.0,variant=dkd]"


def test_a_row_that_a_tuning_chose_too_is_told_with_the_file(tmp_path: Path) -> None:
    file = read(tmp_path, "[settings.kd]\nkd_weight = 0\n[trials]\nkd = 8\n")
    with pytest.raises(UserError, match=r"once \(with the settings file .*settings.toml kd, kd\["):
        plan("direct", "kd", "kd[kd_weight=0]", file=file)
    with pytest.raises(UserError, match=r"twice: kd.*, kd.*; name each once$"):
        plan("kd[kd_weight=2]", "kd[kd_weight=2.0]")


def test_a_file_may_speak_of_methods_that_are_not_asked_for(tmp_path: Path) -> None:
    file = read(tmp_path, KD + "[settings.fitnet]\nkd_weight = 1\n")
    assert plan("direct", file=file).cells.keys() == plan("direct").cells.keys()
    with pytest.raises(UserError, match=r"settings\.toml.*\"kdd\".*did you mean"):
        plan("direct", file=read(tmp_path, "[settings.kdd]"))
    with pytest.raises(UserError, match='"wait"'):
        plan("kd", file=read(tmp_path, "[settings.kd]\nwait = 1"))


def test_a_plugin_that_a_tuning_wrote_of_and_that_is_not_here_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LRFER_CACHE", str(tmp_path / "cache"))
    file = read(tmp_path, KD + "mine = 8\n[settings.mine]\nweight = 1\n")
    found = plan("kd", file=file)
    assert found.cells.keys() == plan("kd", file=read(tmp_path, KD)).cells.keys()
    (note,) = found.notes
    assert '"mine"' in note and "passed over" in note and "settings.toml" in note
    with pytest.raises(UserError, match="mine"):
        plan("mine", file=file)
    with pytest.raises(UserError, match=r"settings\.toml.*\"mine\""):
        plan("kd", file=read(tmp_path, KD + "[settings.mine]\nweight = 1\n"))
    _, whole = plan_request(Request(methods=["kd"], file=file))
    assert note in whole.notes


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("kd = [", "is not TOML"),
        ("\xff", "is not TOML"),
        ("[kd]\nkd_weight = 1", r'"kd": write \[settings.METHOD\]'),
        ("settings = 3", "without a method"),
        ("[settings]\nkd_weight = 3", "without a method"),
        ("trials = 8", "trials without a method"),
        ("[trials]\nkd = -1", "trials.kd = -1"),
        ("[trials]\nkd = true", "trials.kd = True"),
        ("[trials]\nkd = 2.5", "trials.kd = 2.5"),
        ("[code]\nkd = 2", "code without a method"),
        ("[versions]\nkd = 2", "versions without a method"),
        ("[settings.kd]\nwhen = [2024-01-01]", "has a date or a time among its settings"),
    ],
)
def test_another_content_is_refused_in_one_sentence(text: str, word: str, tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(UserError, match=word) as caught:
        read_settings_file(path)
    assert "wrong.toml" in str(caught.value) and "\n" not in str(caught.value)


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    assert read(tmp_path, f"\ufeff{KD}").trials == {"kd": 8}


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        read_settings_file(tmp_path / "nowhere.toml")
    with pytest.raises(UserError, match="cannot be read"):
        read_settings_file(tmp_path)


def test_of_an_inherited_search_counts_what_fits_the_settings() -> None:
    class Fewer(METHODS.load("rsnet")):  # type: ignore[misc]
        def __init__(self, task: Any, *, sharpness: float = 2.0) -> None:
            super().__init__(task, kd_weight=sharpness)

    entry = Entry("method", "fewer", "made:Fewer", "", loaded=Fewer)
    with METHODS.scope(put=[entry]):
        assert trials(plan("fewer")) == [0], "nothing of it can be tuned"
        for space, said in (
            ({"kd_wieght": Choice(1.0)}, 'its search names the setting "kd_wieght"'),
            ({"sharpness": (0.1, 1.0)}, 'its search space for "sharpness" is'),
            ([], "its search is"),
        ):
            between = type("Between", (Fewer,), {"search": space})
            last = Entry("method", "last", "made:Last", "", loaded=type("Last", (between,), {}))
            with METHODS.scope(put=[last]), pytest.raises(UserError, match=said):
                plan("last")
        Fewer.search = {"kd_weight": Choice(1.0)}
        with pytest.raises(UserError, match='its search names the setting "kd_weight"'):
            plan("fewer")
