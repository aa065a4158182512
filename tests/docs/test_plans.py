"""The plans of the reference tables can be run, and what the pages show is whole."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from folders import REFERENCE, REFERENCE_GPU, ROOT

from lrfer_bench.contract.cards import MethodCard, card_of
from lrfer_bench.contract.preset import preset_of
from lrfer_bench.planning.build import build_plan
from lrfer_bench.planning.plan import DataRef, Plan
from lrfer_bench.planning.request import Request
from lrfer_bench.planning.run_file import read_run_file
from lrfer_bench.planning.settings import split_labels
from lrfer_bench.planning.settings_file import read_settings_file
from lrfer_bench.plugins.registry import METHODS
from lrfer_bench.store.schema import Record
from lrfer_bench.store.store import Store
from lrfer_bench.tuning.study import Folder

PLANS = sorted((ROOT / "results" / "reference-plans").glob("*.toml"))
PAGE = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")


@cache
def known(dataset: str) -> tuple[str, int]:
    """Fingerprint and number of classes of a data set, as a record tells them."""
    for record in Store(REFERENCE).scan():
        if isinstance(record, Record) and record.dataset.name == dataset and record.metrics:
            return record.dataset.fingerprint, len(record.metrics.all.recall)
    raise AssertionError(f"no record of {dataset}")


def planned(name: str) -> Plan:
    """The plan of a file, for the data that the records tell."""
    said = read_run_file(ROOT / "results" / "reference-plans" / f"{name}.toml")
    fingerprint, count = known(said["dataset"])
    classes = tuple(f"class {number}" for number in range(count))
    data = DataRef(said["dataset"], fingerprint, "/nowhere", classes, 1, (48, 48), False)
    numbers = {
        word.replace("-", "_"): [int(one) for one in said[word].split(",")]
        for word in ("scales", "seeds", "test-scales")
        if word in said
    }
    names = {
        word.replace("-", "_"): said[word].split(",")
        for word in ("protocols", "test-protocols")
        if word in said
    }
    methods = split_labels(said["methods"])
    request = Request(methods, said["dataset"], preset=preset_of(said["preset"]))
    if "settings" in said:
        request = replace(request, file=read_settings_file(Path(said["settings"])))
    return build_plan(replace(request, **numbers, **names), data)


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.stem)
def test_a_plan_can_be_made_and_the_page_names_its_file(path) -> None:
    assert planned(path.stem).cells
    assert f"results/reference-plans/{path.name}" in PAGE


def test_every_method_and_control_is_in_the_table_s_plan() -> None:
    rows = {cell.method.name for cell in planned("fer2013").cells.values()}
    built_in = [entry for entry in METHODS if entry.target.startswith("lrfer_bench.")]
    assert rows == {entry.name for entry in built_in if card_of(entry, MethodCard).listed}


def test_the_table_has_the_choices_of_the_studies() -> None:
    studies = {study.method for study in Folder(ROOT / "results/reference-tuning").studies()}
    chosen = [cell.method for cell in planned("fer2013").cells.values()]
    assert {method.name for method in chosen if method.trials == 8} == studies
    for plan in PLANS:
        asked = "settings" in read_run_file(plan)
        assert asked == (plan.stem != "fer2013-untuned"), "one file of choices for all tables"


@pytest.mark.parametrize(
    ("name", "folder", "seeds", "count"),
    [
        ("fer2013", REFERENCE, {0, 1, 2}, 3 * (3 * 18 + 1)),
        ("fer2013-untuned", REFERENCE_GPU, {0}, 3 * 18 + 1),
        ("ferplus", REFERENCE, {0}, 3 * 18 + 1),
        ("camera", REFERENCE, {0}, 3 * 6 + 1),
        ("fer2013-degradations", REFERENCE, {0}, 4 * (3 * 18 + 1)),
        ("fer2013-sizes", REFERENCE, {0}, 14 * 3 * 3 + 4 * 3 + 1),
    ],
)
def test_a_table_has_no_hole(name: str, folder: Path, seeds: set[int], count: int) -> None:
    records = (record for record in Store(folder).scan() if isinstance(record, Record))
    done = {record.key for record in records if record.status == "finished"}
    wanted = [cell for cell in planned(name).cells.values() if cell.seed in seeds]
    assert len(wanted) == count
    assert not [cell.label for cell in wanted if cell.key not in done]
