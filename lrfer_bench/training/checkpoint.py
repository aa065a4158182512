"""A checkpoint an epoch: all that is needed to go on and end with the same bits."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import torch

from lrfer_bench.files import write_atomically


def save_checkpoint(path: Path, key: str, state: dict[str, Any]) -> None:
    """Write the state of a training, named by its key, into place."""
    buffer = io.BytesIO()
    torch.save({"key": key, **state}, buffer)
    write_atomically(path, buffer.getvalue())


def load_checkpoint(path: Path, key: str) -> tuple[dict[str, Any] | None, str]:
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
    return state, ""


def _set_aside(path: Path, why: str) -> str:
    target = path.with_suffix(path.suffix + ".unusable")
    os.replace(path, target)
    return (
        f"the checkpoint {path.name} was set aside as {target.name}: {why}; this training starts "
        "anew"
    )
