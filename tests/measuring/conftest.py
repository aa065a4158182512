"""Records as another machine sends them, for what can be measured without their models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import registries
from folders import TINY

from lrfer_bench.plugins.loading import load_plugin
from results import copy_of


@pytest.fixture
def sent(
    trained: Path, tmp_path: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """The records of linear and enlarge, without models; their data set is prepared here."""
    monkeypatch.setenv("LRFER_CACHE", environment["LRFER_CACHE"])
    with registries.kept():
        load_plugin(TINY)
        yield copy_of(trained, tmp_path / "sent")
