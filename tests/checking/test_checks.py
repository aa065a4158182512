"""Every rule that check-method knows, broken once on purpose; the sentence names the line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import registries
import torch
from folders import PLUGINS

from lrfer_bench.checking.checks import Check, run_checks
from lrfer_bench.plugins.loading import load_plugin

BAD = (PLUGINS / "bad.py").read_text().splitlines()


@pytest.fixture(scope="module", autouse=True)
def plugins(environment: dict[str, str]) -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with registries.kept(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("LRFER_CACHE", environment["LRFER_CACHE"])
        load_plugin(PLUGINS / "tiny.py")
        load_plugin(PLUGINS / "bad.py")
        yield
    torch.set_num_threads(threads)


def checked(name: str) -> dict[str, Check]:
    return {check.name: check for check in run_checks(name, "tinyfaces")}


def test_a_good_method_passes_every_check() -> None:
    found = checked("good")
    assert len(found) == 10 and {check.state for check in found.values()} == {"ok"}, found
    assert "weight=1.0" in found["is a method with a card and settings"].detail
    assert "teacher" in found["leaves its stages alone"].detail
    assert found["costs"].detail.startswith("1,028 parameters, 0.00 million MACs")  # 16 * 16 * 4 + 4


@pytest.mark.parametrize(
    ("name", "check", "words", "line"),
    [
        ("never-learns", "learns something", "of the very faces it was trained on", "class NeverLearns"),
        ("changes-stage", "builds and takes a step", 'changed its stage "teacher"', "class ChangesStage"),
        ("looks-around", "answers the same in any batch", "depend on its own face only", "class LooksAround"),
        ("dice", "repeats", "two trainings under one key differ", "class Dice"),
        ("forgets", "answers the same after saving", "not in its state_dict", "class Good"),
        ("peeks", "answers the same with the HR", "more than the LR faces", "class Peeks"),
        ("elsewhere", "builds and takes a step", "logits on the device meta for faces on cpu", "class Elsewhere"),
    ],
)
def test_a_broken_rule_is_named_with_its_line(name: str, check: str, words: str, line: str) -> None:
    failed = [found for found in checked(name).values() if found.state == "failed"]
    first = failed[0]
    assert first.name.startswith(check) and words in first.detail and "\n" not in first.detail, failed
    number = int(first.detail.rpartition("bad.py:")[2].partition(")")[0])
    start = next(i for i, text in enumerate(BAD, 1) if text.startswith(line))
    assert start < number <= start + 20


def test_a_missing_package_is_named_with_the_line_that_wants_it() -> None:
    """It may be a slip of the pen in an import: it must not be green."""
    failed = [check for check in checked("lacks-package").values() if check.state == "failed"]
    assert "No module named 'a_package_that_nobody_has'" in failed[0].detail and "bad.py:" in failed[0].detail


def test_a_stage_that_answers_no_logits_is_checked_as_far_as_it_goes() -> None:
    found = checked("superres")
    assert {check.state for check in found.values()} == {"ok", "skipped"}, found


def test_from_outside_a_crash_and_a_left_process_are_told(lrfer: Any, tmp_path: Path) -> None:
    tiny = ["--plugin", PLUGINS / "tiny.py", "--plugin", PLUGINS / "bad.py", "--dataset", "tinyfaces"]
    gone = lrfer("check-method", "vanishes", *tiny)
    assert gone.returncode == 1 and "ended by itself with status 7 (" in gone.stdout and "bad.py:" in gone.stdout
    messy = lrfer("check-method", "litters", *tiny)
    assert messy.returncode == 1 and "hello from the method" in messy.stdout.partition("prints: ")[2]
    assert "FAILED   leaves no process behind" in messy.stdout and "1 check failed" in messy.stdout
    assert not any(
        b"time.sleep(600)" in path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if _alive(path)
    )
    empty = tmp_path / "empty.py"
    empty.write_text("")
    for argument, words in (
        (empty, "registers no method"),
        (PLUGINS / "broken.py", "cannot be imported"),
        ("gmnet", "gmenet"),
    ):
        wrong = lrfer("check-method", argument)
        assert wrong.returncode == 2 and words in wrong.stderr and "Traceback" not in wrong.stderr


def _alive(path: Path) -> bool:
    try:
        path.read_bytes()
    except OSError:
        return False
    return True


def test_in_a_run_the_others_finish_and_the_author_is_told(lrfer: Any, tmp_path: Path) -> None:
    done = lrfer("run", "--plugin", PLUGINS / "tiny.py", "--plugin", PLUGINS / "bad.py", "--dataset", "tinyfaces", "--methods",
                 "good,changes-stage,elsewhere,litters,vanishes", "--scales", "2", "--workers", "2", "--no-report",
                 "--results", tmp_path / "results")  # fmt: skip
    assert done.returncode == 1 and "3 cells failed" in done.stderr, done.stdout + done.stderr
    assert "done: good" in done.stdout and "done: litters" in done.stdout
    assert 'ChangesStage changed its stage "teacher"' in done.stdout
    (elsewhere,) = [line for line in done.stdout.splitlines() if line.startswith("failed: train elsewhere")]
    assert elsewhere.endswith(")") and "bad.py:" in elsewhere
    assert "left 1 process running, ended now" in done.stdout
    assert "hello from the method" not in done.stdout
