"""Maps of a student on few pixels against those of its HR teacher."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lrfer_bench.nets.losses import (
    attention_similarity,
    attention_transfer,
    feature_similarity,
    relation,
    same_size,
)


def maps(side: int, seed: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(4, 5, side, side))).float()


def test_the_larger_map_is_averaged_down_and_equal_ones_are_left() -> None:
    small, large = maps(3, 0), maps(6, 1)
    for pair in (same_size(small, large), same_size(large, small)[::-1]):
        assert pair[0] is small
        blocks = large.numpy().reshape(4, 5, 3, 2, 3, 2).mean((3, 5))
        np.testing.assert_allclose(pair[1].numpy(), blocks, atol=1e-6)
    first, second = maps(3, 0), maps(3, 1)
    assert same_size(first, second) == (first, second)
    wide = torch.rand(1, 1, 2, 4)
    assert [tuple(m.shape[2:]) for m in same_size(wide, torch.rand(1, 1, 4, 2))] == [(2, 2)] * 2


@pytest.mark.parametrize("loss", [attention_similarity, feature_similarity, attention_transfer])
def test_losses_on_maps_see_the_averaged_teacher(loss: object) -> None:
    small, large = maps(3, 0), maps(6, 1)
    averaged = torch.nn.functional.avg_pool2d(large, 2)
    torch.testing.assert_close(loss([small], [large]), loss([small], [averaged]))  # type: ignore[operator]
    partner = torch.tensor([1, 0, 3, 2])
    torch.testing.assert_close(relation(small, large, partner), relation(small, averaged, partner))
