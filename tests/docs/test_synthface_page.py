"""The numbers of docs/synthface.md are what `lrfer-bench run` gives today (slow: it runs)."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from folders import ROOT

PAGE = (ROOT / "docs" / "synthface.md").read_text(encoding="utf-8")
SCALES = (1, 2, 4, 8)
POINTS = 4.0
"""So far may a row be off where the processor computes otherwise, as the page says."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def records(lrfer: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], Any]:
    """Method and scale -> the record of today's default run."""
    results = tmp_path_factory.mktemp("synthface") / "results"
    done = lrfer("run", "--results", results, "--no-report", timeout=7200)
    assert done.returncode == 0, done.stderr
    found = [json.loads(path.read_text()) for path in results.glob("records/*.json")]
    return {(r["method"]["name"], r["test"]["scale"]): r for r in found}


def said() -> dict[tuple[str, int], float]:
    """The table: its first row is oracle at HR and direct at the others."""
    rows = re.findall(r"^\| ([\w, ]+?) \|((?: *[\d.]* *\|){4})$", PAGE, re.MULTILINE)
    found = {}
    for names, cells in rows:
        first, _, rest = names.partition(", ")
        for scale, cell in zip(SCALES, cells.split("|"), strict=False):
            if cell.strip():
                found[first if scale == 1 else rest or first, scale] = float(cell)
    return found


def test_the_table(records: dict[tuple[str, int], Any]) -> None:
    table = said()
    assert set(table) == set(records)
    (arithmetic,) = re.findall(r"arithmetic\s+`([0-9a-f]{12})`", PAGE)
    for place, number in table.items():
        record = records[place]
        ours = 100 * record["metrics"]["all"]["accuracy"]
        alike = record["environment"]["arithmetic"] == arithmetic
        assert abs(ours - number) <= (0.0501 if alike else POINTS), place


def test_the_confusion_matrix(records: dict[tuple[str, int], Any]) -> None:
    record = records["oracle", 1]
    (arithmetic,) = re.findall(r"arithmetic\s+`([0-9a-f]{12})`", PAGE)
    if record["environment"]["arithmetic"] != arithmetic:
        pytest.skip("this processor computes otherwise than the page's")
    rows = re.findall(r"^\| (\w+) \|((?: \d+ \|){7}) ([\d.]+) \|$", PAGE, re.MULTILINE)
    found = [[int(count) for count in counts.split("|")[:-1]] for _, counts, _ in rows]
    assert [name for name, _, _ in rows] == record["dataset"]["classes"]
    assert found == record["metrics"]["all"]["confusion"]
    recall = [f"{share:.2f}" for share in record["metrics"]["all"]["recall"]]
    assert [share for _, _, share in rows] == recall
