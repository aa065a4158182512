"""Studies on disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from folders import ROOT

from lrfer_bench.keys import sealed
from lrfer_bench.tuning.study import Folder
from lrfer_bench.tuning.trials import one_line

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


def test_a_failure_that_names_an_odd_path_leaves_its_study_readable(tmp_path: Path) -> None:
    """A file of JSON takes no half of a pair, and the table of trials no second line."""
    content = json.loads(KD.read_text())
    del content["content_sha256"]
    folder = Folder(tmp_path)
    folder.root.mkdir()
    folder.path("kd").write_text(json.dumps(sealed(content)))
    (study,) = folder.studies()
    study.trials[0].failure = one_line("the loss ran away\n(/data/m\udcfcller/mine.py:8)")
    folder.save(study)
    (again,) = folder.studies()
    assert again.trials[0].failure == "the loss ran away (/data/m\\udcfcller/mine.py:8)"
