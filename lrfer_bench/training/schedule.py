"""The learning rate over a training, as a factor of its peak."""

from __future__ import annotations

import math

WARM_UP = 0.25
FIRST = 0.04


def one_cycle(progress: float) -> float:
    """Factor of the peak rate at progress 0..1: up from 0.04 by a half cosine in the first quarter, then down to 0.

    >>> one_cycle(0.0), one_cycle(0.25), round(one_cycle(1.0), 6)
    (0.04, 1.0, 0.0)
    """
    if progress < WARM_UP:
        return FIRST + (1.0 - FIRST) * (1.0 - math.cos(math.pi * progress / WARM_UP)) / 2.0
    return (1.0 + math.cos(math.pi * (progress - WARM_UP) / (1.0 - WARM_UP))) / 2.0
