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
from lrfer_bench.reporting.collect import Options, collect
from lrfer_bench.reporting.make import write

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


@pytest.fixture
def open_file(browser: Any) -> Iterator[Any]:
    """open_file(PATH, words="#sort=macs"): a page; what a browser complains of fails the test."""
    trouble: list[str] = []
    opened = []

    def visit(file: Path, words: str = "", width: int = 1200) -> Any:
        context = browser.new_context(viewport={"width": width, "height": 900})
        page = context.new_page()
        page.set_default_timeout(5000)
        page.on("console", lambda m: trouble.append(m.text))
        page.on("pageerror", lambda e: trouble.append(str(e)))
        page.goto(file.as_uri() + words)
        opened.append(context)
        return page

    yield visit
    assert trouble == []
    for context in opened:
        context.close()


@pytest.fixture
def open_report(open_file: Any, tmp_path: Path) -> Any:
    """open_report(words="", resamples=0): the page of what lies in tmp_path."""

    def visit(words: str = "", **options: Any) -> Any:
        asked = Options(**{"resamples": 100, "pictures": "none", **options})
        write(collect([tmp_path], asked), tmp_path / "out")
        return open_file(tmp_path / "out" / "index.html", words)

    return visit


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
