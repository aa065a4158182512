"""What a method learns: majority labels, or annotators' votes by one switch."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch
from by_numpy import cross_entropy
from made import batch_of, made_faces, tiny_preset

from lrfer_bench.contract.method import Batch, Method, Task
from lrfer_bench.training.batches import BatchSource


def method(targets: str, smoothing: float = 0.0) -> Method:
    preset = tiny_preset(targets=targets, label_smoothing=smoothing)
    return Method(Task(3, 1, (8, 8), (2,), preset))


def batch(votes: list[list[float]] | None) -> Batch:
    made = batch_of(made_faces(2, classes=3, side=8), (2,))
    return dataclasses.replace(made, soft=None if votes is None else torch.tensor(votes))


def test_cross_entropy_with_votes_by_hand() -> None:
    """Softmax of (0, ln 2, ln 5) is (1, 2, 5) / 8."""
    logits = torch.tensor([[0.0, math.log(2), math.log(5)]]).repeat(2, 1)
    votes = batch([[0.5, 0.25, 0.25], [0.0, 0.0, 1.0]])
    first = 0.5 * math.log(8) + 0.25 * math.log(4) + 0.25 * math.log(8 / 5)
    second = math.log(8 / 5)
    found = method("soft").cross_entropy(logits, votes)
    assert found.item() == pytest.approx((first + second) / 2, rel=1e-6)
    # With smoothing 0.3 each class gets 0.1 of every face, and the votes 0.7.
    spread = 0.1 * (math.log(8) + math.log(4) + math.log(8 / 5))
    found = method("soft", 0.3).cross_entropy(logits, votes)
    assert found.item() == pytest.approx(0.7 * (first + second) / 2 + spread, rel=1e-6)
    found = method("soft").cross_entropy(logits[:1], votes, torch.tensor([1]))
    assert found.item() == pytest.approx(second, rel=1e-6)


def test_majority_labels_do_not_look_at_votes() -> None:
    logits, votes = torch.randn(2, 3), batch([[0.5, 0.25, 0.25], [0.0, 0.0, 1.0]])
    found = method("majority", 0.1).cross_entropy(logits, votes)
    wanted = cross_entropy(logits.double().numpy(), votes.label.numpy(), 0.1)
    assert found.item() == pytest.approx(wanted, rel=1e-5)


def test_a_batch_without_votes_is_refused() -> None:
    with pytest.raises(ValueError, match="no votes"):
        method("soft").cross_entropy(torch.randn(2, 3), batch(None))


def test_votes_reach_the_batch_with_their_faces() -> None:
    split = made_faces(6, classes=3, side=8)
    votes = np.random.default_rng(0).dirichlet(np.ones(3), 6).astype(np.float32)
    split = dataclasses.replace(split, soft=votes)
    from lrfer_bench.plugins.degradation import protocol_of

    source = BatchSource(split, protocol_of("area"), (2,), 6, 0, "k", torch.device("cpu"))
    (made,) = source.epoch(0, augment=False)
    assert made.soft is not None
    for face, given in zip(made.hr, made.soft, strict=True):
        (row,) = [k for k in range(6) if np.array_equal(split.images[k], face.numpy())]
        np.testing.assert_array_equal(given.numpy(), votes[row])
