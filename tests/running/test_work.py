"""What a method is shown, and when: the contracts that make rows comparable."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from folders import PLUGINS

from lrfer_bench.contract.condition import Condition
from lrfer_bench.contract.method import Batch, Method
from lrfer_bench.data.lowres import image_seeds, lr_images
from lrfer_bench.errors import CellError, DataError
from lrfer_bench.planning.request import Request
from lrfer_bench.protocols.resample import Bicubic
from lrfer_bench.running import models, work
from lrfer_bench.running.jobs import TestJob, TrainJob
from lrfer_bench.running.models import Model
from lrfer_bench.running.session import Session, open_session
from lrfer_bench.running.work import failure_of, run_test, run_training
from lrfer_bench.store.mixture import mixture
from lrfer_bench.training.arithmetic import arithmetic_of


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.setenv("LRFER_CACHE", str(tmp_path / "cache"))
    request = Request(
        ["linear", "enlarge", "oracle"],
        "tinyfaces",
        scales=[2],
        plugins=[PLUGINS / "tiny.py"],
        results=tmp_path / "results",
    )
    return open_session(request)


def train_all(session: Session) -> dict[str, Model]:
    trained: dict[str, Model] = {}
    for training in session.plan.trainings.values():
        trained[training.key] = run_training(TrainJob(training, dict(trained)))
    return trained


def spy_on(monkeypatch: pytest.MonkeyPatch, seen: list[Any]) -> None:
    """Write down every tensor that reaches forward, losses or score of any method."""
    build = models.build_method

    def build_spied(*arguments: Any) -> Method:
        method = build(*arguments)
        for name in ("forward", "losses", "score"):
            inner = getattr(method, name)

            def outer(given: Any, inner: Any = inner, name: str = name) -> Any:
                seen.append((name, given))
                return inner(given)

            object.__setattr__(method, name, outer)
        return method

    monkeypatch.setattr(models, "build_method", build_spied)


def faces_in(seen: list[Any]) -> set[bytes]:
    found = set()
    for _, given in seen:
        tensors = [given.hr, *given.lr_parts.values()] if isinstance(given, Batch) else [given]
        found.update(face.numpy().tobytes() for tensor in tensors for face in tensor)
    return found


def both_sizes(images: np.ndarray) -> set[bytes]:
    hr = torch.from_numpy(np.array(images))
    lr = Bicubic().apply(hr, 2, torch.zeros(len(hr), dtype=torch.int64))
    return {
        face.numpy().tobytes() for tensor in (hr, hr.flip(3), lr, lr.flip(3)) for face in tensor
    }


def test_training_never_sees_a_test_face(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    spy_on(monkeypatch, seen)
    train_all(session)
    faces = session.prepared.faces
    clean_test = faces.test.images[~faces.leaked["test"]]
    assert {name for name, _ in seen} >= {"losses", "score"}
    shown = faces_in(seen)
    assert not shown & both_sizes(clean_test)
    assert shown & both_sizes(faces.val.images), "the spy sees what is shown"


def test_poisoned_test_images_change_no_weight(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {key: model.weights for key, model in train_all(session).items()}
    directory = Path(next(iter(session.plan.trainings.values())).data.directory)
    work.prepared_data.cache_clear()
    poisoned = np.zeros_like(np.load(directory / "test.images.npy"))
    np.save(directory / "test.images.npy", poisoned)
    after = {key: model.weights for key, model in train_all(session).items()}
    work.prepared_data.cache_clear()
    assert before == after


def test_a_training_does_not_even_open_the_test_split(session: Session) -> None:
    before = {key: model.weights for key, model in train_all(session).items()}
    directory = Path(next(iter(session.plan.trainings.values())).data.directory)
    work.prepared_data.cache_clear()
    for file in directory.glob("test.*"):
        file.write_bytes(bytes(file.stat().st_size))  # zeros: to read it is an error
    after = {key: model.weights for key, model in train_all(session).items()}
    assert before == after
    with pytest.raises(DataError, match="damaged"):
        run_test(TestJob(next(iter(session.plan.cells.values())), {}))
    work.prepared_data.cache_clear()


def test_at_test_time_every_method_gets_the_same_lr_bytes_and_nothing_else(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = train_all(session)
    expected = lr_images(session.prepared, "test", Condition("bicubic@1", (2,)))
    shown = {}
    for cell in session.plan.cells.values():
        seen: list[Any] = []
        spy_on(monkeypatch, seen)
        run_test(TestJob(cell, trained))
        tensors = [
            given for name, given in seen if name == "forward" and isinstance(given, torch.Tensor)
        ]
        assert all(tensor.dtype == torch.uint8 for tensor in tensors)
        first = tensors[0]  # the first batch holds the whole small test split
        shown[cell.method.name] = first.numpy()
        monkeypatch.undo()
        monkeypatch.setenv("LRFER_CACHE", "unused")
    assert (shown["linear"] == expected).all() and shown["linear"].shape == (48, 1, 8, 8)
    assert (shown["enlarge"][:48] == expected[: len(shown["enlarge"])]).all()
    assert shown["oracle"].shape[-1] == 16


def test_lr_images_are_made_once_and_read_back(session: Session) -> None:
    first = lr_images(session.prepared, "test", Condition("camera@1", (2,)))
    (file,) = (session.prepared.directory / "lr").glob("test.camera@1.x2.*.npy")
    stamp = file.stat().st_mtime_ns
    assert (lr_images(session.prepared, "test", Condition("camera@1", (2,))) == first).all()
    assert file.stat().st_mtime_ns == stamp
    seeds = image_seeds(session.prepared.fingerprint, "test", 2, 48)
    assert len(set(seeds.tolist())) == 48


def test_leaked_validation_rows_do_not_count(session: Session) -> None:
    training = next(t for t in session.plan.trainings.values() if t.method.name == "linear")
    batches = work.validation_batches(session.prepared, training, torch.device("cpu"))
    masks = torch.cat([mask for _, mask in batches])
    assert (~masks).nonzero().flatten().tolist() == [5]


def test_a_saved_model_comes_back_with_the_same_answers(session: Session) -> None:
    trained = train_all(session)
    cell = next(c for c in session.plan.cells.values() if c.method.name == "linear")
    lr = torch.from_numpy(
        np.array(lr_images(session.prepared, "test", Condition("bicubic@1", (2,))))
    )
    answers = [models.cell_method(cell, trained, torch.device("cpu"))(lr) for _ in range(2)]
    assert torch.equal(*answers)
    record, logits = run_test(TestJob(cell, trained))
    assert np.array_equal(logits.logits, answers[0].detach().numpy())
    assert record.metrics is not None and record.metrics.all.accuracy > 0.6


def test_a_record_says_what_trained_its_models_where_that_was_another(session: Session) -> None:
    cell = next(cell for cell in session.plan.cells.values() if cell.training)
    trained = train_all(session)
    here = arithmetic_of()
    assert {model.cost.arithmetic for model in trained.values()} == {here}
    record, _ = run_test(TestJob(cell, trained))
    assert "trained_by" not in record.environment and record.arithmetic == here
    moved = {key: elsewhere(model, "feedfeedfeed") for key, model in trained.items()}
    other, _ = run_test(TestJob(cell, moved))
    assert other.environment["trained_by"] == "feedfeedfeed"
    assert "2 arithmetics" in mixture([record, other])
    untold = {key: elsewhere(model, "") for key, model in trained.items()}
    assert run_test(TestJob(cell, untold))[0].arithmetic == here


def elsewhere(model: Model, arithmetic: str) -> Model:
    """A model as another machine would have trained it; "": as older versions kept it."""
    return replace(model, cost=replace(model.cost, arithmetic=arithmetic))


def test_a_failure_names_the_function_that_is_to_blame(session: Session) -> None:
    lines = (PLUGINS / "tiny.py").read_text().splitlines()
    own = lines[lines.index("class _Linear(Method):") :]
    job = TrainJob(next(iter(session.plan.trainings.values())), {})
    for blamed, function in (("__init__", "__init__"), ("", "losses")):
        sentence, _ = failure_of(CellError("a slip", blamed), job)
        place = int(sentence.rpartition("tiny.py:")[2].partition(")")[0])
        assert lines[place - 1] == next(line for line in own if f"def {function}(" in line)
