"""Which faces a batch mirrors."""

from __future__ import annotations

import itertools

import numpy as np
import torch
from made import CPU, made_faces

from lrfer_bench.contract.faceset import Split
from lrfer_bench.protocols.resample import Bicubic
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
