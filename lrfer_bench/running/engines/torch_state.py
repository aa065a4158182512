"""What a method can change in torch for a whole process, put back before the next job.

A worker does many jobs. With two threads in place of one, or without oneDNN, the next method would
have other bits under the same key: what a method sets must not reach another one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import torch


def _part(owner: Any, name: str) -> tuple[Callable[[], Any], Callable[[Any], Any]]:
    return lambda: getattr(owner, name), lambda value: setattr(owner, name, value)


PARTS: Mapping[str, tuple[Callable[[], Any], Callable[[Any], Any]]] = {
    "the number of threads": (torch.get_num_threads, torch.set_num_threads),
    "the default dtype": (torch.get_default_dtype, torch.set_default_dtype),
    "the default device": (torch.get_default_device, torch.set_default_device),
    "the grad mode": (torch.is_grad_enabled, torch.set_grad_enabled),
    "the anomaly mode": (torch.is_anomaly_enabled, torch.autograd.set_detect_anomaly),
    "deterministic algorithms": (
        torch.get_deterministic_debug_mode,
        torch.set_deterministic_debug_mode,
    ),
    "the precision of matrix products": (
        torch.get_float32_matmul_precision,
        torch.set_float32_matmul_precision,
    ),
    "oneDNN": (lambda: torch.backends.mkldnn.enabled, torch.backends.mkldnn.set_flags),
    "cuDNN's search": _part(torch.backends.cudnn, "benchmark"),
    "cuDNN's deterministic mode": _part(torch.backends.cudnn, "deterministic"),
    "TF32 in convolutions": _part(torch.backends.cudnn, "allow_tf32"),
}
"""Name -> how it is asked for, and how it is set."""


@lru_cache(maxsize=1)
def remembered() -> dict[str, Any]:
    """Each part as it is at the first call, which must come before a plugin is loaded."""
    return {name: ask() for name, (ask, _) in PARTS.items()}


def put_back() -> list[str]:
    """Make all parts what they were when remembered() was first called; returns what was changed.

    What is as it was is not touched: some parts cannot be set while others are.
    """
    changed = []
    for name, value in remembered().items():
        ask, put = PARTS[name]
        if ask() != value:
            changed.append(name)
            with contextlib.suppress(RuntimeError):
                put(value)
    return changed
