"""The learning rate over a training, as a factor of its peak."""

from __future__ import annotations

import math

FIRST = 0.04


def one_cycle(progress: float, warm_up: float = 0.25) -> float:
    """Factor of the peak rate at progress 0..1: up from 0.04, then down to 0, by half cosines.

    warm_up: the share of the training in which it rises, between 0 and 1.

    >>> one_cycle(0.0), one_cycle(0.25), round(one_cycle(1.0), 6)
    (0.04, 1.0, 0.0)
    """
    if progress < warm_up:
        return FIRST + (1.0 - FIRST) * (1.0 - math.cos(math.pi * progress / warm_up)) / 2.0
    return (1.0 + math.cos(math.pi * (progress - warm_up) / (1.0 - warm_up))) / 2.0
