"""Every number of the tables and comparisons in README and docs/results.md comes from a record."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from statistics import mean

import pytest
from folders import REFERENCE, REFERENCE_GPU
from published import (
    ASKED,
    COSTS_TABLE,
    DESCRIBED,
    DUEL,
    ELSEWHERE,
    FERPLUS,
    GPU_PAGE,
    PAGE,
    QUOTES,
    README,
    SHOWN,
    SIZES_TABLE,
    TABLE,
    board_of,
    compared,
    costs_table,
    own,
    quote,
    rows_of,
    rows_of_seed_0,
    short,
    sizes_table,
    table,
)  # fmt: skip
from scipy.stats import spearmanr

import lrfer_bench
from lrfer_bench.reporting.choose import Choice
from lrfer_bench.reporting.collect import Options, collect
from lrfer_bench.reporting.make import write
from lrfer_bench.reporting.numbers import p_text

TEXT = PAGE.read_text(encoding="utf-8")
PLAIN = " ".join(TEXT.split())
FEWER = {"learned under `camera`": 6}
"""Rows of the table that has not all, as its page says."""
DUELS = [
    duel for page in (PAGE, FERPLUS) for duel in DUEL.finditer(page.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize("page", SHOWN, ids=lambda page: page.name)
def test_tables(page: Path) -> None:
    """All rows, in their order, with the marks of the best."""
    shown = list(TABLE.finditer(page.read_text(encoding="utf-8")))
    assert [found[1] for found in shown] == SHOWN[page]
    for found in shown:
        assert found[0] == table(found[1], dict(DESCRIBED.findall(found[0])))
        rows = FEWER.get(found[1], 19 if "48 px" in found[0] else 18)
        assert found[0].count("\n") == 2 + rows, "every method and control, and the ceiling once"


def test_each_row_of_the_readme_is_described() -> None:
    (found,) = TABLE.finditer(README.read_text(encoding="utf-8"))
    assert all(words.startswith(": ") for _, words in DESCRIBED.findall(found[0]))


@pytest.mark.parametrize(
    ("folder", "seeds"),
    [(REFERENCE, ()), (REFERENCE_GPU, (0,))],
    ids=lambda part: getattr(part, "name", ""),
)
def test_the_committed_table_is_that_of_the_records(
    folder: Path, seeds: tuple[int, ...], tmp_path: Path
) -> None:
    write(collect([folder], Options(Choice(seeds=seeds), pictures="none", page=False)), tmp_path)
    with (tmp_path / "leaderboard.csv").open(encoding="utf-8") as file:
        made = list(csv.DictReader(file))
    assert len(made) > 60
    for ours, theirs in zip(made, rows_of(folder, dataset=""), strict=True):
        for name in ours:
            assert alike(ours[name], theirs[name]), (theirs["method"], theirs["scale"], name)


def alike(one: str, other: str) -> bool:
    """Equal, or numbers but for the order in which threads sum: 1e-6."""
    try:
        return one == other or abs(float(one) - float(other)) < 1e-6
    except ValueError:
        return False


@pytest.mark.parametrize("page", [PAGE, GPU_PAGE, ELSEWHERE, FERPLUS], ids=lambda page: page.name)
def test_a_page_quotes_what_the_report_says(page: Path) -> None:
    said = [quote(board_of(head)) for head in SHOWN[page]]
    assert QUOTES.findall(page.read_text(encoding="utf-8")) == said


def test_how_far_the_tuned_rows_are_from_the_untuned_ones() -> None:
    ours, theirs = (own(rows_of(folder)) for folder in (REFERENCE, REFERENCE_GPU))
    gaps = {
        place: 100 * (float(row["accuracy"]) - float(theirs[place]["accuracy"]))
        for place, row in ours.items()
        if row["trials"] == "8.0"
    }
    assert len(gaps) == 3 * 10 and min(gaps.values()) < 0 < max(gaps.values())
    assert f"is more than {max(map(abs, gaps.values())):.1f} points from" in PLAIN
    assert f"{mean(gaps.values()):.1f} points on average" in PLAIN


def test_what_training_on_camera_brings_under_camera() -> None:
    """Finding 3: at 24, 12 and 6 pixels."""
    found = {
        (row["method"], row["protocol"], int(row["scale"])): float(row["accuracy"])
        for row in rows_of(REFERENCE)
        if row["test_protocol"] == "camera@1"
    }
    for method in ("direct", "multires"):
        for trained in ("camera@1", "bicubic@1"):
            two, four, eight = (f"{100 * found[method, trained, k]:.1f}" for k in (2, 4, 8))
            assert f"{two}, {four} and {eight} %" in PLAIN


def test_how_far_the_order_of_rows_holds_elsewhere() -> None:
    """Finding 3: Spearman's rank correlation of the areas, of the same models."""
    rows = [row for row in rows_of_seed_0() if row["dataset"] == "fer2013"]

    def areas(tested: str) -> dict[str, float]:
        every = own(rows, tested).items()
        return {name: float(row["area"]) for (name, _), row in every if row["kind"] != "oracle"}

    at_home = areas("bicubic@1")
    said = []
    for tested in ("area@1", "bicubic-noaa@1", "camera@1"):
        there = areas(tested)
        assert there.keys() == at_home.keys() and len(there) == 18
        pairs = [(at_home[name], there[name]) for name in there]
        said.append(f"{spearmanr(pairs).statistic:.2f}")
    assert f"(rank correlation {said[0]} over 18 rows)" in PLAIN
    assert f"none can be seen of it ({said[1]} and {said[2]})" in PLAIN


