"""A budget of one's own, from outside: run, show, kept beside the results, merged, used again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lrfer_bench.store.merge import merge
from lrfer_bench.store.schema import Record
from lrfer_bench.store.store import Store


@pytest.fixture(scope="module")
def ran(quickly: Any, tiny: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results folder of two cells: one under a file, one under the short forms."""
    folder = tmp_path_factory.mktemp("own")
    file = folder / "mine.toml"
    file.write_text('base = "quick"\nepochs = 1\n', encoding="utf-8")
    words = ["run", *tiny, "--methods", "direct", "--scales", "2", "--no-report"]
    words += ["--workers", "1", "--results", folder / "results"]
    for budget in (["--preset", file], ["--epochs", "1", "--batch", "8"]):
        done = quickly(*words, *budget)
        assert done.returncode == 0, done.stderr
    file.unlink()  # what a results folder needs lies in it
    return folder / "results"


def by_preset(results: Path) -> dict[str, Record]:
    found = [record for record in Store(results).scan() if isinstance(record, Record)]
    return {record.preset.partition("@")[0]: record for record in found}


def test_each_has_records_under_an_id_of_its_own(ran: Path) -> None:
    found = by_preset(ran)
    assert set(found) == {"mine", "quick-own"}
    assert all(len(record.history) == 1 for record in found.values())
    kept = {path.stem for path in (ran / "presets").iterdir()}
    assert kept == {record.preset for record in found.values()}


def test_each_is_a_board_of_its_own(ran: Path, inside: Any, tmp_path: Path) -> None:
    done = inside("report", "--results", ran, "--out", tmp_path, "--pictures", "none")
    assert done.status == 0, done.err
    text = (tmp_path / "leaderboard.md").read_text()
    assert all(f"preset {record.preset}" in text for record in by_preset(ran).values())


def test_a_model_is_found_again_without_the_file(ran: Path, inside: Any, tiny: list[str]) -> None:
    plugin = tiny[tiny.index("--plugin") : tiny.index("--plugin") + 2]
    shown = inside("presets", "show", next((ran / "presets").glob("mine@*.toml")))
    assert "epochs: 1" in shown.out
    import lrfer_bench

    model = lrfer_bench.load_model(by_preset(ran)["mine"].key, ran, plugins=plugin[1:])
    assert model.classes


def test_merge_takes_the_preset_along_and_refuses_an_edited_one(ran: Path, tmp_path: Path) -> None:
    assert [o.verdict for o in merge(tmp_path / "mine", [ran])] == ["taken", "taken"]
    assert len(list((tmp_path / "mine" / "presets").iterdir())) == 2
    edited = next((tmp_path / "mine" / "presets").glob("mine@*.toml"))
    edited.write_text(edited.read_text().replace("epochs = 1\n", "epochs = 9\n"))
    verdicts = {o.verdict: o.reason for o in merge(tmp_path / "other", [tmp_path / "mine"])}
    assert set(verdicts) == {"taken", "refused"} and "edited" in verdicts["refused"]


def test_a_wrong_file_ends_before_anything_is_made(inside: Any, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text('base = "quick"\nepoch = 1\n')
    words = ["--preset", tmp_path / "bad.toml", "--results", tmp_path / "results"]
    done = inside("run", *words)
    assert done.status == 2 and 'did you mean "epochs"' in done.err
    assert not (tmp_path / "results").exists()
