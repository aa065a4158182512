"""The global generators of random numbers, which belong to the whole program."""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np


@contextmanager
def generators_kept() -> Iterator[Callable[[], str]]:
    """What is given names the library whose global generator moved since; "" if none did.

    In the end all generators are as they were before.
    """
    import torch

    def states() -> dict[str, bytes]:
        return {
            "torch": torch.get_rng_state().numpy().tobytes(),
            "numpy": pickle.dumps(np.random.get_state()),
            "Python": pickle.dumps(random.getstate()),
        }

    before = states()
    kept = torch.get_rng_state(), np.random.get_state(), random.getstate()
    try:
        yield lambda: ", ".join(name for name, now in states().items() if now != before[name])
    finally:
        torch.set_rng_state(kept[0])
        np.random.set_state(kept[1])
        random.setstate(kept[2])
