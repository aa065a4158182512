"""Super-resolvers, and how well they restore."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from lrfer_bench.nets.superres import EDSR, prime_factors, psnr


@pytest.mark.parametrize(
    ("scale", "side", "lr_side"), [(1, 9, 9), (2, 48, 24), (3, 48, 16), (5, 100, 20), (8, 100, 13)]
)
def test_edsr_makes_the_hr_size_at_any_scale(scale: int, side: int, lr_side: int) -> None:
    net = EDSR(3, scale, width=4, blocks=1)
    assert net(torch.zeros(2, 3, lr_side, lr_side, dtype=torch.uint8), (side, side)).shape == (
        2,
        3,
        side,
        side,
    )
    assert not any(isinstance(module, nn.BatchNorm2d) for module in net.modules())
    assert int(np.prod(prime_factors(scale))) == scale


def test_psnr_by_hand() -> None:
    reference = torch.zeros(3, 1, 2, 2)
    images = torch.stack([torch.full((1, 2, 2), value) for value in (0.1, 1.5, 0.0)])
    assert psnr(images, reference).tolist() == pytest.approx([20.0, 0.0, 100.0], abs=1e-4)
