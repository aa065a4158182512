"""--targets soft from outside: its own keys, its own board, and the same again by run.toml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from layouts import generated

import lrfer_bench
from lrfer_bench.store.schema import Record
from lrfer_bench.store.store import Store


@pytest.fixture(scope="module")
def ran(quickly: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results folder with the same cell twice: by majority labels, and by votes."""
    folder = tmp_path_factory.mktemp("targets")
    (folder / "root").mkdir()
    data = ["--dataset", "ferplus", "--data-root", generated(folder / "root")]
    words = ["run", *data, "--methods", "enlarge", "--scales", "4", "--epochs", "1", "--no-report"]
    for more in ([], ["--targets", "soft"]):
        done = quickly(*words, *more, "--workers", "1", "--results", folder / "results")
        assert done.returncode == 0, done.stderr
    return folder / "results"


def records(results: Path) -> list[Record]:
    return [record for record in Store(results).scan() if isinstance(record, Record)]


def test_votes_make_keys_of_their_own_and_say_so(ran: Path, inside: Any, tmp_path: Path) -> None:
    by_targets = {record.train.targets: record for record in records(ran)}
    assert set(by_targets) == {None, "soft"}
    soft, hard = by_targets["soft"], by_targets[None]
    assert soft.key != hard.key and soft.preset != hard.preset
    assert soft.stages["classifier"].key != hard.stages["classifier"].key
    assert "targets" not in hard.model_dump()["train"]
    done = inside("report", "--results", ran, "--out", tmp_path, "--pictures", "none")
    assert done.status == 0, done.err
    text = (tmp_path / "leaderboard.md").read_text()
    assert f"preset {soft.preset} · soft votes" in text
    assert f"preset {hard.preset}\n" in text
    found = lrfer_bench.load_results(ran)
    assert dict(zip(found.key, found.targets, strict=True)) == {
        soft.key: "soft",
        hard.key: "majority",
    }


def test_a_run_file_asks_for_votes_again(ran: Path, quickly: Any) -> None:
    again = quickly("run", "--config", ran / "run.toml", "--workers", "1", "--no-report")
    assert again.returncode == 0, again.stderr
    assert "nothing to run" in again.stdout
    assert len(records(ran)) == 2


def test_a_set_without_votes_is_refused(inside: Any, tmp_path: Path) -> None:
    done = inside("run", "--targets", "soft", "--results", tmp_path / "results")
    assert done.status == 2
    assert "no votes" in done.err and "Traceback" not in done.err
