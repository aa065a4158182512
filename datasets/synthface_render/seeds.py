"""Random generators whose seeds come from names, so that any one face can be drawn alone."""

from __future__ import annotations

import hashlib

import numpy as np


def generator(*names: object) -> np.random.Generator:
    """A generator for a path of names such as (seed, "identity", 7), independent of other paths."""
    digest = hashlib.sha256("/".join(str(name) for name in ("synthface", *names)).encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "little")))
