"""Every mistake a user can make is one sentence and status 2."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from folders import PLUGINS

WRONG = [
    (["rnu"], 'no command "rnu": did you mean "run"'),
    (["run", "--methods", "gmnte"], "there is no method"),
    (["run", "--methods", ","], "--methods names nothing"),
    (["run", "--dataset", "fer2031"], 'no dataset "fer2031": did you mean "fer2013"'),
    (["run", "--dataset", "fer2013"], "fer2013"),
    (["run", "--dataset", "fer2013", "--data-root", "/no/such/folder"], "/no/such/folder"),
    (["run", "--protocols", "bicubik"], 'did you mean "bicubic"'),
    (["run", "--preset", "cpuu"], 'no preset "cpuu": did you mean "cpu"'),
    (["run", "--scales", "two"], "give whole numbers with commas between"),
    (["run", "--scales", "0"], "scale 0 is not possible"),
    (["run", "--scales", "-2"], "scale -2 is not possible"),
    (["run", "--scales", "400"], "larger than the images"),
    (["run", "--seeds", "a"], "--seeds"),
    (["run", "--set", "kd_weight=0"], "write --set METHOD.SETTING=VALUE"),
    (["run", "--set", "direct.size=0"], 'no setting "size"'),
    (["run", "--workers", "0"], "at least one worker"),
    (["run", "--engine", "lokal"], 'did you mean "local"'),
    (["run", "--plugin", "/no/such/plugin.py"], "does not exist"),
    (["run", "--overwrite", "maybe"], "maybe"),
    (["methods", "show", "drect"], 'did you mean "direct"'),
    (["protocols", "show", "camara"], 'did you mean "camera"'),
    (["presets", "show", "qick"], 'did you mean "quick"'),
]


@pytest.fixture(scope="module")
def call() -> Any:
    """In this process: the same entry as the program's, without a new interpreter for each wrong word."""

    from lrfer_bench.cli import main

    def run(arguments: list[str]) -> tuple[int, str]:
        import contextlib
        import io

        said = io.StringIO()
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said), pytest.raises(SystemExit) as left:
            main(arguments)
        return int(left.value.code or 0), said.getvalue()

    return run


@pytest.mark.parametrize(("arguments", "words"), WRONG, ids=[" ".join(arguments) for arguments, _ in WRONG])
def test_wrong_calls(
    call: Any, arguments: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LRFER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("LRFER_PLUGINS", "")
    if arguments[0] == "run" and "--dataset" not in arguments:
        arguments = [*arguments, *tiny]
    status, said = call(arguments)
    assert status == 2, said
    assert words in said and "Traceback" not in said
    assert not (tmp_path / "results").exists() or not any((tmp_path / "results").rglob("*.json"))


def test_a_results_folder_that_cannot_be_written(lrfer: Any, tiny: list[str], tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    done = lrfer("run", *tiny, "--methods", "linear", "--results", blocked / "results")
    assert done.returncode == 2 and "cannot be written" in done.stderr and "--results" in done.stderr
    assert "Traceback" not in done.stderr


def test_debug_shows_the_traceback(lrfer: Any) -> None:
    assert "Traceback" in lrfer("--debug", "presets", "show", "qick").stderr
    assert "Traceback" in lrfer("presets", "show", "qick", "--debug").stderr


def test_a_broken_plugin_is_left_out_and_named(lrfer: Any, tiny: list[str], tmp_path: Path) -> None:
    broken = PLUGINS / "broken.py"
    listed = lrfer("methods", "list", "--plugin", broken)
    assert listed.returncode == 0 and "direct" in listed.stdout
    assert "broken.py" in listed.stderr and "a_module_that_is_not_there" in listed.stderr


def test_a_full_disk_stops_with_a_sentence(lrfer: Any, tiny: list[str], tmp_path: Path) -> None:
    """A small file system of our own, where the system lets us mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() != 0 or os.system(f"mount -t tmpfs -o size=300k tmpfs {disk} 2>/dev/null") != 0:
        pytest.skip("a small file system cannot be mounted here: a full disk is tested in test_store.py only")
    try:
        done = lrfer(
            "run", *tiny, "--methods", "bicubic", "--scales", "2", "--results", disk / "results", "--no-report"
        )
        assert done.returncode in (1, 2), done.stdout
        assert "No space left on device" in done.stderr + done.stdout and "Traceback" not in done.stderr
    finally:
        os.system(f"umount {disk}")


@pytest.mark.parametrize(
    "command",
    [
        "run",
        "plan",
        "report",
        "compare",
        "predict",
        "faces",
        "merge",
        "new-method",
        "check-method",
        "methods",
        "datasets",
        "protocols",
        "presets",
        "doctor",
    ],
)
def test_every_command_has_help_with_an_example(call: Any, command: str) -> None:
    status, said = call([command, "--help"])
    assert status == 0 and f"lrfer-bench {command}" in said.partition("Example")[2]
