"""The official generator and discriminator of FSR-FER."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from lrfer_bench.nets.gan import Critic, Generator


def test_official_generator_and_discriminator_have_their_published_size() -> None:
    with torch.device("meta"):  # 19 GMAC, counted without being done
        generator = Generator(1, 32, 16, 6, kernel=8, skip=False)
        critic = Critic(1, (8, 16, 32, 64, 64), (128, 128))
        features = torch.empty(1, 1, 128, 128)
        with FlopCounterMode(display=False) as counter:
            made = generator(features)
        assert made.shape == features.shape
        assert critic(features).shape == (1,)
    assert sum(p.numel() for p in generator.parameters()) == pytest.approx(1.16e6, rel=0.03)
    assert counter.get_total_flops() / 2 == pytest.approx(19e9, rel=0.03)
    assert sum(p.numel() for p in critic.parameters()) == pytest.approx(0.32e6, rel=0.03)
