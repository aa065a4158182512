"""What a score is: a model for several scales is shown the whole split at each asked for."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from folders import ROOT
from made_engine import HereEngine
from small_models import plan_of
from tunings import asked, read, tuned

from lrfer_bench.contract.condition import Condition
from lrfer_bench.data.lowres import lr_images
from lrfer_bench.errors import UserError
from lrfer_bench.pixels import enlarge
from lrfer_bench.planning.request import plan_request
from lrfer_bench.running import models, work
from lrfer_bench.store.store import Store
from lrfer_bench.tuning import tune, validated
from lrfer_bench.tuning.validated import shown_at

ASKED = {"epochs": "12", "trials": 2}


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> HereEngine:
    """Trainings are done in this process, and really."""
    engine = HereEngine()
    monkeypatch.setattr(tune, "engine_for", lambda *given, **more: engine)
    return engine


def by_hand(folder: Path, key: str, scales: tuple[int, ...]) -> float:
    """The share of right answers on tinyfaces' validation split, without face 5, which leaks."""
    prepared, _ = plan_request(asked(folder, "shared").run)
    weights = safetensors.torch.load_file(folder / "models" / f"{key}.safetensors")
    labels, right = prepared.faces.val.labels, []
    for scale in scales:
        lr = torch.from_numpy(
            np.array(lr_images(prepared, "val", Condition("bicubic@1", (scale,))))
        )
        pixels = enlarge(lr, (16, 16)).flatten(1)
        answers = (pixels @ weights["linear.weight"].T + weights["linear.bias"]).argmax(1).numpy()
        right += [np.delete(answers == labels, 5)]
    return float(np.mean(right))


@pytest.mark.parametrize("scales", [(4,), (2, 4)])
def test_the_score_of_a_model_for_all_scales_is_of_those_that_were_asked_for(
    scales: tuple[int, ...], tmp_path: Path, here: HereEngine
) -> None:
    (study,) = tuned(tmp_path, "shared", scales=scales, **ASKED).studies
    assert [trial.shown_at for trial in study.trials] == [list(scales)] * 2
    of_training = []
    for trial in study.trials:
        (key,) = trial.keys
        assert trial.score == pytest.approx(by_hand(tmp_path, key, scales), abs=1e-6)
        facts = json.loads((tmp_path / "models" / f"{key}.json").read_text())
        of_training.append(facts["history"][-1]["val_score"])
    assert of_training != pytest.approx([trial.score for trial in study.trials], abs=1e-6)


def test_no_test_face_is_opened_for_it(
    tmp_path: Path, here: HereEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Any] = []
    really = work.open_prepared
    work.prepared_data.cache_clear()
    monkeypatch.setattr(
        work, "open_prepared", lambda *given: opened.append(given[1]) or really(*given)
    )
    (study,) = tuned(tmp_path, "shared", scales=(4,), **ASKED).studies
    work.prepared_data.cache_clear()
    assert study.settled and opened == [("train", "val")]


def test_a_model_of_its_one_scale_keeps_what_its_training_saw(
    tmp_path: Path, here: HereEngine
) -> None:
    (study,) = tuned(tmp_path, "fragile", scales=(4,), epochs="12", trials=1).studies
    for trial in study.trials:
        (key,) = trial.keys
        facts = json.loads((tmp_path / "models" / f"{key}.json").read_text())
        assert trial.shown_at == [] and trial.score == facts["history"][-1]["val_score"]


def test_a_score_that_half_of_the_faces_at_hr_gave_is_not_gone_on_with(
    tmp_path: Path, here: HereEngine
) -> None:
    """As studies were before scores were taken at the asked scale."""
    tuned(tmp_path, "shared", scales=(4,), **ASKED)
    path = tmp_path / "tuning" / "shared.json"
    study = read(tmp_path, "shared")
    del study["content_sha256"]
    for trial in study["trials"]:
        del trial["shown_at"]
    path.write_text(json.dumps(study))
    with pytest.raises(UserError, match=r"shared\.json was made with other code"):
        tuned(tmp_path, "shared", scales=(4,), **ASKED)
    path.unlink()
    trained = list(here.trained)
    (again,) = tuned(tmp_path, "shared", scales=(4,), **ASKED).studies
    assert here.trained == trained and again.settled, "its models are shown the faces again"


def test_a_model_that_is_damaged_by_then_is_trained_anew(tmp_path: Path, here: HereEngine) -> None:
    tuned(tmp_path, "shared", scales=(4,), **ASKED)
    study = read(tmp_path, "shared")
    ((key,), _) = (trial["keys"] for trial in study["trials"])
    study["trials"][0]["score"] = None
    del study["content_sha256"]
    (tmp_path / "tuning" / "shared.json").write_text(json.dumps(study))
    (tmp_path / "models" / f"{key}.safetensors").write_bytes(b"cut")
    (again,) = tuned(tmp_path, "shared", scales=(4,), **ASKED).studies
    assert here.trained.count(key) == 2 and again.trials[0].score is not None
    assert (tmp_path / "models" / f"{key}.safetensors.damaged").exists()


def test_a_model_that_cannot_answer_there_is_a_failed_trial(
    tmp_path: Path, here: HereEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*given: Any) -> float:
        raise ValueError("not at this size")

    monkeypatch.setattr(validated, "score_at", refuse)
    (study,) = tuned(tmp_path, "shared", scales=(4,), **ASKED).studies
    assert all("ValueError: not at this size" in (t.failure or "") for t in study.trials)


def test_built_in_methods_that_are_shown_faces() -> None:
    plan = plan_of(["direct", "mafer", "multires", "rsnet", "fsrfer"], (4,))
    shown = {
        plan.trainings[cell.training].method.name: shown_at(plan, cell.training)
        for cell in plan.cells.values()
        if cell.training
    }
    assert shown == {"direct": [], "mafer": [], "multires": [4], "rsnet": [4], "fsrfer": []}
    plan = plan_of(["direct", "fsrfer"], (2, 4))
    named = [(plan.trainings[key].method.name, shown_at(plan, key)) for key in plan.trainings]
    assert [each for each in named if each[0] != "classifier"] == [
        ("direct", []), ("direct", []), ("fsrfer", [2, 4]),
    ]  # fmt: skip


def test_the_benchmark_on_validation_scores_alike(tmp_path: Path, here: HereEngine) -> None:
    spec = importlib.util.spec_from_file_location(
        "on_validation", ROOT / "benchmarks" / "on_validation.py"
    )
    assert spec and spec.loader
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    (study,) = tuned(
        tmp_path, "shared", scales=(4,), epochs="1x", trials=1, preset="quick@1"
    ).studies
    _, whole = plan_request(asked(tmp_path, "shared", scales=(4,)).run)
    (row,) = list(benchmark.rows(whole, Store(tmp_path), "cpu"))[2:]
    assert models.has_model(Store(tmp_path), study.trials[0].keys[0])
    assert f"| shared | 4 | 0 | {100 * (study.trials[0].score or 0):.1f} |" in row
