"""Which faces a batch mirrors, and batches that threads make ahead."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from made import CPU, made_faces

from lrfer_bench.contract.faceset import Split
from lrfer_bench.protocols.resample import Bicubic
from lrfer_bench.training.ahead import made_ahead
from lrfer_bench.training.batches import BatchSource


def source(flips: str, key: str = "k") -> BatchSource:
    """Faces whose left half is dark and whose corner says which face it is."""
    split = made_faces(64, side=12)
    images = np.zeros_like(split.images)
    images[..., 6:] = 200
    images[:, 0, 0, :] = np.arange(64)[:, None]
    return BatchSource(
        Split(images, split.labels), Bicubic(), (2,), 8, shift=0, key=key, device=CPU, flips=flips
    )


def mirrored(faces: BatchSource, epoch: int) -> torch.Tensor:
    """Of each face, whether this epoch shows its mirror image, bool [64]."""
    seen = torch.zeros(64, dtype=torch.bool)
    for batch in faces.epoch(epoch):
        seen[batch.hr[:, 0, 0, 0].long()] = batch.hr[:, 0, 5, 0] == 200
    return seen


def test_alternating_flips_show_each_face_both_ways_in_any_two_epochs() -> None:
    epochs = [mirrored(source("alternating"), number) for number in range(4)]
    assert 16 < int(epochs[0].sum()) < 48, "the first side is drawn by chance"
    for before, after in itertools.pairwise(epochs):
        assert torch.equal(after, ~before)


def test_the_first_side_depends_on_the_key() -> None:
    assert not torch.equal(
        mirrored(source("alternating"), 0), mirrored(source("alternating", "other"), 0)
    )


def test_random_flips_are_drawn_anew_in_each_epoch() -> None:
    first, second = (mirrored(source("random"), number) for number in (0, 1))
    assert not torch.equal(first, second) and not torch.equal(first, ~second)


def test_batches_that_are_made_ahead_are_the_same() -> None:
    rng = np.random.default_rng(0)
    split = Split(rng.integers(0, 256, (90, 1, 12, 12), dtype=np.uint8), rng.integers(0, 7, 90))
    source = BatchSource(split, Bicubic(), (2, 3), 8, shift=2, key="k", device=CPU)
    ahead = list(made_ahead(source._batch, source._draws(3, True)))
    assert len(ahead) == 11
    for ours, theirs in zip(ahead, source.epoch(3), strict=True):
        assert torch.equal(ours.hr, theirs.hr) and torch.equal(ours.scale, theirs.scale)
        for scale, lr in ours.lr_parts.items():
            assert torch.equal(lr, theirs.lr_parts[scale])
            assert torch.equal(ours.hr[ours.places()[scale]], ours.hr[ours.scale == scale])


def test_what_is_made_ahead_raises_where_it_is_taken_and_can_be_left() -> None:
    def make(number: int) -> int:
        if number == 5:
            raise ValueError("five")
        return 10 * number

    made = made_ahead(make, iter(range(100)))
    assert [next(made) for _ in range(5)] == [0, 10, 20, 30, 40]
    with pytest.raises(ValueError, match="five"):
        next(made)
    left = made_ahead(make, iter(range(6, 10**9)))
    assert next(left) == 60
    left.close()
