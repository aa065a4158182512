"""Freed memory stays with a worker process, so that each training step does not ask the system for it anew.

The activations of a step are megabytes each. glibc takes such blocks from the system and gives them back
one by one, and every page is cleared and mapped again at each step. No arithmetic changes.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Any

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # malloc.h
NEVER_TRIM = 2**31 - 1
LARGEST_BLOCKS = (1 << 30, 32 << 20)
"""Blocks below so many bytes come from the heap; older glibc refuses more than the second."""


def keep_freed_memory() -> bool:
    """Set it for this process, before the first tensor is made; True where the C library could (glibc).

    For worker processes only: in a user's own process, memory belongs to other code as well.
    """
    mallopt = _from_c_library("mallopt")
    if mallopt is None:
        return False
    kept = any(mallopt(M_MMAP_THRESHOLD, size) for size in LARGEST_BLOCKS)
    return bool(mallopt(M_TRIM_THRESHOLD, NEVER_TRIM)) and kept


def give_back() -> None:
    """Return what is free to the system: between two jobs, so that each one's peak memory is its own."""
    trim = _from_c_library("malloc_trim")
    if trim is not None:
        trim(0)


def _from_c_library(name: str) -> Any:
    """The function, or None on another system or with a C library without it."""
    if sys.platform != "linux":
        return None
    try:
        return getattr(ctypes.CDLL(None), name, None)
    except OSError:
        return None
