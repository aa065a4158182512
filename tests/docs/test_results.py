"""Every number of the tables and comparisons in README and docs/results.md comes from a record."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from statistics import mean

import in_process
import pytest
from folders import REFERENCE, REFERENCE_GPU, ROOT

from lrfer_bench.reporting.choose import Choice
from lrfer_bench.reporting.collect import Options, Report, collect
from lrfer_bench.reporting.frame import load
from lrfer_bench.reporting.make import write
from lrfer_bench.reporting.words import answers, headline

PAGES = [ROOT / "README.md", ROOT / "docs" / "results.md"]
TEXT = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
SIZES = {48: 1, 24: 2, 12: 4, 6: 8}
COMPARED = re.compile(
    r"    lrfer-bench compare (\S+) (\S+)( --clean)? --seeds 0 --scales 2,4,8 --results \S+"
    r'(?:   # the part "tested on (\w+)@1")?\n\n'
    r"((?:    x.*\n)+)"
)
ROW = re.compile(r"\| `([^`]+)`[^|]*\|(.*)\|")
NUMBER = r"(\d+\.\d) \[(\d+\.\d), (\d+\.\d)\]"


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    with (REFERENCE_GPU / "report" / "leaderboard.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def board(rows) -> dict[tuple[str, int], dict[str, str]]:
    """The committed table of bicubic, by the name of the row and the size of the face."""
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
    text = page.read_text(encoding="utf-8").partition("\n## Tuned rows")[0]
    for line in text.splitlines():
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


@pytest.fixture(scope="module")
def report() -> Report:
    options = Options(Choice(seeds=[0]), pictures="none", page=False)
    return collect([REFERENCE_GPU], options)


def test_the_committed_table_is_that_of_the_records(report, rows, tmp_path) -> None:
    write(report, tmp_path)
    with (tmp_path / "leaderboard.csv").open(encoding="utf-8") as file:
        made = list(csv.DictReader(file))
    assert len(made) > 60
    for ours, theirs in zip(made, rows, strict=True):
        for name in ours:
            assert alike(ours[name], theirs[name]), (theirs["method"], theirs["scale"], name)


def alike(one: str, other: str) -> bool:
    """Equal, or numbers but for the order in which threads sum: 1e-6."""
    try:
        return one == other or abs(float(one) - float(other)) < 1e-6
    except ValueError:
        return False


def test_the_page_opens_with_what_the_report_says(report) -> None:
    said = [headline(report.boards[0]), *(answer.sentence for answer in answers(report.boards[0]))]
    opening = re.findall(r"^> (.*?) *$", TEXT, flags=re.MULTILINE)
    assert opening == said


def test_how_far_seeds_and_machines_are_apart() -> None:
    cells: dict[tuple[str, str, int], dict[tuple[str, int], float]] = defaultdict(dict)
    for folder in (REFERENCE_GPU, REFERENCE):
        for result in load([folder]).results:
            record = result.record
            if record.preset == "cpu@2" and record.metrics:
                conditions = f"{record.train.protocol} {record.test.protocol}"
                place = (result.method, conditions, record.test.scale)
                cells[place][folder.name, record.seed] = record.metrics.all.accuracy
    seeds, machines = ("reference-gpu", 1), ("reference", 0)
    for other, count, words in (
        (
            seeds,
            28,
            "Over their {} cells, of 20 trainings, two seeds differ by {} points on average",
        ),
        (machines, 22, "{} of these cells were trained on a processor, too"),
    ):
        gaps = [
            100 * abs(found[other] - found["reference-gpu", 0])
            for found in cells.values()
            if other in found and ("reference-gpu", 0) in found
        ]
        assert len(gaps) == count
        plain = " ".join(TEXT.split())
        assert words.format(count, f"{mean(gaps):.2f}") in plain
        assert re.search(f"{mean(gaps):.2f} points .*? {max(gaps):.1f} at most", plain)


def test_what_training_on_camera_brings_under_camera() -> None:
    """direct and multires at 24, 12 and 6 pixels, from two machines."""
    found = {
        (result.method, record.train.protocol, record.test.scale): record.metrics.all.accuracy
        for folder in (REFERENCE_GPU, REFERENCE)
        for result in load([folder]).results
        if (record := result.record).metrics and record.test.protocol == "camera@1"
        and (record.preset, record.seed) == ("cpu@2", 0)
    }  # fmt: skip
    plain = " ".join(TEXT.split())
    for method in ("direct", "multires"):
        for trained in ("camera@1", "bicubic@1"):
            two, four, eight = (f"{100 * found[method, trained, k]:.1f}" for k in (2, 4, 8))
            assert f"{two}, {four} and {eight} %" in plain


def test_accuracies_in_sentences(rows) -> None:
    """Findings 6 and 7: of cells between the trained sizes, and what restoring brings."""
    plain = " ".join(TEXT.split())
    own = [row for row in rows if row["test_protocol"] == "bicubic@1"]

    def at(method: str, size: int, trained: str = "") -> str:
        found = [
            row for row in own
            if (row["method"], row["size_px"]) == (method, str(size))
            and (not trained or row["trained_scales"] == trained)
        ]  # fmt: skip
        assert len(found) == 1, found
        return f"{100 * float(found[0]['accuracy']):.1f}"

    for words in (
        f"it reaches {at('multires', 10)} %, near the best models of one size (`srfer` trained at "
        f"x4: {at('srfer', 10, '4')} %, `kd` {at('kd', 10, '4')} %, "
        f"`direct` {at('direct', 10, '4')} %)",
        f"ahead with {at('multires', 8)} %",
        f"at 24 pixels the HR classifier has {at('enlarge', 24)} %, with the cascade "
        f"{at('cascade', 24)} and trained on LR faces {at('direct', 24)}; at 12 pixels "
        f"{at('enlarge', 12)}, {at('cascade', 12)} and {at('direct', 12)}; at 6 pixels "
        f'{at("enlarge", 6)} (less than always saying "happy", 24.5), {at("cascade", 6)} and '
        f"{at('direct', 6)}.",
    ):
        assert words in plain, words
    single = [row for row in own if row["scale"] == "6" and row["trained_scales"] in list("248")]
    best = max(float(row["accuracy"]) for row in single)
    assert f"tested there passes {100 * best:.1f} %" in plain


@pytest.mark.slow
@pytest.mark.parametrize("block", COMPARED.findall(TEXT), ids=lambda block: "".join(block[:3]))
def test_comparisons(block: tuple[str, str, str, str, str]) -> None:
    one, other, clean, protocol, lines = (part.strip('"') for part in block)
    chosen = [*clean.split(), "--seeds", "0", "--scales", "2,4,8", "--results", str(REFERENCE_GPU)]
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
