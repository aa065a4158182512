"""Every number of the tables and comparisons in README and docs/results.md comes from a record."""

from __future__ import annotations

import csv
import re

import in_process
import pytest
from folders import REFERENCE_GPU, ROOT

PAGES = [ROOT / "README.md", ROOT / "docs" / "results.md"]
TEXT = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
SIZES = {48: 1, 24: 2, 12: 4, 6: 8}
COMPARED = re.compile(
    r"    lrfer-bench compare (\S+) (\S+) --seeds 0 --scales 2,4,8 --results \S+"
    r'(?:   # the part "tested on (\w+)@1")?\n\n'
    r"((?:    x.*\n)+)"
)
ROW = re.compile(r"\| `([^`]+)`[^|]*\|(.*)\|")
NUMBER = r"(\d+\.\d) \[(\d+\.\d), (\d+\.\d)\]"


@pytest.fixture(scope="module")
def board() -> dict[tuple[str, int], dict[str, str]]:
    """The committed table of bicubic, by the name of the row and the size of the face."""
    with (REFERENCE_GPU / "report" / "leaderboard.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["seed_list"] for row in rows} == {"0"}
    return {
        (row["method"].replace("=0.0", "=0"), int(row["size_px"])): row
        for row in rows
        if row["test_protocol"] == "bicubic@1" or row["kind"] == "oracle"
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_tables(page, board) -> None:
    """The first table counts all faces, a second one those without leaked rows."""
    found, seen = 0, set()
    for line in page.read_text(encoding="utf-8").splitlines():
        row = ROW.fullmatch(line)
        if not row or not re.search(NUMBER, line):
            continue
        part = "clean_" if row[1] in seen else ""
        seen.add(row[1])
        for size, cell in zip(SIZES, row[2].split("|"), strict=True):
            numbers = re.search(NUMBER, cell.replace("*", ""))
            if numbers is None:
                assert (row[1], size) not in board, f"{row[1]} has a result at {size} pixels"
                continue
            ours = board[row[1], size]
            names = ("accuracy", "accuracy_low", "accuracy_high")
            expected = tuple(f"{100 * float(ours[part + name]):.1f}" for name in names)
            assert numbers.groups() == expected, f"{row[1]} at {size} pixels"
            assert ("**" in cell) == (ours[part + "best"] in ("1", "1.0", "True")), (row[1], size)
            found += 1
    assert found >= 43


@pytest.mark.slow
@pytest.mark.parametrize("block", COMPARED.findall(TEXT), ids=lambda block: " ".join(block[:2]))
def test_comparisons(block: tuple[str, str, str, str]) -> None:
    one, other, protocol, lines = (part.strip('"') for part in block)
    chosen = ["--seeds", "0", "--scales", "2,4,8", "--results", str(REFERENCE_GPU)]
    status, out, _ = in_process.lrfer("compare", one, other, *chosen)
    assert status == 0
    title = f"tested on {protocol}@1 ·" if protocol else "fer2013 · bicubic@1 ·"
    part = next(part for part in out.split("\n\n") if title in part.splitlines()[0])
    for line in lines.splitlines():
        scale, words = line.split(maxsplit=1)
        told = next(each for each in part.splitlines() if each.split()[0] == scale)
        difference, _, corrected = words.partition("  corrected p ")
        assert " ".join(difference.split()) in " ".join(told.split())
        assert f"corrected {corrected} (" in told


def test_there_are_comparisons() -> None:
    assert len(COMPARED.findall(TEXT)) >= 9
