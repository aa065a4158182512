"""The factory of made-up records, and a results folder with a whole small benchmark."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import made_records
import numpy as np
import pytest

from lrfer_bench.plugins.registry import METRICS

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="session")
def factory() -> ModuleType:
    """tests/support/made_records.py"""
    return made_records


@pytest.fixture(scope="session")
def bench(factory: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seeds, an oracle and four methods at three scales; 30 of 400 test rows are leaked."""
    root = tmp_path_factory.mktemp("bench")
    factory.fill(root)
    return root


@pytest.fixture
def save(factory: ModuleType, tmp_path: Path) -> Any:
    """save("good", 280, scale=2): a cell with so many of 400 images right; returns the folder."""
    count = 400
    labels = np.resize(np.arange(7), count)

    def save(method: str, right: int, **fields: Any) -> Path:
        factory.save(tmp_path, np.arange(count) < right, labels, method=method, **fields)
        return tmp_path

    return save


@pytest.fixture
def registered() -> Iterator[None]:
    """Metrics entered in a test are taken out again."""
    with METRICS.scope():
        yield


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium; where it or playwright is missing, tests of the page say so and are skipped."""
    program = (
        os.environ.get("LRFER_CHROMIUM")
        or shutil.which("chromium")
        or shutil.which("chromium-browser")
    )
    if not program:
        pytest.skip(
            "no Chromium here, the page is not tested: install the system's chromium, "
            "or set LRFER_CHROMIUM"
        )
    api = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed, the page is not tested"
    )
    with api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield chromium
        chromium.close()
