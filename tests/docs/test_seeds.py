"""What the page of results says of its seeds and machines, and where one seed would mislead."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache
from itertools import combinations
from statistics import mean

import pytest
from folders import REFERENCE, REFERENCE_GPU
from published import PAGE, SIZES

import lrfer_bench
from lrfer_bench.reporting.frame import Result, load
from lrfer_bench.reporting.numbers import p_text
from lrfer_bench.scoring.paired import holm

TEXT = PAGE.read_text(encoding="utf-8")
PLAIN = " ".join(TEXT.split())


def at_home(result: Result) -> bool:
    """Whether it is of FER2013 under `bicubic`, and was tested as it was trained, at a shown size.

    Nothing that was trained on LR faces counts as trained so.
    """
    train, test = result.record.train, result.record.test
    own = test.size_px in SIZES and (not train.scales or test.scale in train.scales)
    return result.dataset == "fer2013" and own and test.protocol == train.protocol == "bicubic@1"


@cache
def trained_again() -> dict[tuple[str, int], dict[tuple[str, int], float]]:
    """(Method, scale) -> (folder, seed) -> accuracy in %, of cpu@2."""
    cells: dict[tuple[str, int], dict[tuple[str, int], float]] = defaultdict(dict)
    for folder in (REFERENCE_GPU, REFERENCE):
        for result in load([folder]).results:
            record = result.record
            if record.preset == "cpu@2" and record.metrics and at_home(result):
                place = (result.method, record.test.scale)
                cells[place][folder.name, record.seed] = 100 * record.metrics.all.accuracy
    return cells


def gaps(one: tuple[str, int], other: tuple[str, int]) -> list[float]:
    """What one is ahead of the other, in points, of each cell that both have."""
    return [
        found[one] - found[other]
        for found in trained_again().values()
        if one in found and other in found
    ]


@pytest.mark.parametrize(
    ("one", "other", "count", "words"),
    [
        (("reference", 0), ("reference-gpu", 0), 28, "{} cells of seed 0 have the same settings"),
        (("reference", 1), ("reference-gpu", 1), 19, "Of seed 1 there are {} such cells"),
        (("reference-gpu", 0), ("reference-gpu", 1), 28, "over their {} cells two seeds differ"),
    ],
)
def test_how_far_machines_and_seeds_are_apart(
    one: tuple[str, int], other: tuple[str, int], count: int, words: str
) -> None:
    found = [abs(gap) for gap in gaps(one, other)]
    assert len(found) == count
    after = PLAIN[PLAIN.index(words.format(count)) :]
    assert re.match(
        f".{{0,150}}{mean(found):.2f} points .{{0,20}}, {max(found):.1f} at most", after
    )


def test_how_far_the_seeds_of_the_table_are_apart() -> None:
    seeds = [("reference", seed) for seed in (0, 1, 2)]
    first, second, third = ([abs(gap) for gap in gaps(*two)] for two in combinations(seeds, 2))
    assert len(first) == len(second) == len(third) == 3 * 18 + 1
    means = [mean(first), mean(second), mean(third)]
    worst = max(first + second + third)
    for words in (
        f"{len(first)} cells of the table two seeds differ by {min(means):.2f} to {max(means):.2f} "
        f"points on average, and by {worst:.1f} at most (`fitnet` at 24 pixels)",
        f"({means[0]:.2f} and {means[1]:.2f} points on average) than these are from each other "
        f"({means[2]:.2f})",
        f"cells are {mean(gaps(*seeds[:2]) + gaps(seeds[0], seeds[2])):.1f} points higher",
    ):
        assert words in PLAIN, words
    (at,) = [
        place for place, found in trained_again().items()
        if {round(abs(found[a] - found[b]), 6) for a, b in combinations(seeds, 2) if a in found}
        & {round(worst, 6)}
    ]  # fmt: skip
    assert at == ("fitnet[kd_weight=7.63]", 2)


def test_what_is_said_of_seeds_in_the_findings() -> None:
    """Finding 4 has what seed 0 alone says, and finding 1 what three times the epochs bring."""
    label = "gmenet[kd_weight=0.0]"
    alone = lrfer_bench.compare(
        "gmenet", label, REFERENCE, datasets="fer2013", test_protocols="bicubic", seeds=0,
        scales=[2, 4, 8], tell=None,
    )  # fmt: skip
    points, p = 100 * alone.difference[0], p_text(alone.p_corrected[0])
    said = f"{points:+.1f} points at 24 pixels, p {p}"
    assert f"Seed 0 alone had {said};" in PLAIN
    of_12 = [
        lrfer_bench.compare(
            name, "direct", REFERENCE, datasets="fer2013", test_protocols="bicubic",
            scales=[2, 4, 8], tell=None,
        ).p
        for name in ("fskd", "fitnet", "kd", "qualnet")
    ]  # fmt: skip
    first, *others = holm([p[0] for p in of_12])
    assert 0.05 < first <= min(others)
    both = min(holm([one for p in of_12 for one in p]))
    assert (
        f"in place of the three sizes none is (`fskd` p {p_text(first)}), nor over both "
        f"(p {p_text(both)})" in PLAIN
    )
    longer = re.search(r"^\| `direct\[epochs=3x\]` \| `direct` \| without.*$", TEXT, re.MULTILINE)
    assert longer
    brought = [float(each) for each in re.findall(r"\| \+(\d\.\d) \[", longer[0])]
    assert len(brought) == 3, "none of them is bold"
    assert f"({min(brought)} to {max(brought)} points) just fails" in PLAIN
