"""Every command that prints a table prints it as JSON, too."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import in_process
import numpy as np
import pandas as pd
import pytest
import registries
from folders import REFERENCE, TINY

from lrfer_bench.cli import cli
from lrfer_bench.cli.data import plain, rows_of

NO_TABLE = {
    "run",
    "predict",
    "faces",
    "new-method",
    "render",
    "completion",
    "export",
    "measure",
    "evaluate",
}
"""What writes files, or prints CSV; `report --json` gives the table of a run."""


def leaves(group: click.Group) -> list[tuple[str, click.Command]]:
    context, found = click.Context(group), []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        found += leaves(command) if isinstance(command, click.Group) else [(name, command)]
    return found


def test_every_command_with_a_table_has_the_option() -> None:
    for name, command in leaves(cli):
        has = any("--json" in param.opts for param in command.params)
        assert has or name in NO_TABLE, f"{name} prints a table, but takes no --json"


def printed(*words: object, status: int = 0) -> Any:
    with registries.kept():
        said = in_process.lrfer(*words, "--json")
    assert said.status == status, said.err
    return json.loads(said.out, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))


@pytest.mark.parametrize(
    ("words", "key"),
    [
        (["methods", "list"], "name"),
        (["datasets", "list"], "name"),
        (["protocols", "list"], "id"),
        (["presets", "list"], "id"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)
def test_lists(words: list[str], key: str) -> None:
    rows = printed(*words)
    assert len(rows) > 3 and all(row[key] and row["summary"] for row in rows)
    shown = printed(words[0], "show", rows[0][key].partition("@")[0])
    assert shown


def test_a_report_and_a_comparison_hold_the_numbers_of_the_tables(tmp_path: Path) -> None:
    rows = printed(
        "report", "--results", REFERENCE, "--out", tmp_path, "--pictures", "none",
        "--resamples", 0,
    )  # fmt: skip
    frame = pd.read_csv(tmp_path / "leaderboard.csv")
    assert [row["method"] for row in rows] == frame["method"].tolist()
    given = [math.nan if row["accuracy"] is None else row["accuracy"] for row in rows]
    assert np.allclose(given, frame["accuracy"], equal_nan=True)
    other = "mafer[rate=0.281]"
    asked = ("--datasets", "fer2013", "--test-protocols", "bicubic", "--scales", "2,4,8",
             "--resamples", 100)  # fmt: skip
    duel = printed("compare", "direct", other, "--results", REFERENCE, *asked)
    assert [one["scale"] for one in duel["rounds"]] == sorted(
        one["scale"] for one in duel["rounds"]
    )
    for one in duel["rounds"]:
        assert one["low"] <= one["difference"] <= one["high"]
        assert one["better"] in ("", "direct", other)
        assert (one["better"] == "") == (one["p_corrected"] >= 0.05)


def test_a_plan_a_merge_and_a_check(trained: Path, environment: dict[str, str], tmp_path: Path,
                                    monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setenv("LRFER_CACHE", environment["LRFER_CACHE"])
    tiny = ["--plugin", TINY, "--dataset", "tinyfaces"]
    plan = printed("plan", *tiny, "--methods", "linear", "--scales", "2", "--results", tmp_path)
    assert [cell["method"]["name"] for cell in plan["cells"]] == ["linear"]
    merged = printed("merge", trained, "--results", tmp_path / "mine", "--plugin", TINY)
    assert {one["verdict"] for one in merged["records"]} == {"taken"}
    findings = printed("check-method", "linear", "--only", "repeatable", *tiny)
    assert {one["method"] for one in findings} == {"linear"} and findings[-1]["state"] == "ok"
    assert printed("datasets", "prepare", "tinyfaces", "--plugin", TINY)["fingerprint"]


def test_a_method_is_shown_with_settings_stages_and_cost() -> None:
    found = printed("methods", "show", "gmenet")
    settings = {setting["name"]: setting for setting in found["settings"]}
    assert settings["kd_weight"] == {"name": "kd_weight", "default": 1.0, "type": "float"}
    assert found["stages"]["teacher"].startswith("gmenet") and found["macs"]["4"] > 1e6
    said = in_process.lrfer("methods", "show", "gmenet").out
    assert "kd_weight = 1.0 (float): weight of" in said
    assert "teacher: gmenet, trained on HR faces" in said and "million MACs" in said


def test_what_json_lacks_becomes_null_and_dataclasses_objects() -> None:
    @dataclass
    class Point:
        x: float
        at: Path

    assert plain([Point(math.inf, Path("a")), np.float32("nan"), np.arange(2)]) == [
        {"x": None, "at": "a"}, None, [0, 1],
    ]  # fmt: skip
    frame = pd.DataFrame({"a": [1, 2], "b": [math.nan, 0.5]})
    assert plain(rows_of(frame)) == [{"a": 1, "b": None}, {"a": 2, "b": 0.5}]
