"""Every built-in method, from the registry, on every kind of face it may meet."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

import pytest
import torch
from builtin import LISTED, OURS
from made import batch_of, data_ref, made_faces, tiny_preset
from small_models import fresh

from lrfer_bench.contract.cards import MethodCard, card_of
from lrfer_bench.contract.preset import preset_of
from lrfer_bench.planning.settings import settings_of
from lrfer_bench.training.precision import Precision

KINDS = [(1, 7, 48, 4, 12), (3, 8, 48, 7, 7), (3, 7, 100, 8, 13), (1, 8, 100, 4, 25)]


@pytest.mark.parametrize(("channels", "classes", "side", "scale", "lr_side"), KINDS)
@pytest.mark.parametrize("name", LISTED)
def test_one_step_and_an_answer(
    name: str, channels: int, classes: int, side: int, scale: int, lr_side: int
) -> None:
    ref = data_ref(channels, classes, side)
    method = fresh(name, scale, ref=ref, preset=tiny_preset())
    batch = batch_of(made_faces(4, channels, classes, side), (scale,))
    assert batch.lr.shape[-2:] == (lr_side, lr_side)
    if method.trains != "nothing":
        method.train()
        method.progress = 0.9
        before = {key: value.clone() for key, value in method.named_parameters()}
        told = method.update(batch, method.optimizers())
        assert told
        assert all(loss.isfinite().all() and loss.ndim == 0 for loss in told.values())
        assert any(not torch.equal(value, before[key]) for key, value in method.named_parameters())
    method.eval()
    with torch.no_grad():
        answers = method(batch.lr)
        alone = method(batch.lr[:1])
        assert method.score(batch).shape == (4,)
    assert answers.shape == (4, classes)
    assert answers.isfinite().all()
    torch.testing.assert_close(alone, answers[:1], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
@pytest.mark.parametrize("name", LISTED)
def test_steps_in_half_precision(name: str, precision: Literal["bf16", "fp16"]) -> None:
    """Early and late in the budget; weights stay in float32."""
    method = fresh(name, 4, preset=tiny_preset(precision=precision))
    if method.trains == "nothing":
        return
    batch = batch_of(made_faces(14), (4,))
    kind = Precision.of(method.task.preset, torch.device("cpu"))
    method.scaler, optimizers = kind.scaler(), method.optimizers()
    method.train()
    for method.progress in (0.0, 0.9):
        with kind.autocast():
            told = method.update(batch, optimizers)
        assert all(loss.isfinite() for loss in told.values())
    assert {value.dtype for value in method.parameters()} <= {torch.float32, torch.float64}
    assert all(value.isfinite().all() for value in method.parameters())


@pytest.mark.parametrize("entry", OURS, ids=lambda entry: entry.name)
def test_cards_tell_of_every_setting(entry: Any) -> None:
    card = card_of(entry, MethodCard)
    assert card.summary
    assert set(card.settings) == set(settings_of(entry.load()))
    assert card.stated or card.ours
    if card.title:
        assert (
            card.authors
            and card.year
            and card.url.startswith("https://")
            and card.bibtex.strip().startswith("@")
        )


@pytest.mark.parametrize("name", LISTED)
def test_a_gpu_s_preset_gets_networks_of_the_papers_size(name: str) -> None:
    """Ten million parameters and more, and an answer.

    CovPoolNet with its FSR generator has fewer.
    """
    method = fresh(name, 4, preset=dataclasses.replace(preset_of("paper"), batch=2))
    roots = [method, *method.stages.values()]
    used = sum(p.numel() for root in roots for p in root.parameters())
    assert used > (5e6 if name == "fsrfer" else 1e7)
    with torch.no_grad():
        side = 48 if name == "oracle" else 12
        assert method.eval()(torch.zeros(1, 1, side, side, dtype=torch.uint8)).shape == (1, 7)
