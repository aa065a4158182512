"""Each method learns a few dozen made faces by heart and says the same twice, also stored."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from builtin import LISTED
from made import batch_of, data_ref, fine_faces, made_faces, tiny_preset
from small_models import fitted, fresh

from lrfer_bench.running.models import Model

LEARNERS = [name for name in LISTED if name not in ("oracle", "enlarge")]
"""Those two train nothing of their own."""

KINDS: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in LEARNERS),
    ("gmenet", {"attention": "channel", "global_branch": False}),
    ("srfer", {"finetune": False}),
    ("fsrfer", {"head": "svm"}),
]


@pytest.fixture(scope="module")
def known() -> dict[str, Model]:
    """Models of the fine faces: stages are trained once for all methods, as in a run."""
    return {}


@pytest.mark.parametrize("name", LEARNERS)
def test_learns_made_faces_by_heart(name: str, known: dict[str, Model]) -> None:
    assert accuracy(name, 40 if name in ("cascade", "fsrfer") else 24, known) > 0.95


def test_there_is_something_to_learn(known: dict[str, Model]) -> None:
    """The HR classifier alone does not know these faces when they are enlarged.

    So it is what the methods add that is tested.
    """
    assert accuracy("oracle", 24, known) > 0.95
    assert accuracy("enlarge", 24, known) < 0.6


def accuracy(name: str, epochs: int, known: dict[str, Model]) -> float:
    """On the very faces that it was trained on, at x4; the oracle sees them in full."""
    faces, preset = fine_faces(), tiny_preset(epochs, ema=0.0, dropout=0.0)
    method = fitted(name, faces, preset=preset, known=known).method()
    batch = batch_of(faces, (4,))
    with torch.no_grad():
        answers = method(batch.hr if name == "oracle" else batch.lr).argmax(1)
    return float((answers == batch.label).float().mean())


@pytest.mark.parametrize(
    ("name", "settings"), KINDS, ids=lambda part: part if isinstance(part, str) else "-".join(part)
)
def test_same_seed_same_bits_and_stored_models_say_the_same(
    name: str, settings: dict[str, Any]
) -> None:
    faces = made_faces(14, side=16)
    preset = tiny_preset(epochs=2, batch=7)
    first = fitted(name, faces, preset=preset, **settings)
    second = fitted(name, faces, preset=preset, **settings)
    assert first.models.keys() == second.models.keys()
    for key, model in first.models.items():
        assert model.weights == second.models[key].weights
    lr = batch_of(faces, (4,)).lr
    with torch.no_grad():
        answers = first.method()(lr)
        if first.cell.training:  # as it left its training, before anything was stored
            assert torch.equal(answers, first.in_memory[first.cell.training].eval()(lr))
    assert answers.shape == (14, 7)
    assert answers.isfinite().all()
    assert answers.std() > 0


def test_the_super_resolver_beats_enlarging() -> None:
    faces = made_faces(28, side=24)
    outcome = fitted("cascade", faces, preset=tiny_preset(epochs=14, ema=0.0))
    superres = outcome.method().stages["superres"]
    batch = batch_of(faces, (4,))
    enlarged = superres.enlarged(batch)
    plain = -10 * torch.log10((enlarged - superres.unit(batch.hr)).square().mean((1, 2, 3)))
    with torch.no_grad():
        assert superres.score(batch).mean() > plain.mean() + 0.5


def test_an_interrupted_gan_goes_on_with_the_same_bits(tmp_path: Any) -> None:
    """fsrfer pretrains, then plays.

    Which of both comes next is known from the harness alone, so a resume cannot miss it.
    """
    from lrfer_bench.plugins.degradation import protocol_of
    from lrfer_bench.training.batches import BatchSource
    from lrfer_bench.training.loop import Progress, train

    faces = made_faces(14, side=16)

    def run(stop: int | None, checkpoint: Any) -> Any:
        method = fresh("fsrfer", preset=tiny_preset(epochs=4, batch=7), ref=data_ref(side=16))
        source = BatchSource(faces, protocol_of("bicubic"), (4,), 7, 0, "key", torch.device("cpu"))

        def tell(progress: Progress) -> None:
            if stop is not None and progress.val_score is None and progress.epoch == stop:
                raise InterruptedError

        return train(method, source, lambda trained: 0.0, checkpoint, tell)

    whole = run(None, tmp_path / "a.ckpt")
    with pytest.raises(InterruptedError):
        run(3, tmp_path / "b.ckpt")
    resumed = run(None, tmp_path / "b.ckpt")
    assert [set(row["losses"]) for row in resumed.history][:2] == [{"distance"}, {"distance"}]
    assert set(resumed.history[3]["losses"]) == {
        "critic",
        "penalty",
        "adversarial",
        "feature",
        "perceptual",
    }
    for name, value in whole.weights.items():
        assert torch.equal(value, resumed.weights[name]), name
