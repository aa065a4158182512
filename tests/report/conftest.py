"""The factory of made-up records, and a results folder with a whole small benchmark."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def factory() -> ModuleType:
    """tests/report/factory.py"""
    name = "report_test_factory"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("factory.py"))
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="session")
def bench(factory: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of three seeds, an oracle and four methods at three scales; 30 of 400 test rows are leaked."""
    root = tmp_path_factory.mktemp("bench")
    factory.fill(root)
    return root
