"""A worker tells the machine's trouble from a method's, and prints without harm."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lrfer_bench.errors import CellError, DataError, MachineError, UserError
from lrfer_bench.running import work
from lrfer_bench.running.engines import worker
from lrfer_bench.running.engines.base import Failed

PRINTING = """
import sys
from pathlib import Path
from lrfer_bench.running.engines.processes import redirect_output
ours = open(sys.argv[2], "w")
note = redirect_output(Path(sys.argv[1]))
print("a line" * 10000)
print("\\udcff")
sys.stderr.write("another" * 10000)
sys.stderr.flush()
ours.write("alive " + note)
"""


@pytest.mark.parametrize(
    ("log", "words"), [("/dev/full", ""), ("file/x.log", "is not kept"), ("logs/x.log", "")]
)
def test_a_log_that_cannot_be_written_stops_nobody(log: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    command = [sys.executable, "-c", PRINTING, log, "said"]
    done = subprocess.run(command, cwd=tmp_path, timeout=60, check=False)
    said = (tmp_path / "said").read_text()
    assert done.returncode == 0 and said.startswith("alive") and words in said
    assert words or said == "alive "


class Pipe:
    def __init__(self) -> None:
        self.sent: list[Any] = []

    def send(self, event: Any) -> None:
        self.sent.append(event)


class Job:
    key, label = "k", "test x"


@pytest.mark.parametrize(
    ("error", "machine"),
    [
        (MachineError("full"), True),
        (DataError("the prepared data set is damaged"), True),
        (UserError("a setting"), False),
        (CellError("loss"), False),
        (OSError(28, "No space left on device"), False),  # raised by the method itself
        (KeyboardInterrupt(), False),
        (SystemExit(3), False),
    ],
)
def test_whose_trouble_it_is(
    error: BaseException, machine: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(job: Any) -> None:
        raise error

    monkeypatch.setattr(work, "run_test", fail)
    monkeypatch.setattr(work, "author_place", lambda job: "mine.py:1")
    monkeypatch.setattr(worker, "_end_left_behind", lambda pipe, job: None)
    pipe = Pipe()
    worker.answer(pipe.send, Job())  # type: ignore[arg-type]
    (sent,) = pipe.sent
    assert isinstance(sent, Failed) and sent.machine == machine and not sent.died