def test_how_far_the_order_of_rows_holds_on_ferplus() -> None:
    """Spearman's rank correlation of the areas of the rows that both have, of seed 0."""
    of_0 = [
        own([row for row in rows_of_seed_0() if row["dataset"] == dataset])
        for dataset in ("fer2013", "ferplus")
    ]
    plain = " ".join(FERPLUS.read_text(encoding="utf-8").split())
    said = []
    for part in ("", "clean_"):
        one, other = (
            {
                n: float(row[f"{part}area"])
                for (n, _), row in rows.items()
                if row["kind"] != "oracle"
            }
            for rows in of_0
        )
        assert other.keys() == one.keys() and len(one) == 18
        pairs = [(one[name], other[name]) for name in other]
        said.append(f"{spearmanr(pairs).statistic:.2f}")
    assert f"(rank correlation {said[0]} over {len(pairs)} rows, {said[1]} without" in plain
    before, after = (own(rows_of(REFERENCE, dataset)) for dataset in ("fer2013", "ferplus"))
    gaps = [
        100 * (float(row["accuracy"]) - float(before[place]["accuracy"]))
        for place, row in after.items()
        if row["trained_scales"] not in ("hr", "nothing")
    ]
    assert f"have accuracies that are {min(gaps):.0f} to {max(gaps):.0f} points higher" in plain
    kd = float(before["kd", 24]["accuracy"]) - float(before["direct", 24]["accuracy"])
    assert f"(`kd` on FER2013 {100 * kd:+.1f}, told apart without them only)" in plain


def test_accuracies_between_the_trained_sizes() -> None:
    """The page's table, what is said under it, and finding 6."""
    (shown,) = SIZES_TABLE.findall(ELSEWHERE.read_text(encoding="utf-8"))
    assert shown == sizes_table()
    at = {}
    for line in shown.splitlines()[2:]:
        name, *cells = (cell.strip(" `") for cell in line.strip("|").split("|"))
        at[name] = [float(cell) for cell in cells]
    single = {name: cells for name, cells in at.items() if cells[0] != cells[1]}
    assert len(at) == 18 and len(single) == 14
    assert all(cells[0] < cells[1] and cells[2] > cells[3] for cells in single.values())
    assert [name for name, cells in single.items() if cells[4] >= cells[5]] == ["cascade"]
    best = max(single, key=lambda name: max(single[name][4:]))
    assert (best, max(single, key=lambda name: single[name][2])) == ("mafer", "srfer")
    assert max(single, key=lambda name: single[name][1]) == "srfer"
    assert at["multires"][4] > max(max(cells[4:]) for cells in single.values())
    for words in (
        f"has {at['multires'][0]:.1f} %, behind the best (`srfer` trained at x4, "
        f"{at['srfer'][1]:.1f} %",
        f"(x5) {at['multires'][2]:.1f} %, not told from `direct` trained at x4 "
        f"({at['direct'][2]:.1f} %",
        f"behind the best (`srfer` trained at x4, {at['srfer'][2]:.1f} %",
        f"(x6) {at['multires'][4]:.1f} %, the highest, not told from the next (`mafer` trained at "
        f"x8, {at[best][5]:.1f} %",
    ):
        assert words in PLAIN, words


