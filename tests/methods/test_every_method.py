"""Every built-in method, from the registry, on every kind of face it may meet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from lrfer_bench.cards import MethodCard, card_of
from lrfer_bench.method import settings_of
from lrfer_bench.registry import METHODS

Tools = Callable[[str], Callable[..., Any]]
OURS = [entry for entry in METHODS if entry.module.startswith("lrfer_bench.methods")]
LISTED = [entry.name for entry in OURS if card_of(entry, MethodCard).listed]
KINDS = [(1, 7, 48, 4, 12), (3, 8, 48, 7, 7), (3, 8, 100, 8, 13), (1, 7, 100, 4, 25)]


def test_the_seed_methods_are_there() -> None:
    assert (
        sorted(["oracle", "bicubic", "direct", "multires", "cascade", "srfer", "fsrfer", "askd", "fskd", "gmenet"])
        == LISTED
    )


@pytest.mark.parametrize(("channels", "classes", "side", "scale", "lr_side"), KINDS)
@pytest.mark.parametrize("name", LISTED)
def test_one_step_and_an_answer(
    name: str, channels: int, classes: int, side: int, scale: int, lr_side: int, tools: Tools
) -> None:
    ref = tools("data_ref")(channels, classes, side)
    method = tools("fresh")(name, scale, ref=ref, preset=tools("tiny_preset")())
    batch = tools("batch_of")(tools("made_faces")(4, channels, classes, side), (scale,))
    assert batch.lr.shape[-2:] == (lr_side, lr_side)
    if method.trains != "nothing":
        method.train()
        method.progress = 0.9
        before = {key: value.clone() for key, value in method.state_dict().items()}
        told = method.update(batch, method.optimizers())
        assert told
        assert all(loss.isfinite().all() and loss.ndim == 0 for loss in told.values())
        assert any(not torch.equal(value, before[key]) for key, value in method.state_dict().items())
    method.eval()
    with torch.no_grad():
        answers = method(batch.lr)
        alone = method(batch.lr[:1])
        assert method.score(batch).shape == (4,)
    assert answers.shape == (4, classes)
    assert answers.isfinite().all()
    torch.testing.assert_close(alone, answers[:1], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("entry", OURS, ids=lambda entry: entry.name)
def test_cards_tell_of_every_setting(entry: Any) -> None:
    card = card_of(entry, MethodCard)
    assert card.summary
    assert set(card.settings) == set(settings_of(entry.load()))
    assert card.stated or card.ours
    if card.title:
        assert card.authors and card.year and card.url.startswith("https://") and card.bibtex.strip().startswith("@")


@pytest.mark.parametrize("name", LISTED)
def test_the_large_networks_can_be_built(name: str, tools: Tools) -> None:
    """With a GPU's preset; on no memory, so shapes and counts are all that is looked at."""
    preset = tools("tiny_preset")(compute="large")
    method = tools("fresh")(name, 4, preset=preset) if name != "fsrfer" else None
    if method is not None:
        count = sum(p.numel() for p in method.parameters())
        small = sum(p.numel() for p in tools("fresh")(name, 4).parameters())
        own_shape = name in ("askd", "gmenet", "srfer")
        assert count > small if own_shape else count == small
