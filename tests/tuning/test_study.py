"""Studies on disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from folders import ROOT
from made_engine import MadeEngine
from tunings import tuned

from lrfer_bench.keys import sealed
from lrfer_bench.planning.settings_file import read_settings_file
from lrfer_bench.plugins.registry import Entry
from lrfer_bench.tuning.study import Folder

KD = ROOT / "results" / "reference-tuning" / "tuning" / "kd.json"


@pytest.mark.parametrize("scores", [[], [0.1, None, 0.3]])
def test_one_of_the_form_with_a_list_of_histories_is_read(
    scores: list[float | None], tmp_path: Path
) -> None:
    content = json.loads(KD.read_text())
    del content["content_sha256"]
    for trial in content["trials"]:
        trial["histories"] = [scores] if scores else []
    folder = Folder(tmp_path)
    folder.root.mkdir()
    folder.path("kd").write_text(json.dumps(sealed(content)))
    (study,) = folder.studies()
    assert [trial.history for trial in study.trials] == [scores] * 8


def test_a_failure_that_is_odd_leaves_its_folder_to_be_tuned_on(
    tmp_path: Path, through: Any
) -> None:
    """A file of JSON takes no half of a pair, and the table of trials no second line."""
    odd = "the loss ran away\n(/data/m\udcfcller/mine.py:8)"
    through(MadeEngine(fails=lambda label: "squared" in label, says=odd))
    tuned(tmp_path, "tunable")
    (again,) = tuned(tmp_path, "tunable", trials=9).studies
    told = [trial.failure for trial in again.trials if trial.failure]
    end = "the loss ran away (/data/m\\udcfcller/mine.py:8)"
    assert told and all(sentence.endswith(end) for sentence in told)
    table = (tmp_path / "tuning" / "trials.md").read_text()
    assert table.count("the loss ran away |") == len(told)


def test_a_method_that_has_another_name_today_goes_on_with_its_study(
    tmp_path: Path, through: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Entry, "names", property(lambda entry: ("former", entry.name)))
    through(MadeEngine())
    tuned(tmp_path, "tunable", trials=4)
    folder = Folder(tmp_path)
    (study,) = folder.studies()
    study.method = "former"
    folder.save(study)
    folder.path("tunable").unlink()
    engine = through(MadeEngine())
    (again,) = tuned(tmp_path, "tunable", trials=5).studies
    assert again.trials[:4] == study.trials and len(engine.trained) == 1
    assert [one.method for one in folder.studies()] == ["tunable"]
    assert read_settings_file(folder.settings).settings.keys() == {"tunable"}
