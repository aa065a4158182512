"""What is left where only some training or test protocols are asked for."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import in_process
import numpy as np
import pytest

import lrfer_bench
from lrfer_bench.errors import UserError
from lrfer_bench.reporting.choose import Choice
from lrfer_bench.reporting.collect import Options, collect

LABELS = np.resize(np.arange(7), 70)


@pytest.fixture
def world(factory: ModuleType, tmp_path: Path) -> Path:
    """Two methods on bicubic and camera, each tested under both; references; one at area alone."""

    def save(method: str, right: int, **fields: Any) -> None:
        factory.save(tmp_path, np.arange(70) < right, LABELS, method=method, **fields)

    for number, trained in enumerate(("bicubic@1", "camera@1")):
        for tested in ("bicubic@1", "camera@1"):
            for method, right in (("direct", 30), ("kd", 50)):
                save(method, right + number, protocol=trained, test_protocol=tested)
    for tested in ("bicubic@1", "camera@1", "area@1"):
        save("enlarge", 20, protocol=tested, train_scales=[])
    oracle = {name: value for name, value in factory.ORACLE.items() if name != "method"}
    for tested in ("area@1", "bicubic@1"):
        save("oracle", 60, test_protocol=tested, **oracle)
    return tmp_path


def boards(root: Path, **choice: Any) -> dict[tuple[str, str], list[str]]:
    """(trained, tested) -> its methods, in alphabetical order."""
    report = collect([root], Options(Choice(**choice), resamples=0))
    return {
        (board.protocol.partition("@")[0], board.test_protocol.partition("@")[0]): sorted(
            line.label for line in board.lines
        )
        for board in report.boards
    }


ALL = ["direct", "enlarge", "kd", "oracle"]
SAME, CAMERA = ("bicubic", "bicubic"), ("camera", "camera")
THERE, BACK = ("bicubic", "camera"), ("camera", "bicubic")


@pytest.mark.parametrize(
    ("choice", "left"),
    [
        ({"protocols": ["bicubic"]}, [SAME, THERE]),
        ({"protocols": ["camera@1"]}, [CAMERA, BACK]),
        ({"test_protocols": ["camera"]}, [CAMERA, THERE]),
        ({"protocols": ["camera"], "test_protocols": ["bicubic"]}, [BACK]),
        ({"protocols": ["bicubic", "camera"]}, [SAME, THERE, CAMERA, BACK]),
    ],
    ids=str,
)
def test_boards_of_a_choice(world: Path, choice: dict[str, Any], left: list[Any]) -> None:
    """References and the ceiling stand on each of them, and on no board of their own."""
    assert boards(world, **choice) == dict.fromkeys(left, ALL)


def test_references_alone_stay_where_they_are_asked_for(world: Path) -> None:
    assert boards(world, test_protocols=["area"]) == {("area", "area"): ["enlarge", "oracle"]}
    assert ("area", "area") in boards(world)


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ({"protocols": ["cam"]}, 'no record is about training protocol "cam": did you mean'),
        ({"protocols": ["area"]}, 'no record is about training protocol "area": known: bicubic'),
        ({"test_protocols": ["bicubic@2"]}, 'about test protocol "bicubic@2": did you mean'),
        (
            {"protocols": ["camera"], "test_protocols": ["area"], "methods": ["kd"]},
            "no record is left under these --methods, --protocols and --test-protocols",
        ),
    ],
    ids=str,
)
def test_what_no_record_has(world: Path, choice: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError) as caught:
        boards(world, **choice)
    assert said in str(caught.value)


def test_a_comparison_is_corrected_over_what_was_asked_for(world: Path) -> None:
    """Four boards share the correction; one asked for alone has p as it is."""
    whole = lrfer_bench.compare("kd", "direct", world, resamples=100, tell=None)
    asked = ("--test-protocols", "bicubic", "--protocols", "bicubic")
    alone = in_process.lrfer("compare", "kd", "direct", "--results", world, *asked)
    assert len(whole) == 4 and (whole.p_corrected > whole.p).all()
    assert "over the 1 comparison above" in alone.out and "camera" not in alone.out
    (same,) = lrfer_bench.compare(
        "kd", "direct", world, protocols="bicubic", test_protocols="bicubic", tell=None
    ).itertuples()
    assert same.p_corrected == same.p


def test_a_name_that_the_choice_leaves_out(world: Path) -> None:
    said = in_process.lrfer(
        "compare", "kd", "direct", "--results", world, "--test-protocols", "area"
    )
    assert said.status == 2
    assert '"kd" has records, but none is left under these --test-protocols' in said.err


def test_the_command_of_a_report_takes_them(world: Path, tmp_path: Path) -> None:
    words = ("--resamples", "0", "--pictures", "none", "--out", tmp_path / "out")
    said = in_process.lrfer("report", "--results", world, "--protocols", "camera", *words)
    assert said.status == 0
    assert "trained on camera@1, tested on bicubic@1" in said.out
    assert "trained on bicubic@1" not in said.out


@pytest.mark.parametrize(
    ("other", "one", "two"), [("dataset", "one", "two"), ("preset", "one@1", "two@1")]
)
def test_references_of_another_place_make_no_board_of_their_own(
    factory: ModuleType, tmp_path: Path, other: str, one: str, two: str
) -> None:
    """enlarge under camera stands beside nothing, where only another place has camera."""

    def save(method: str, place: str, tested: str, **fields: Any) -> None:
        fields |= {other: place, "method": method, "test_protocol": tested}
        factory.save(tmp_path, np.arange(70) < 50, LABELS, **fields)

    save("direct", two, "camera@1")
    save("direct", one, "bicubic@1")
    for tested in ("bicubic@1", "camera@1"):
        save("enlarge", one, tested, protocol=tested, train_scales=[])
    assert boards(tmp_path, protocols=["bicubic"]) == {
        SAME: ["direct", "enlarge"], THERE: ["direct"]
    }  # fmt: skip


def test_a_reference_asked_for_by_name_stays_on_the_boards_of_what_was_trained(
    world: Path,
) -> None:
    asked = {"protocols": ["bicubic"], "test_protocols": ["camera"]}
    assert list(boards(world, methods=["enlarge"], **asked).values()) == [["enlarge", "oracle"]]


def test_a_ceiling_alone_is_shown_where_nothing_else_can_be_meant(
    world: Path, factory: ModuleType, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert boards(world, scales=[1]) == {SAME: ["oracle"]}
    with pytest.raises(UserError, match="no record is left under these --methods and --scales"):
        boards(world, methods=["kd"], scales=[1])
    alone = tmp_path_factory.mktemp("alone")
    factory.save(alone, np.arange(70) < 50, LABELS, **factory.ORACLE)
    assert list(boards(alone, test_protocols=["bicubic"]).values()) == [["oracle"]]


def test_the_table_for_programs_has_no_oracle_of_a_protocol_that_was_not_asked_for(
    world: Path, tmp_path: Path
) -> None:
    asked: dict[str, Any] = {"pictures": "none", "page": False, "resamples": 0}
    every = lrfer_bench.report(world, tmp_path / "all", **asked)
    some = lrfer_bench.report(world, tmp_path / "some", test_protocols="bicubic", **asked)
    oracles = [frame.loc[frame["kind"] == "oracle", "test_protocol"] for frame in (every, some)]
    assert [sorted(found) for found in oracles] == [["area@1", "bicubic@1"], ["bicubic@1"]]
