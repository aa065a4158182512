"""An own data set from outside: options, run, record."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from layouts import ck


def test_an_own_set_trains_from_outside(tmp_path: Path, quickly: Callable[..., Any]) -> None:
    """An own set without splits, under a name of its own, from the disk to the table."""
    preset = tmp_path / "short.toml"
    preset.write_text('base = "quick"\nepochs = 1\n')
    asked = (
        "run", "--dataset", "folder", "--data-root", ck(tmp_path / "CK"), "--data-option",
        "person=(S[0-9]+)_", "--data-option", "size=16", "--methods", "direct", "--scales", "2",
        "--preset", preset, "--workers", "1", "--results", tmp_path / "results", "--data-option",
    )  # fmt: skip
    done = quickly(*asked, "name=ck")
    assert done.returncode == 0, done.stderr
    (record,) = (tmp_path / "results" / "records").glob("ck_direct_*.json")
    assert '"name": "ck"' in record.read_text()
    assert "nobody in two splits" in done.stdout + done.stderr
    again = quickly(*asked, "name=other")
    assert "these faces have records under the name ck" in again.stdout, again.stdout
    assert "all 1 cells have a record already" in again.stdout
