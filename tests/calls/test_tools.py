"""compare, plan, verify, merge and predict from Python."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import registries
from folders import REFERENCE_CPU1 as REFERENCE
from folders import TINY
from PIL import Image

import lrfer_bench
from lrfer_bench.errors import UserError
from lrfer_bench.planning.arguments import RunArguments, checked_arguments
from lrfer_bench.scoring.shares import share_interval


@pytest.fixture(autouse=True)
def here(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LRFER_CACHE", environment["LRFER_CACHE"])
    with registries.kept():
        yield


def test_compare_is_a_line_a_scale_and_its_signs_turn_with_the_order() -> None:
    options: dict[str, Any] = {"results": REFERENCE, "resamples": 100, "tell": None}
    ours = lrfer_bench.compare("srfer", "direct", **options)
    theirs = lrfer_bench.compare("direct", "srfer", **options)
    assert ours["scale"].tolist() == [2, 4, 8]
    assert np.allclose(ours["difference"], -theirs["difference"])
    assert ours["only_a"].tolist() == theirs["only_b"].tolist()
    assert lrfer_bench.compare("srfer", "direct", scales=4, **options)["scale"].tolist() == [4]
    one = lrfer_bench.compare("srfer", "direct", scales=[4], **options).iloc[0]
    assert one["p_corrected"] == pytest.approx(one["p"]), "a single test needs no correction"


def test_plan_says_what_is_to_do_and_what_is_there(trained: Path) -> None:
    options: dict[str, Any] = {
        "dataset": "tinyfaces", "plugins": TINY, "scales": 2, "results": trained, "tell": None,
    }  # fmt: skip
    there = lrfer_bench.plan("linear", **options)
    assert set(there["state"]) == {"there"} and there["job"].tolist() == ["train", "test"]
    new = lrfer_bench.plan(["linear", "direct"], seeds=5, **options)
    assert set(new["state"]) == {"to do"} and new["seconds"].isna().all()
    assert new["method"].tolist() == ["linear", "direct", "linear", "direct"]
    told = lrfer_bench.plan("cascade", estimate=True, **{**options, "seeds": 5})
    assert (told.loc[told["job"] == "train", "seconds"] > 0).all()
    assert told.iloc[-1]["after"] == "superres, classifier"


def test_the_defaults_of_plan_are_those_of_run() -> None:
    signature = inspect.signature(lrfer_bench.run).parameters
    given = {name: parameter.default for name, parameter in signature.items()}
    assert checked_arguments(RunArguments, given) == RunArguments()


def test_verify_compares_with_the_card_and_audits() -> None:
    found = lrfer_bench.verify(near=False, tell=None)
    assert found["ok"].all() and "fingerprint" in found["what"].tolist()
    assert found.attrs["audit"]["duplicate_groups"] == 0


def test_merge_takes_records_once(trained: Path, tmp_path: Path) -> None:
    first = lrfer_bench.merge(trained, tmp_path, dry_run=True, plugins=TINY, tell=None)
    assert set(first["verdict"]) == {"taken"} and not (tmp_path / "records").exists()
    lrfer_bench.merge([trained], tmp_path, plugins=TINY, tell=None)
    again = lrfer_bench.merge(trained, tmp_path, plugins=TINY, tell=None)
    assert set(again["verdict"]) == {"stood"} and len(again) == len(first)


def test_predict_answers_for_the_good_pictures_and_names_the_others(
    trained: Path, tmp_path: Path
) -> None:
    Image.fromarray(np.full((16, 16), 128, np.uint8)).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"no picture")
    said: list[str] = []
    found = lrfer_bench.predict(
        tmp_path, "linear", trained, scale=2, plugins=TINY, tell=said.append
    )
    (face,) = found.to_dict("records")
    classes = [
        name
        for name in found.columns
        if name not in ("image", "expression", "probability", "scale")
    ]
    assert face["image"].endswith("a.png") and face["expression"] in classes
    assert sum(face[name] for name in classes) == pytest.approx(1, abs=1e-5)
    assert face["probability"] == max(face[name] for name in classes)
    assert any("left out" in line and "b.png" in line for line in said)
    with pytest.raises(UserError, match="no picture was named"):  # such as an empty glob
        lrfer_bench.predict([], "linear", trained, scale=2, plugins=TINY)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: lrfer_bench.compare("srfer", "drect", REFERENCE), 'did you mean "direct"'),
        (lambda: lrfer_bench.compare("srfer", "direct", REFERENCE, resamples=5), "100 or more"),
        (lambda: lrfer_bench.plan("drect"), 'did you mean "direct"'),
        (lambda: lrfer_bench.plan("direct", scale=4), "scale is not an argument"),
        (lambda: lrfer_bench.verify("fer"), "fer2013"),
        (lambda: lrfer_bench.merge("nowhere"), "nowhere"),
        (lambda: lrfer_bench.predict("x.png", images_are="big"), "images_are"),
        (lambda: lrfer_bench.compare("srfer", "direct", []), "no results folder"),
    ],
)  # fmt: skip
def test_mistakes_are_sentences(call: Any, words: str, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=words) as error:
        call()
    assert "\n" not in str(error.value)


def test_frames_begin_with_what_one_looks_for(tmp_path: Path) -> None:
    first = ["method", "scale", "accuracy", "accuracy_low", "accuracy_high"]
    long = lrfer_bench.load_results(REFERENCE)
    board = lrfer_bench.report(REFERENCE, tmp_path, pictures="none", resamples=400)
    assert list(long.columns[:5]) == first and list(board.columns[:5]) == first
    assert board.drop(columns=first).columns.tolist() == [
        name for name in pd.read_csv(tmp_path / "leaderboard.csv").columns if name not in first
    ], "the rest is as in the file"
    shared = set(long.columns) & set(board.columns)
    assert {"parameters", "macs", "train_seconds_with_stages", "clean_accuracy_low"} <= shared


def test_the_interval_of_a_line_is_that_of_the_tables(tmp_path: Path) -> None:
    """One seed: the tables' resamples draw what the binomial distribution says."""
    long = lrfer_bench.load_results(REFERENCE)
    board = lrfer_bench.report(REFERENCE, tmp_path, pictures="none", resamples=4000)
    board = board[board["status"] == "finished"] if "status" in board else board
    place = ["method", "scale", "preset", "protocol", "test_protocol"]
    both = board.merge(long, on=place, suffixes=("", "_line"))
    assert len(both) > 20
    for end in ("accuracy_low", "accuracy_high"):
        assert np.allclose(both[end], both[f"{end}_line"], atol=0.0025), end


def test_the_interval_by_hand() -> None:
    """Binomial(2, 1/2): 0, 1 and 2 right with 1/4, 1/2, 1/4, so both tails beyond 2.5 %."""
    assert share_interval(0.5, 2) == (0.0, 1.0)
    assert share_interval(1.0, 50) == (0.025 ** (1 / 50), 1.0)  # Clopper and Pearson's
    low, high = share_interval(0.64, 3589)
    half = 1.96 * (0.64 * 0.36 / 3589) ** 0.5
    assert low == pytest.approx(0.64 - half, abs=5e-4) and high == pytest.approx(
        0.64 + half, abs=5e-4
    )
