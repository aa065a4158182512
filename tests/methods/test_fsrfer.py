"""FSR-FER with the official networks, and CovPoolNet as its stage."""

from __future__ import annotations

import pytest
import torch
from made import batch_of, made_faces
from small_models import fresh


def test_fsrfer_takes_the_official_networks_with_covpool() -> None:
    method = fresh("fsrfer", 4, feature="covpool", head="svm")
    assert sum(p.numel() for p in method.generator.parameters()) == pytest.approx(1.16e6, rel=0.03)
    assert sum(p.numel() for p in method.critic.parameters()) == pytest.approx(0.32e6, rel=0.03)
    batch = batch_of(made_faces(2), (4,))
    with torch.no_grad():
        features = method.features(method.enlarged(batch))
        assert features.shape == (2, 1, 128, 128)
        assert method.net.embedding(features).shape == (2, 128)
        embedding = method.embedding(features)
        assert method.critic(features).shape == (2,)
    assert embedding.shape == (2, 7)
    torch.testing.assert_close(embedding.norm(dim=1), torch.ones(2))


@pytest.mark.slow
def test_fsrfer_with_covpool_trains_and_answers() -> None:
    method = fresh("fsrfer", 4, feature="covpool", head="svm").train()
    batch = batch_of(made_faces(2), (4,))
    method.progress = 0.9
    told = method.update(batch, method.optimizers())
    assert all(loss.isfinite() for loss in told.values())
    method.eval().after_training([batch])
    with torch.no_grad():
        assert method(batch.lr).isfinite().all()


def test_covpool_stage_learns() -> None:
    torch.manual_seed(0)
    method = fresh("covpool", 1).train()
    batch = batch_of(made_faces(7), (1,))
    optimizers = method.optimizers()
    first = method.update(batch, optimizers)["ce"]
    for _ in range(3):
        last = method.update(batch, optimizers)["ce"]
    assert last < 0.8 * first
    assert all(p.grad is not None and p.grad.isfinite().all() for p in method.parameters())
