"""Random numbers that are the same each time, and move nobody else's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from lrfer_bench.keys import seed_for


@contextmanager
def drawing(device: torch.device, *names: object) -> Iterator[None]:
    """torch draws what these names give, and goes on afterwards as if nothing had been drawn."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed_for(*names))
        yield
