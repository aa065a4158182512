"""One small finished run, and what a user's script would look like."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

TINY = Path(__file__).parents[1] / "plugins" / "tiny.py"


@pytest.fixture(scope="session")
def trained(lrfer: Any, tiny: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results folder: linear (two seeds), bicubic and a failed cell, all at x2 on the drawn faces."""
    results = tmp_path_factory.mktemp("trained") / "results"
    done = lrfer("run", *tiny, "--methods", "linear,bicubic,raises", "--scales", "2", "--seeds", "0,1", "--no-report",
                 "--workers", "2", "--results", results)  # fmt: skip
    assert done.returncode == 1 and "2 cells failed" in done.stderr, done.stderr
    return results