def test_models_of_x8_on_larger_faces() -> None:
    """What the page says under its table of sizes."""
    of_x8 = [
        row for row in rows_of(REFERENCE)
        if row["trained_scales"] in ("8", "each") and row["test_protocol"] == row["protocol"]
        and row["protocol"] == "bicubic@1"
    ]  # fmt: skip
    at = {(short(row), int(row["size_px"])): float(row["accuracy"]) for row in of_x8}
    names = {name for name, size in at if size == 16 and (name, 6) in at}
    gain = {name for name in names if at[name, 16] > at[name, 6]}
    assert len(names) == 14
    assert gain == {"srfer", "srfer[attention=0,prediction=0]", "cascade"}


def test_what_restoring_brings() -> None:
    """Finding 7."""
    rows = own(rows_of(REFERENCE))

    def at(size: int) -> list[str]:
        return [
            f"{100 * float(rows[method, size]['accuracy']):.1f}"
            for method in ("enlarge", "cascade", "direct")
        ]

    for words in (
        "at 24 pixels the HR classifier has {} %, with the cascade {} and trained on LR faces {}; "
        "at 12".format(*at(24)),
        "at 12 pixels {}, {} and {}; at 6".format(*at(12)),
        'at 6 pixels {} (always saying "happy" has 24.5), {} and {}.'.format(*at(6)),
    ):
        assert words in PLAIN, words


def test_the_oracle_is_no_upper_bound() -> None:
    rows = own(rows_of(REFERENCE))
    top = float(rows["oracle", 48]["accuracy"])
    passing = [row for (_, size), row in rows.items() if size == 24 if float(row["accuracy"]) > top]
    assert len(passing) == 3 and "three rows have a higher mean at 24 pixels" in PLAIN


def test_what_rows_cost() -> None:
    (shown,) = COSTS_TABLE.findall(TEXT)
    assert shown == costs_table() and shown.count("\n") == 2 + 18


@pytest.mark.slow
@pytest.mark.parametrize("duel", DUELS, ids=lambda duel: " ".join(duel.groups()))
def test_comparisons(duel: re.Match[str]) -> None:
    assert duel[0] == compared(duel)


def test_the_page_says_how_its_comparisons_are_made() -> None:
    asked = " ".join(f"{option} {value}" for option, value in ASKED.items())
    assert f"    lrfer-bench compare A B {asked} --results results/reference\n" in TEXT


def test_every_line_of_a_comparison_is_held_by_the_slow_test() -> None:
    text = TEXT + FERPLUS.read_text(encoding="utf-8")
    heads = re.findall(r"^\| A \| B \|.*\n\|[-|]+\n((?:\|.*\n)+)", text, re.MULTILINE)
    assert [duel[0] for duel in DUELS] == "".join(heads).splitlines(keepends=True)
    assert len(heads) >= 8


@pytest.mark.slow
@pytest.mark.parametrize(
    ("other", "scale", "said"),
    [
        ("direct (trained at x4)", 5, "`direct` trained at x4 (50.3 %, p {})"),
        (
            "srfer[attention=0.0841,pixel=8.14,prediction=0.302] (trained at x4)", 3,
            "(`srfer` trained at x4, 60.7 %, p {})",
        ),
        (
            "srfer[attention=0.0841,pixel=8.14,prediction=0.302] (trained at x4)", 5,
            "(`srfer` trained at x4, 53.7 %, p {})",
        ),
        ("mafer[rate=0.281] (trained at x8)", 6, "(`mafer` trained at x8, 47.0 %, p {})"),
    ],
)  # fmt: skip
def test_comparisons_between_the_sizes(other: str, scale: int, said: str) -> None:
    found = lrfer_bench.compare(
        "multires", other, REFERENCE, test_protocols="bicubic", scales=scale, tell=None
    )
    assert said.format(p_text(found.p[0])) in PLAIN
