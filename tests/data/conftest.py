"""The folder of the toy data set of tests/support/toy.py."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    (folder / "seed.txt").write_text("1")
    return folder
