"""A cell that draws random numbers of its own answers alike wherever it is asked."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import registries
import torch
from folders import PLUGINS

from lrfer_bench.planning.request import Request
from lrfer_bench.predicting.predictor import predictor_of
from lrfer_bench.running.engines import processes
from lrfer_bench.running.jobs import TestJob
from lrfer_bench.running.session import Session, open_session
from lrfer_bench.running.work import run_test
from lrfer_bench.store.store import Store

DRAWS = '''"""Methods that train nothing and draw random numbers."""

import torch
from torch import nn

from lrfer_bench.api import Method, register_method


@register_method("random-weights")
class RandomWeights(Method):
    trains = "nothing"

    def __init__(self, task):
        super().__init__(task)
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(256, task.classes))

    def forward(self, lr):
        return self.net(self.enlarge(lr))


@register_method("random-answers")
class RandomAnswers(RandomWeights):
    def forward(self, lr):
        return super().forward(lr) + torch.randn(len(lr), 1)
'''


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    monkeypatch.setenv("LRFER_CACHE", str(tmp_path / "cache"))
    plugin = tmp_path / "draws.py"
    plugin.write_text(DRAWS)
    with registries.kept():
        yield open_session(Request(
            ["random-weights", "random-answers"], "tinyfaces", scales=[2],
            plugins=[PLUGINS / "tiny.py", plugin], results=tmp_path / "results",
        ))  # fmt: skip


def test_it_answers_alike_whatever_was_drawn_before(session: Session) -> None:
    store = Store(session.request.results)
    for cell in session.plan.cells.values():
        torch.manual_seed(1)
        record, answers = run_test(TestJob(cell, {}))
        torch.manual_seed(2)
        _, again = run_test(TestJob(cell, {}))
        assert (answers.logits == again.logits).all()
        store.save(record, answers)
        lr = torch.randint(0, 256, (3, 1, *cell.lr_size), dtype=torch.uint8)
        state = torch.get_rng_state()
        one, other = (predictor_of(record, store)(lr) for _ in range(2))
        assert torch.equal(state, torch.get_rng_state()), "others draw what they would have drawn"
        assert (one == other).all()


def test_two_methods_that_draw_have_weights_of_their_own(session: Session) -> None:
    first, second = (run_test(TestJob(cell, {}))[1].logits for cell in session.plan.cells.values())
    assert not (first == second).all()


def test_starts_from_two_threads_leave_the_program_as_it_was() -> None:
    """Each puts back what it found: interleaved, one would put back what the other had changed."""
    import sys

    main, inside, go_on = sys.modules["__main__"], threading.Event(), threading.Event()

    def slow() -> None:
        with processes.starting():
            inside.set()
            go_on.wait(10)

    def other() -> None:
        with processes.starting():
            pass

    first, second = threading.Thread(target=slow), threading.Thread(target=other)
    first.start()
    assert inside.wait(10)
    second.start()
    second.join(0.2)
    go_on.set()
    first.join(10)
    second.join(10)
    assert sys.modules["__main__"] is main
