"""Every rule that check-method knows, broken once on purpose; the sentence names the line."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import in_process
import psutil
import pytest
import registries
import torch
from folders import PLUGINS

from lrfer_bench.checking import checks
from lrfer_bench.checking.checks import CHECKS
from lrfer_bench.checking.findings import Finding
from lrfer_bench.checking.process import methods_of
from lrfer_bench.checking.suite import check_settings, ids_of, run_checks
from lrfer_bench.checking.titles import TITLES
from lrfer_bench.errors import UserError
from lrfer_bench.plugins.loading import load_plugin, plugin_module
from lrfer_bench.plugins.registry import DATASETS, METHODS

BAD = (PLUGINS / "bad.py").read_text().splitlines()


@pytest.fixture(scope="module", autouse=True)
def plugins(
    environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with METHODS.scope(), DATASETS.scope(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("LRFER_CACHE", environment["LRFER_CACHE"])
        # The method that peeks looks into this folder, where nobody else's checks may run.
        patch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("temporary")))
        load_plugin(PLUGINS / "tiny.py")
        load_plugin(PLUGINS / "bad.py")
        yield
    for file in (
        "tiny.py",
        "bad.py",
    ):  # out of the registry, so out of the modules too: the next load registers again
        sys.modules.pop(plugin_module(PLUGINS / file), None)
    torch.set_num_threads(threads)


def found(name: str, *only: str) -> dict[str, Finding]:
    return {finding.check: finding for finding in run_checks(name, "tinyfaces", only)}


def test_a_good_method_passes_every_check() -> None:
    all_ = found("good")
    assert list(all_) == list(CHECKS) and {finding.state for finding in all_.values()} == {"ok"}, (
        all_
    )
    assert "weight=1.0" in all_["declares"].detail
    assert "teacher" in all_["keeps_stages"].detail
    assert all_["costs"].detail.startswith("1,028 parameters, 0.00 million MACs")  # 16 * 16 * 4 + 4


def test_a_check_is_a_function_that_has_its_id() -> None:
    functions = [name for name in vars(checks) if name.startswith("check_")]
    assert functions == [f"check_{id_}" for id_ in CHECKS]
    for position, check in enumerate(CHECKS.values()):
        assert check.make.__doc__ and check.title
        assert set(check.builds_on) <= set(list(CHECKS)[:position]), (
            "what it builds on comes before it"
        )


@pytest.mark.parametrize(
    ("name", "check", "words", "line"),
    [
        ("never-learns", "learns", "of the very faces it was trained on", "class NeverLearns"),
        ("changes-stage", "keeps_stages", 'changed its stage "teacher"', "class ChangesStage"),
        ("looks-around", "any_batch", "depend on its own face only", "class LooksAround"),
        ("dice", "repeatable", "two trainings under one key differ", "class Dice"),
        ("forgets", "survives_saving", "not in its state_dict", "class Good"),
        ("peeks", "blind", "more than the LR faces", "class Peeks"),
        ("elsewhere", "builds", "logits on the device meta for faces on cpu", "class Elsewhere"),
        ("plain-number", "builds", 'the loss "none" is 0.0, a float', "class PlainNumber"),
        ("plain-number", "builds", "64x64 pixels, x2", "class PlainNumber"),
        ("uncopied", "builds", "parametrizations.weight_norm", "class Uncopied"),
        ("scheduled", "builds", 'scheduler is attached to its optimiser "main"', "class Scheduled"),
        ("shares-network", "repeatable", "build every network in __init__", "class SharesNetwork"),
    ],
)
def test_a_broken_rule_is_named_with_its_line(name: str, check: str, words: str, line: str) -> None:
    failed = [finding for finding in found(name).values() if finding.state == "failed"]
    assert [finding.check for finding in failed] == [check], failed
    assert words in failed[0].detail and "\n" not in failed[0].detail
    number = int(failed[0].detail.rpartition("bad.py:")[2].partition(")")[0])
    start = next(i for i, text in enumerate(BAD, 1) if text.startswith(line))
    assert start < number <= start + 20


def test_only_what_was_asked_is_told_and_what_it_builds_on_is_silent() -> None:
    told: list[str] = []
    some = list(run_checks("good", "tinyfaces", ["any_batch"], told.append))
    assert [(finding.check, finding.state) for finding in some] == [("any_batch", "ok")]
    assert told == ["declares", "builds", "keeps_stages", "trains", "any_batch"]
    assert list(found("good", "declares")) == ["declares"]


def test_a_failure_is_told_whether_asked_or_not() -> None:
    some = found("changes-stage", "blind")
    assert list(some) == ["keeps_stages", "blind"]
    assert some["keeps_stages"].state == "failed"
    assert some["blind"].state == "skipped" and "keeps_stages failed" in some["blind"].detail


def test_all_that_builds_on_a_failed_check_is_skipped_and_says_so() -> None:
    all_ = found("lacks-package")
    assert all_["builds"].state == "failed" and list(all_) == list(CHECKS)
    later = [all_[id_] for id_ in list(CHECKS)[2:-1]]
    assert {(finding.state, finding.detail) for finding in later} == {
        ("skipped", "because builds failed")
    }
    assert all_["ends_processes"].state == "ok", "this one is made in any case"


def test_a_word_for_a_check() -> None:
    assert ids_of(["any-batch", "costs"]) == ["any_batch", "costs"] and ids_of([]) == []
    with pytest.raises(UserError, match='did you mean "repeatable"'):
        ids_of(["costs", "repeatble"])


def test_settings_reach_the_method_that_is_checked_and_its_stages() -> None:
    given = {"good": {"weight": "0.0"}, "classifier": {"arch": "lean"}}
    (declared,) = run_checks("good", "tinyfaces", ["declares"], settings=given)
    assert "weight=0.0" in declared.detail
    found_ = {f.check: f for f in run_checks("good", "tinyfaces", ["learns"], settings=given)}
    assert found_["learns"].state == "failed", "a loss of weight 0 teaches nothing"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"good": {"wait": "1"}}, 'did you mean "weight"'),
        ({"good": {"weight": "much"}}, "it takes a number"),
        ({"multires": {"arch": "lean"}}, "reaches nothing"),
        ({"nobody": {"arch": "lean"}}, 'there is no method "nobody"'),
    ],
)
def test_settings_that_reach_nothing_are_a_sentence(
    settings: dict[str, dict[str, str]], words: str
) -> None:
    with pytest.raises(UserError, match=words):
        check_settings(["good", "never-learns"], settings)


def test_a_missing_package_is_named_with_the_line_that_wants_it() -> None:
    """It may be a slip of the pen in an import: it must not be green."""
    failed = [finding for finding in found("lacks-package").values() if finding.state == "failed"]
    assert (
        "No module named 'a_package_that_nobody_has'" in failed[0].detail
        and "bad.py:" in failed[0].detail
    )


def test_a_stage_that_answers_no_logits_is_checked_as_far_as_it_goes() -> None:
    all_ = found("superres")
    skipped = [id_ for id_, finding in all_.items() if finding.state == "skipped"]
    assert skipped == ["survives_saving", "any_batch", "blind", "costs"], all_
    assert {finding.state for finding in all_.values()} == {"ok", "skipped"}, all_


def test_from_outside_a_crash_and_a_left_process_are_told(lrfer: Any, tmp_path: Path) -> None:
    tiny = [
        "--plugin",
        PLUGINS / "tiny.py",
        "--plugin",
        PLUGINS / "bad.py",
        "--dataset",
        "tinyfaces",
    ]
    gone = lrfer("check-method", "vanishes", *tiny)
    assert (
        gone.returncode == 1
        and "ended by itself with status 7 (" in gone.stdout
        and "bad.py:" in gone.stdout
    )
    messy = lrfer("check-method", "litters", *tiny, LRFER_TEST_MARK=str(tmp_path))
    assert (
        messy.returncode == 1
        and "hello from the method" in messy.stdout.partition("note     prints")[2]
    )
    assert "FAILED   ends_processes" in messy.stdout and "1 check failed" in messy.stdout
    assert not marked(str(tmp_path))


def test_what_cannot_be_checked_is_a_sentence(tmp_path: Path) -> None:
    empty = tmp_path / "empty.py"
    empty.write_text("")
    for words, sentence in (
        ([empty], "registers no method"),
        ([PLUGINS / "broken.py"], "cannot be imported"),
        (["gmnet"], "gmenet"),
        (["direct", "--only", "repeatble"], 'did you mean "repeatable"'),
        (["direct", "--only", ","], "--only names nothing"),
        (["direct", "--dataset", "fer2013"], "fer2013 needs files of yours"),
    ):
        with registries.kept():
            wrong = in_process.lrfer("check-method", *words)
        assert wrong.status == 2 and sentence in wrong.err, wrong.err
        assert "Traceback" not in wrong.err and not wrong.out


def test_the_list_of_checks_needs_no_torch() -> None:
    code = (
        "import sys\n"
        "from lrfer_bench.cli import cli\n"
        "cli(['check-method', '--list'], standalone_mode=False)\n"
        "sys.exit('torch was imported' if {'torch', 'numpy'} & set(sys.modules) else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == list(TITLES) == list(CHECKS)


def test_from_outside_checks_are_listed_and_chosen(lrfer: Any, tiny: list[str]) -> None:
    listed = lrfer("check-method", "--list")
    assert listed.returncode == 0 and not listed.stderr
    assert [line.split()[0] for line in listed.stdout.splitlines()] == list(CHECKS)
    one = lrfer("check-method", "linear", *tiny, "--only", "declares,builds")
    assert one.returncode == 0 and one.stdout.splitlines()[-1] == "all is well", (
        one.stdout + one.stderr
    )
    assert [line.split()[:2] for line in one.stdout.splitlines()[1:-1]] == [
        ["ok", "declares"],
        ["ok", "builds"],
    ]


def marked(mark: str) -> list[psutil.Process]:
    """Processes that run with this mark in their environment."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get("LRFER_TEST_MARK") == mark:
                found.append(process)
    return found


