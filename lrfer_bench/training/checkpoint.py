"""A checkpoint an epoch: all that is needed to go on and end with the same bits.

It is continued only by the arithmetic that made it: a model begun by one and ended by another
would be a mixture that no key can name.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import torch

from lrfer_bench.files import write_atomically
from lrfer_bench.training.arithmetic import CPU, arithmetic_of


def save_checkpoint(
    path: Path, key: str, state: dict[str, Any], device: torch.device = CPU
) -> None:
    """Write the state of a training into place, with its key and what the device computes with."""
    buffer = io.BytesIO()
    torch.save({"key": key, "arithmetic": arithmetic_of(device), **state}, buffer)
    write_atomically(path, buffer.getvalue())


def load_checkpoint(
    path: Path, key: str, device: torch.device = CPU
) -> tuple[dict[str, Any] | None, str]:
    """(state, "") to go on from; without one (None, why).

    The reason is "" where there is no checkpoint, and a sentence where it was set aside.
    """
    if not path.exists():
        return None, ""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (
        Exception
    ) as error:  # a damaged file fails in many ways, and none of them may stop the run
        return None, _set_aside(path, f"it cannot be read ({type(error).__name__})")
    if not isinstance(state, dict) or state.get("key") != key:
        return None, _set_aside(path, "it belongs to another key")
    made, here = state.get("arithmetic", "unknown"), arithmetic_of(device)
    if made != here:
        return None, _set_aside(path, f"it was made by another arithmetic ({made}; here {here})")
    return state, ""


def _set_aside(path: Path, why: str) -> str:
    target = path.with_suffix(path.suffix + ".unusable")
    os.replace(path, target)
    return (
        f"the checkpoint {path.name} was set aside as {target.name}: {why}; this training starts "
        "anew"
    )
