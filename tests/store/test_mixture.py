"""Records of several arithmetics are named where they meet: in merge and below the tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from lrfer_bench.reporting.choose import Choice
from lrfer_bench.reporting.collect import Options, collect, how_made
from lrfer_bench.reporting.duel import duel
from lrfer_bench.store.merge import merge
from lrfer_bench.store.mixture import mixture
from lrfer_bench.store.schema import Record
from lrfer_bench.store.store import Store
from results import copy_of, edited


def told(root: Path, seed: int, **environment: str) -> None:
    """Have the records of a seed tell another environment."""
    for path in (root / "records").glob(f"*_s{seed}_*"):
        now = {"environment": {"torch": "2.14.1", **environment}}
        edited(path, lambda content, now=now: content.update(now))


def records(root: Path) -> list[Record]:
    return [entry for entry in Store(root).scan() if isinstance(entry, Record)]


def test_records_of_one_arithmetic_or_none_are_no_mixture(trained: Path, tmp_path: Path) -> None:
    mine = copy_of(trained, tmp_path / "mine")
    seeds = {record.seed for record in records(mine)}
    assert len(seeds) > 1 and mixture(records(mine)) == ""
    told(mine, min(seeds))  # old records do not tell it; they alone make no mixture
    assert {record.arithmetic for record in records(mine) if record.seed == min(seeds)} == {""}
    assert mixture(records(mine)) == ""


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ({"arithmetic": "feedfeedfeed"}, "feedfeedfeed"),
        ({"arithmetic": "feedfeedfeed", "gpu": "H100", "precision": "bf16"}, "H100, bf16"),
    ],
)
def test_a_mixture_is_named_once_by_merge_and_below_the_table(
    facts: dict[str, str], word: str, trained: Path, tmp_path: Path
) -> None:
    mine, theirs = copy_of(trained, tmp_path / "mine"), copy_of(trained, tmp_path / "theirs")
    seed = min(record.seed for record in records(mine))
    told(theirs, seed, **facts)
    for path in (mine / "records").glob(f"*_s{seed}_*"):
        path.unlink()
    notes: list[str] = []
    taken = list(merge(mine, [theirs], tell=notes.append))
    assert any(outcome.verdict == "taken" for outcome in taken)
    assert len(notes) == 1 and "2 arithmetics" in notes[0] and word in notes[0]
    report = collect([mine], Options(resamples=0))
    assert how_made(report).count(notes[0]) == 1 and report.cautions == [notes[0]]
    said = duel([mine], "enlarge", "linear", Choice()).notes
    assert any("2 arithmetics" in note and word in note for note in said)
    assert not duel([trained], "enlarge", "linear", Choice()).notes
    assert not any("arithmetics" in line for line in how_made(collect([trained])))


def test_models_of_another_arithmetic_are_named_where_all_records_are_alike(
    trained: Path, tmp_path: Path
) -> None:
    mine = copy_of(trained, tmp_path / "mine")
    for seed in {record.seed for record in records(mine)}:
        told(mine, seed, arithmetic="feedfeedfeed", trained_by="beefbeefbeef")
    assert "(feedfeedfeed on models of beefbeefbeef: 4)" in mixture(records(mine))


def test_seeds_of_two_machines_compare_as_long_as_no_seed_is_a_mixture(
    trained: Path, tmp_path: Path
) -> None:
    mine = copy_of(trained, tmp_path / "mine")
    seeds = sorted({record.seed for record in records(mine)})
    assert len(seeds) == 2
    for seed, name in zip(seeds, ("beefbeefbeef", "feedfeedfeed"), strict=True):
        told(mine, seed, arithmetic=name)
    said = mixture(records(mine))
    parts = f"seed {seeds[0]}: beefbeefbeef; seed {seeds[1]}: feedfeedfeed"
    assert f"by 2 arithmetics ({parts}): all rows of a seed by the same one" in said
    one = next((mine / "records").glob(f"*enlarge*_s{seeds[0]}_*"))
    content = one.read_bytes()
    one.unlink()  # this row has the machine of the other seed only
    assert mixture(records(mine)).startswith("Records of 2 arithmetics are mixed here")
    one.write_bytes(content)
    for path in (mine / "records").glob(f"*enlarge*_s{seeds[0]}_*"):
        edited(path, lambda now: now["environment"].update(arithmetic="feedfeedfeed"))
    assert mixture(records(mine)).startswith("Records of 2 arithmetics are mixed here (feedfeed")
