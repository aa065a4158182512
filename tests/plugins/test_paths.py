"""No absolute path leaves the machine with a record or a report."""

from __future__ import annotations

import os
import re
import signal
import traceback
from pathlib import Path

import pytest
import torch

import lrfer_bench
from lrfer_bench.cli.report import _command
from lrfer_bench.contract.preset import preset_of
from lrfer_bench.planning.build import build_plan
from lrfer_bench.planning.plan import DataRef
from lrfer_bench.planning.request import Request
from lrfer_bench.plugins.blame import without_paths
from lrfer_bench.running.records import failed_record

DATA = DataRef("faces", "f" * 64, "/nowhere", ("a", "b", "c"), 1, (48, 48), False)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("no (/home/me/mine.py:3)", "no (mine.py:3)"),
        ("cannot read '/data/My-Set/x.png'", "cannot read 'x.png'"),
        ('File "/home/me/a b/mine.py", line 3', None),
        ("/opt/v/lib/python3.11/site-packages/torch/nn/a.py:7", "torch/nn/a.py:7"),
        ("/usr/lib/python3.11/json/__init__.py", "lib/python3.11/json/__init__.py"),
        ("a/b and 3/4 and https://example.org/a/b stay", None),
        ("/ and /tmp stay", "/ and /tmp stay"),
        ("shape (3, 4), x=/srv/.cache/thing,", "shape (3, 4), x=thing,"),
        (r"in C:\Users\me\mine.py", "in mine.py"),
        ("[Errno 2] No such file: '/home/me/résumé/é.npy'", "[Errno 2] No such file: 'é.npy'"),
        ("one /a/b:/c/d two", "one b:d two"),
        ("C:/Users/me/x.py:3", "x.py:3"),
        (r"'C:\Users\My Self\x.py'", "'x.py'"),
        (r"\\server\share\Users\x.npz", "x.npz"),
        ("file:///home/me/x.py", "x.py"),
        ("-I/home/me/inc -L/home/me/lib", "-Iinc -Llib"),
        ("//home/me/x.py", "x.py"),
        ("~me/x/y.py and ~/x", "y.py and ~/x"),
        ("PosixPath('/home/me/My Own Data/x.png')", "PosixPath('x.png')"),
        ('File "/home/me/My Own Work/mine.py", line 3', 'File "mine.py", line 3'),
        ("cannot read /home/me/My Own/Data/x.png: no", None),
        ("cannot read /home/me Junior/x.png: no", "cannot read x.png: no"),
        ("s3://bucket/a/x and https://a@b/c/d", "s3://bucket/a/x and https://a@b/c/d"),
        ("it isn't in '/tmp' and '/'", "it isn't in '/tmp' and '/'"),
    ],
)
def test_of_a_path_its_name_stays(text: str, left: str | None) -> None:
    said = without_paths(text)
    assert "/home/me" not in said and "Users" not in said
    assert left is None or said == left
    if "https" in text:
        assert said == text


def test_folders_with_blanks_in_their_names_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "my own work"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("HOME", str(tmp_path / "a user"))
    monkeypatch.setenv("LRFER_CACHE", str(tmp_path / "my cache"))
    text = f"{here}/plugins/mine.py:3 {tmp_path}/a user/x.py:1 {tmp_path}/my cache/y.npy"
    assert without_paths(text) == "plugins/mine.py:3 x.py:1 y.npy"


def test_a_failed_record_names_no_path(tmp_path: Path) -> None:
    plan = build_plan(Request(["direct"], scales=[4], preset=preset_of("quick@1")), DATA)
    (cell,) = plan.cells.values()
    (tmp_path / "mine.py").write_text("import torch\ndef f(): torch.nn.Linear(2, 2)('x')\n")
    code = compile((tmp_path / "mine.py").read_text(), str(tmp_path / "mine.py"), "exec")
    space: dict = {}
    exec(code, space)
    with pytest.raises(Exception) as caught:
        space["f"]()
    trace = "".join(traceback.format_exception(caught.value))
    place = f"{tmp_path}/mine.py:2"
    record = failed_record(cell, f"train direct: no ({place}) \udcff", trace)
    assert record.failure is not None
    text = record.model_dump_json()  # also: what is not Unicode does not stop it
    assert str(tmp_path) not in text and "(mine.py:2)" in record.failure.sentence
    roots = (os.path.expanduser("~"), str(Path(torch.__file__).parents[1]),
             str(Path(lrfer_bench.__file__).parents[1]))  # fmt: skip
    assert not [root for root in roots if f"{root}/" in text and len(root) > 1]
    assert "torch/nn/modules" in record.failure.traceback
    assert not re.search(r'File "/', record.failure.traceback)


LONG = ["'/" * 50_000, "'" + "/a" * 50_000, "/a b" * 50_000, "\\" * 100_000, "/" * 100_000,
        "C:" * 50_000, "~a/" * 50_000]  # fmt: skip


@pytest.mark.parametrize("text", LONG, ids=lambda text: text[:4])
def test_a_long_text_does_not_hang(text: str) -> None:
    """Where a pattern tries every way to read it, it takes days: the alarm ends that."""
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.alarm(60)
    try:
        assert isinstance(without_paths(text), str)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize(
    ("word", "left"),
    [
        ("/home/me/My Own Work/r", "r"), ("--out=/home/me/My Own Work/r", "--out=r"),
        ("--set", "--set"), ("a=/b/c", "a=c"), ("results/mine", "results/mine"),
        ("-o/home/me/r", "-or"), ("x,/home/me/y.py", "x,y.py"),
    ],
)  # fmt: skip
def test_made_by_names_no_path(word: str, left: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["/home/me/bin/lrfer-bench", "report", word])
    assert without_paths(_command()) == f"lrfer-bench report {left}"
