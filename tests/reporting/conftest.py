"""The factory of made-up records, and a results folder with a whole small benchmark."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import made_records
import pytest


@pytest.fixture(scope="session")
def factory() -> ModuleType:
    """tests/support/made_records.py"""
    return made_records


@pytest.fixture(scope="session")
def bench(factory: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of three seeds, an oracle and four methods at three scales; 30 of 400 test rows are leaked."""
    root = tmp_path_factory.mktemp("bench")
    factory.fill(root)
    return root