def test_in_a_run_the_others_finish_and_the_author_is_told(lrfer: Any, tmp_path: Path) -> None:
    plugins = ["--plugin", PLUGINS / "tiny.py", "--plugin", PLUGINS / "bad.py"]
    done = lrfer("run", *plugins, "--dataset", "tinyfaces", "--methods",
                 "good,changes-stage,elsewhere,litters,vanishes", "--scales", "2", "--workers", "2",
                 "--no-report", "--results", tmp_path / "results")  # fmt: skip
    assert done.returncode == 1 and "3 cells failed" in done.stderr, done.stdout + done.stderr
    assert "done: good" in done.stdout and "done: litters" in done.stdout
    assert 'ChangesStage changed its stage "teacher"' in done.stdout
    (elsewhere,) = [
        line for line in done.stdout.splitlines() if line.startswith("failed: train elsewhere")
    ]
    assert elsewhere.endswith(")") and "bad.py:" in elsewhere
    assert "left 1 process running, ended now" in done.stdout
    assert "hello from the method" not in done.stdout


def test_a_method_that_looks_at_no_votes_is_told_so() -> None:
    for name, words in (("direct", "by ce"), ("superres", "no loss"), ("fsrfer", "no loss")):
        (found,) = run_checks(name, "tinyfaces", ["votes"])
        assert found.state == "ok" and words in found.detail, found
    (found,) = run_checks("enlarge", "tinyfaces", ["votes"])
    assert found.state == "skipped"


def test_a_file_may_register_a_class_of_another_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "their_module.py").write_text(
        "from lrfer_bench.api import Method\n\n\nclass Thing(Method):\n    pass\n"
    )
    plugin = tmp_path / "brings.py"
    plugin.write_text(
        "from lrfer_bench.api import register_method\nfrom their_module import Thing\n\n"
        'register_method("thing")(Thing)\n'
    )
    with METHODS.scope():
        assert methods_of(str(plugin), [])[0] == ["thing"]
