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
        seed = seed_for(*names)
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would seed every GPU
        if device.type == "cuda":
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield
