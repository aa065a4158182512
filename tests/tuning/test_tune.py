"""Tuning with an engine that trains nothing: what is tried, kept, resumed, refused and chosen."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from in_process import lrfer
from made_engine import Killed, MadeEngine, score_of
from tunings import FILES, asked, files, read, tuned

from lrfer_bench.errors import UserError
from lrfer_bench.planning.request import plan_request
from lrfer_bench.planning.settings import settings_of
from lrfer_bench.planning.settings_file import read_settings_file
from lrfer_bench.plugins.registry import METHODS
from lrfer_bench.tuning import sampling
from lrfer_bench.tuning.study import Study
from lrfer_bench.tuning.tune import run_tuning

TUNED = sorted(entry.name for entry in METHODS if METHODS.load(entry.name).search)


@pytest.mark.parametrize("name", TUNED)
def test_every_method_with_a_space_is_tuned(name: str, tmp_path: Path, through: Any) -> None:
    engine = through(MadeEngine(slots=2))
    (study,) = tuned(tmp_path, name).studies
    assert len(study.trials) == 8 and study.settled
    space, plain = METHODS.load(name).search, settings_of(METHODS.load(name))
    assert study.trials[0].settings == {setting: plain[setting] for setting in space}
    assert all(trial.settings.keys() == space.keys() for trial in study.trials)
    assert len({json.dumps(trial.settings) for trial in study.trials}) == 8
    assert study.best is not None
    best = study.trials[study.best]
    assert best.score == max(trial.score for trial in study.trials if trial.score is not None)
    assert not (tmp_path / "records").exists() and not (tmp_path / "logits").exists()
    assert len(engine.keys) == len(set(engine.keys)) >= 8, "each model once"


@pytest.mark.parametrize("name", TUNED)
def test_the_choice_gives_a_run_the_keys_of_the_same_settings_by_hand(
    name: str, tmp_path: Path, through: Any
) -> None:
    through(MadeEngine())
    outcome = tuned(tmp_path, name, trials=5)
    run = asked(tmp_path, name).run
    _, of_file = plan_request(
        dataclasses.replace(run, file=read_settings_file(outcome.folder.settings))
    )
    by_hand = {name: {k: str(v) for k, v in outcome.studies[0].chosen.items()}}
    _, by_set = plan_request(dataclasses.replace(run, settings=by_hand))
    assert of_file.cells.keys() == by_set.cells.keys()
    assert [cell.method.trials for cell in of_file.cells.values()] == [5]


@pytest.mark.parametrize("score", [float("nan"), float("inf")])
def test_a_score_that_is_no_number_is_a_failed_trial(
    score: float, tmp_path: Path, through: Any
) -> None:
    through(MadeEngine(score=lambda label: score))
    for _ in range(2):  # the second start reads what the first one wrote
        (study,) = tuned(tmp_path, "tunable", trials=2).studies
        assert [trial.score for trial in study.trials] == [None, None]
        assert {trial.failure for trial in study.trials} == {
            "its validation score is NaN or infinite"
        }


def test_a_model_with_damaged_facts_is_trained_anew(tmp_path: Path, through: Any) -> None:
    """A kill between the model and its score: the study waits, and what is left is cut."""
    through(MadeEngine())
    tuned(tmp_path, "tunable", trials=1)
    study = read(tmp_path, "tunable")
    (key,) = study["trials"][0]["keys"]
    facts = tmp_path / "models" / f"{key}.json"
    facts.write_bytes(facts.read_bytes()[:40])
    study["trials"][0]["score"] = None
    del study["content_sha256"]
    (tmp_path / "tuning" / "tunable.json").write_text(json.dumps(study))
    engine = through(MadeEngine())
    (again,) = tuned(tmp_path, "tunable", trials=1).studies
    assert engine.keys == [key] and again.trials[0].score is not None
    assert (tmp_path / "models" / f"{key}.json.damaged").exists()


def test_a_trial_has_a_share_of_the_epochs_and_all_its_stages_too(
    tmp_path: Path, through: Any
) -> None:
    through(MadeEngine())
    tuned(tmp_path, "kd", trials=2)
    costs = [json.loads(path.read_text()) for path in (tmp_path / "models").glob("*.json")]
    assert {cost["epochs"] for cost in costs} == {5} and len(costs) == 3
    assert read(tmp_path, "kd")["about"]["epochs"] == 5


def test_with_the_whole_budget_a_trial_is_the_training_of_the_run(
    tmp_path: Path, through: Any
) -> None:
    through(MadeEngine())
    (study,) = tuned(tmp_path, "kd", trials=1, epochs="1x").studies
    _, plan = plan_request(asked(tmp_path, "kd").run)
    assert study.trials[0].keys == [cell.training for cell in plan.cells.values()]


def test_trials_share_stages(tmp_path: Path, through: Any) -> None:
    engine = through(MadeEngine())
    tuned(tmp_path, "kd", "fskd", trials=4)
    assert engine.trained.count("classifier") == 1 and len(engine.trained) == 9


def test_a_score_is_the_mean_over_scales_and_seeds(tmp_path: Path, through: Any) -> None:
    through(MadeEngine())
    (study,) = tuned(tmp_path, "kd", trials=1, scales=(2, 4), seeds=(0, 1)).studies
    assert len(study.trials[0].keys) == 4
    assert study.trials[0].score == pytest.approx(score_of("kd"))


@pytest.fixture
def undisturbed(tmp_path: Path, through: Any) -> dict[str, bytes]:
    through(MadeEngine())
    tuned(tmp_path / "alone", "tunable", "kd")
    return files(tmp_path / "alone")


@pytest.mark.parametrize("jobs", [0, 1, 3, 7, 9, 12])
def test_killed_and_started_again_gives_the_same(
    jobs: int, tmp_path: Path, through: Any, undisturbed: dict[str, bytes]
) -> None:
    folder = tmp_path / "stopped"
    through(MadeEngine(dies_after=jobs))
    with pytest.raises(Killed):
        tuned(folder, "tunable", "kd")
    through(MadeEngine(dies_after=3))
    with pytest.raises(Killed):
        tuned(folder, "tunable", "kd")
    through(MadeEngine())
    tuned(folder, "tunable", "kd")
    assert files(folder) == undisturbed


def test_workers_and_other_methods_change_no_trial(
    tmp_path: Path, through: Any, undisturbed: dict[str, bytes]
) -> None:
    through(MadeEngine(slots=5))
    tuned(tmp_path / "many", "kd", "fskd", "tunable")
    assert files(tmp_path / "many")["kd.json"] == undisturbed["kd.json"]
    assert files(tmp_path / "many")["tunable.json"] == undisturbed["tunable.json"]


def test_more_trials_go_on_where_fewer_ended(
    tmp_path: Path, through: Any, undisturbed: dict[str, bytes]
) -> None:
    engine = through(MadeEngine())
    for trials in (1, 3, 6, 8):
        tuned(tmp_path / "slowly", "tunable", trials=trials)
    assert len(engine.trained) == 8
    assert files(tmp_path / "slowly")["tunable.json"] == undisturbed["tunable.json"]
    tuned(tmp_path / "slowly", "tunable", trials=2)
    assert files(tmp_path / "slowly")["tunable.json"] == undisturbed["tunable.json"]


def test_a_finished_tuning_trains_nothing_even_without_its_models(
    tmp_path: Path, through: Any
) -> None:
    through(MadeEngine())
    tuned(tmp_path, "tunable")
    before = files(tmp_path)
    for path in (tmp_path / "models").iterdir():
        path.unlink()
    engine = through(MadeEngine())
    tuned(tmp_path, "tunable")
    assert not engine.trained and files(tmp_path) == before


def test_another_seed_draws_other_trials(tmp_path: Path, through: Any) -> None:
    through(MadeEngine())
    (one,), (other,) = (
        tuned(tmp_path / str(seed), "tunable", seeds=(seed,)).studies for seed in (0, 1)
    )
    assert one.trials[0].settings == other.trials[0].settings
    assert [t.settings for t in one.trials[1:]] != [t.settings for t in other.trials[1:]]


def test_failed_trials_count_are_not_chosen_and_are_tried_again_when_asked(
    tmp_path: Path, through: Any
) -> None:
    through(MadeEngine(fails=lambda label: "squared" in label))
    (study,) = tuned(tmp_path, "tunable").studies
    failed = [trial for trial in study.trials if trial.failure]
    assert 0 < len(failed) < 8 and all(trial.score is None for trial in failed)
    assert study.chosen["kind"] == "plain"
    engine = through(MadeEngine())
    tuned(tmp_path, "tunable")
    assert not engine.trained
    (again,) = tuned(tmp_path, "tunable", overwrite="failed").studies
    assert len(engine.trained) == len(failed)
    assert [t.settings for t in again.trials] == [t.settings for t in study.trials]
    assert all(trial.score is not None for trial in again.trials)


def test_a_lost_stage_fails_its_trials_and_no_others(tmp_path: Path, through: Any) -> None:
    through(MadeEngine(fails=lambda label: label == "classifier"))
    outcome = tuned(tmp_path, "kd", "tunable", trials=3)
    lost, fine = outcome.studies
    assert lost.best is None and all("classifier" in (t.failure or "") for t in lost.trials)
    assert fine.best is not None
    assert read_settings_file(outcome.folder.settings).settings.keys() == {"tunable"}


def test_a_method_whose_trials_all_fail_gives_status_1(tmp_path: Path, through: Any) -> None:
    through(MadeEngine(fails=lambda label: True))
    words = ["tune", "--dataset", "tinyfaces", "--methods", "tunable", "--results", tmp_path]
    words += [word for file in FILES for word in ("--plugin", file)]
    found = lrfer(*words, "--trials", 2, "--scales", 2)
    assert found.status == 1 and "every trial of tunable failed" in found.err
    assert "| 1 (defaults) | 0.01 | plain | failed: no |" in found.out
    assert files(tmp_path).keys() == {"tunable.json", "trials.md"}


def test_a_choice_goes_with_its_study(tmp_path: Path, through: Any) -> None:
    """Of a study that was made anew, and failed, no choice of before is left."""
    through(MadeEngine())
    outcome = tuned(tmp_path, "tunable", trials=3)
    file = outcome.folder.settings
    assert read_settings_file(file).settings.keys() == {"tunable"}
    (tmp_path / "tuning" / "._tunable.json").write_bytes(b"of a Mac")
    shutil.rmtree(tmp_path / "models")
    outcome.folder.path("tunable").unlink()
    through(MadeEngine(fails=lambda label: True))
    tuned(tmp_path, "tunable", trials=3)
    assert not read_settings_file(file).settings and not read_settings_file(file).trials


def test_settings_held_fixed_are_not_tried_and_are_part_of_the_choice(
    tmp_path: Path, through: Any
) -> None:
    through(MadeEngine())
    settings = {"tunable": {"kind": "squared", "held": "3"}, "classifier": {"arch": "lean2"}}
    outcome = tuned(tmp_path, "tunable", "kd", settings=settings)
    study = outcome.studies[0]
    assert study.fixed == {"kind": "squared", "held": 3}
    assert all(trial.settings.keys() == {"weight"} for trial in study.trials)
    chosen = read_settings_file(outcome.folder.settings).settings["tunable"]
    assert chosen == {**study.trials[study.best or 0].settings, "kind": "squared", "held": 3}


def test_methods_with_nothing_to_tune_say_so_and_cost_nothing(tmp_path: Path, through: Any) -> None:
    engine, said = through(MadeEngine()), []
    outcome = run_tuning(asked(tmp_path, "settled", "direct", "lazy"), tell=said.append)
    assert outcome.studies == [] and not engine.trained and not tmp_path.joinpath("tuning").exists()
    assert len(said) == 3 and "nothing to tune" in said[0] and "no model of its own" in said[2]
    fixed = {"tunable": {"kind": "plain", "weight": 1.0}}
    assert "nothing to tune" in tuned(tmp_path, "tunable", settings=fixed).idle["tunable"]


def test_what_other_commands_tuned_stays_in_the_choice(tmp_path: Path, through: Any) -> None:
    through(MadeEngine())
    tuned(tmp_path, "tunable", trials=2)
    outcome = tuned(tmp_path, "kd", trials=3)
    file = read_settings_file(outcome.folder.settings)
    assert file.trials == {"kd": 3, "tunable": 2}
    assert file.versions == {name: METHODS.load(name).version for name in ("kd", "tunable")}
    assert "## tunable: 2 trials" in outcome.folder.table.read_text()


def test_unequal_numbers_of_trials_are_told_before_anything_is_trained(
    tmp_path: Path, through: Any
) -> None:
    said: list[str] = []
    engine = through(MadeEngine())
    run_tuning(asked(tmp_path, "kd", "tunable", trials=8), tell=said.append)
    assert not said and "Note" not in (tmp_path / "tuning" / "settings.toml").read_text()

    def tell(line: str) -> None:
        said.append(f"{len(engine.trained)} trained: {line}")

    engine = through(MadeEngine())
    run_tuning(asked(tmp_path, "kd", "fitnet", trials=4), tell=tell)
    (line,) = said
    assert line.startswith("0 trained: note: ") and "fitnet has 4 trials, kd has 8" in line
    text = (tmp_path / "tuning" / "settings.toml").read_text()
    assert "# Note: fitnet has 4 trials, kd has 8, tunable has 8; tune all" in text
    said.clear()
    run_tuning(asked(tmp_path, "fitnet", trials=8), tell=said.append)
    assert not said and "Note" not in (tmp_path / "tuning" / "settings.toml").read_text()


def test_a_tuning_that_was_stopped_is_told_by_the_next(tmp_path: Path, through: Any) -> None:
    through(MadeEngine(dies_after=5))
    with pytest.raises(Killed):
        tuned(tmp_path, "tunable")
    through(MadeEngine())
    said: list[str] = []
    run_tuning(asked(tmp_path, "kd"), tell=said.append)
    assert "kd has 8 trials, tunable has 5" in said[0]
    text = (tmp_path / "tuning" / "settings.toml").read_text()
    assert "not in this file: tunable." in text and "[settings.tunable]" not in text


def test_another_version_of_optuna_is_told_and_kept(
    tmp_path: Path, through: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it draws may differ, which nobody could find out afterwards."""
    through(MadeEngine())
    (study,) = tuned(tmp_path, "tunable", trials=4).studies
    ours = sampling.optuna_module().__version__
    assert study.optuna == [ours]
    monkeypatch.setattr(sampling.optuna_module(), "__version__", "9.9.9")
    said: list[str] = []
    run_tuning(asked(tmp_path, "tunable", trials=4), tell=said.append)
    assert not said, "it draws nothing"
    (study,) = run_tuning(asked(tmp_path, "tunable", trials=8), tell=said.append).studies
    assert len(said) == 1 and f"Optuna {ours}" in said[0] and "9.9.9" in said[0]
    assert study.optuna == [ours, "9.9.9"] == read(tmp_path, "tunable")["optuna"]


def test_a_method_may_refuse_settings_together(
    tmp_path: Path, through: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def picky(settings: Any, preset: Any) -> Any:
        if settings["kind"] == "squared":
            raise UserError("tunable: not squared")
        return settings

    plan_request(asked(tmp_path, "tunable").run)  # loads the plugin
    monkeypatch.setattr(METHODS.load("tunable"), "canonical_settings", staticmethod(picky))
    through(MadeEngine())
    (study,) = tuned(tmp_path, "tunable").studies
    assert {t.failure for t in study.trials if t.settings["kind"] == "squared"} == {
        "tunable: not squared"
    }
    assert study.best is not None


def test_the_first_of_equals_is_chosen() -> None:
    about = {
        "dataset": "d", "fingerprint": "f", "preset": "p", "epochs": 1, "protocols": ["b"],
        "scales": [2], "seeds": [0], "faces": 3,
    }  # fmt: skip
    trials = [{"settings": {"a": k}, "score": score} for k, score in enumerate((0.1, 0.5, 0.5))]
    assert Study(method="m", about=about, trials=trials).best == 1  # type: ignore[arg-type]
