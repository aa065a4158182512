"""A worker tells the machine's trouble from a method's, and prints without harm."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from lrfer_bench.errors import CellError, DataError, MachineError, UserError
from lrfer_bench.running import environment as environments
from lrfer_bench.running import work
from lrfer_bench.running.engines import torch_state, worker
from lrfer_bench.running.engines.base import Failed, Noted
from lrfer_bench.training.arithmetic import arithmetic, arithmetic_of

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
    key, label, device = "k", "test x", "cpu"


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
    monkeypatch.setattr(work, "author_place", lambda job, *_: "mine.py:1")
    monkeypatch.setattr(worker, "_end_left_behind", lambda pipe, job: None)
    pipe = Pipe()
    worker.answer(pipe.send, Job())  # type: ignore[arg-type]
    (sent,) = pipe.sent
    assert isinstance(sent, Failed) and sent.machine == machine and not sent.died


@pytest.mark.parametrize(
    ("error", "device", "again"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), "cuda:0", True),
        (RuntimeError("CUDA error: out of memory"), "cuda:0", True),
        (RuntimeError("MPS backend out of memory"), "mps", True),
        (RuntimeError("shapes do not fit"), "cuda:0", False),
        (RuntimeError("DefaultCPUAllocator: out of memory"), "cpu", False),
    ],
)
def test_where_the_memory_of_a_gpu_was_full_a_job_is_tried_once_more(
    error: Exception, device: str, again: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers share a GPU, and what others hold there is not the method's fault."""
    monkeypatch.setattr(environments, "tell_what_computes", lambda device: None)  # no GPU here

    def fail(job: Any) -> None:
        raise error

    freed: list[str] = []
    monkeypatch.setattr(work, "run_test", fail)
    monkeypatch.setattr(work, "author_place", lambda job, *_: "mine.py:1")
    monkeypatch.setattr(worker, "_end_left_behind", lambda pipe, job: None)
    monkeypatch.setattr(worker, "_leave_gpu", freed.append)
    monkeypatch.setattr(Job, "device", device)
    pipe = Pipe()
    worker.answer(pipe.send, Job())  # type: ignore[arg-type]
    (sent,) = pipe.sent
    assert isinstance(sent, Failed) and sent.died == again and not sent.machine
    assert freed == [device] * again and str(error) in sent.sentence


CHANGES = {
    "the number of threads": lambda: torch.set_num_threads(torch.get_num_threads() + 1),
    "the default dtype": lambda: torch.set_default_dtype(torch.float64),
    "the default device": lambda: torch.set_default_device("meta"),
    "the grad mode": lambda: torch.set_grad_enabled(False),
    "the anomaly mode": lambda: torch.autograd.set_detect_anomaly(True),
    "deterministic algorithms": lambda: torch.use_deterministic_algorithms(True, warn_only=True),
    "the precision of matrix products": lambda: torch.set_float32_matmul_precision("medium"),
    "oneDNN": lambda: torch.backends.mkldnn.set_flags(False),
    "cuDNN's search": lambda: setattr(torch.backends.cudnn, "benchmark", True),
    "cuDNN's deterministic mode": lambda: setattr(torch.backends.cudnn, "deterministic", True),
    "TF32 in convolutions": lambda: setattr(torch.backends.cudnn, "allow_tf32", False),
}


@pytest.mark.parametrize("part", torch_state.PARTS)
def test_what_a_method_changes_in_torch_does_not_reach_the_next_job(
    part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or the same key would have other bits after a method that takes two threads."""
    ask, _ = torch_state.PARTS[part]
    torch_state.put_back()
    before = ask()
    monkeypatch.setattr(work, "run_test", lambda job: CHANGES[part]())
    monkeypatch.setattr(work, "author_place", lambda job, *_: "mine.py:1")
    monkeypatch.setattr(worker, "_end_left_behind", lambda pipe, job: None)
    pipe = Pipe()
    worker.answer(pipe.send, Job())  # type: ignore[arg-type]
    noted, _ = pipe.sent
    assert isinstance(noted, Noted) and f"it changed {part} of torch" in noted.text
    assert "mine.py:1" in noted.text and ask() == before

    CHANGES[part]()  # as a plugin file does while it is loaded
    seen: list[Any] = []
    monkeypatch.setattr(work, "run_test", lambda job: seen.append(ask()))
    worker.answer(pipe.send, Job())  # type: ignore[arg-type]
    assert seen == [before] and len(pipe.sent) == 3


def test_what_computes_is_asked_before_a_method_changes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or the first method's own precision would stand in the records of all others."""
    plain = arithmetic()
    for remembered in (arithmetic, arithmetic_of, environments.environment):
        remembered.cache_clear()
    told: list[str] = []

    def with_another_arithmetic(job: Any) -> None:
        CHANGES["oneDNN"]()
        CHANGES["the default dtype"]()
        told.extend([arithmetic_of(), environments.environment()["arithmetic"]])

    monkeypatch.setattr(work, "run_test", with_another_arithmetic)
    monkeypatch.setattr(work, "author_place", lambda job, *_: "mine.py:1")
    monkeypatch.setattr(worker, "_end_left_behind", lambda pipe, job: None)
    worker.answer(Pipe().send, Job())  # type: ignore[arg-type]
    assert told == [plain, plain]
