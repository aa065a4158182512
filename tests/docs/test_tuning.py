"""Every trial that docs/methods.md shows is one of the committed studies."""

from __future__ import annotations

import re

import pytest
from folders import ROOT

from lrfer_bench.planning.settings_file import read_settings_file
from lrfer_bench.tuning.chosen import markdown
from lrfer_bench.tuning.study import Folder

FOLDER = Folder(ROOT / "results" / "reference-tuning")
STUDIES = list(FOLDER.studies())
PAGE = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")


def test_the_committed_tables_are_those_of_the_studies() -> None:
    assert STUDIES and all(study.settled for study in STUDIES)
    assert FOLDER.table.read_text(encoding="utf-8") == markdown(STUDIES)
    chosen = read_settings_file(FOLDER.settings)
    assert chosen.settings == {study.method: dict(study.chosen) for study in STUDIES}
    assert chosen.trials == {study.method: 8 for study in STUDIES}


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.method)
def test_each_trial_is_on_the_page(study) -> None:
    rows = re.findall(r"^\|.*\|$", markdown([study]), flags=re.MULTILINE)
    assert "\n".join(rows) in PAGE
