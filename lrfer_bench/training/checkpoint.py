"""A checkpoint an epoch: all that is needed to go on and end with the same bits.

It is continued only by the arithmetic that made it: a model begun by one and ended by another
would be a mixture that no key can name. On disk it is a line with a sha256, then what it is of.
"""

from __future__ import annotations

import copy
import hashlib
import io
from pathlib import Path
from typing import Any, Protocol

import torch

from lrfer_bench.errors import MachineError, UserError
from lrfer_bench.files import check_regular, not_now, set_aside, write_atomically
from lrfer_bench.training.arithmetic import CPU, arithmetic_of

SEAL = b"lrfer-bench checkpoint sha256:"


class Resumable(Protocol):
    """A training that can be taken up again."""

    def state(self) -> dict[str, Any]:
        """All that restore() needs."""

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state; raises something for one of another method."""


def save_checkpoint(
    path: Path, key: str, state: dict[str, Any], device: torch.device = CPU
) -> None:
    """Write the state of a training into place, with its key and what the device computes with."""
    buffer = io.BytesIO()
    torch.save({"key": key, "arithmetic": arithmetic_of(device), **state}, buffer)
    payload = buffer.getvalue()
    write_atomically(path, _seal(payload) + payload)


def keep_checkpoint(path: Path, key: str, run: Resumable, device: torch.device = CPU) -> str:
    """save_checkpoint(); a sentence where the disk refuses, for no training fails by that."""
    try:
        save_checkpoint(path, key, run.state(), device)
    except UserError as error:
        return f"{error}; until then the training goes on without a checkpoint"
    return ""


def resume(path: Path, key: str, run: Resumable, device: torch.device = CPU) -> str:
    """Take a training up where its checkpoint left it; a sentence where that was set aside.

    Then the run is as it was. MachineError where the checkpoint cannot be read now.
    """
    state, why = load_checkpoint(path, key, device)
    if state is None:
        return why
    before = copy.deepcopy(run.state())
    try:
        run.restore(state)
    except Exception as error:  # methods and optimizers refuse in many ways
        run.restore(before)
        return _set_aside(path, f"it does not fit the method ({type(error).__name__})")
    return ""


def load_checkpoint(
    path: Path, key: str, device: torch.device = CPU
) -> tuple[dict[str, Any] | None, str]:
    """(state, "") to go on from; without one (None, why).

    The reason is "" where there is no checkpoint, and a sentence where it was set aside.
    """
    try:
        check_regular(path)
        data = path.read_bytes()
    except FileNotFoundError:
        return None, ""
    except ValueError as error:  # somebody's pipe, or a folder
        return None, _set_aside(path, "it is a folder" if path.is_dir() else str(error))
    except OSError as error:
        raise MachineError(str(not_now(path, error))) from error
    seal, payload = data[: len(_seal(b""))], data[len(_seal(b"")) :]
    if seal != _seal(payload):
        return None, _set_aside(path, "its checksum does not fit")
    try:
        state = torch.load(io.BytesIO(payload), map_location="cpu", weights_only=True)
    except Exception as error:  # a whole file of another kind fails in many ways
        return None, _set_aside(path, f"it cannot be read ({type(error).__name__})")
    if not isinstance(state, dict) or state.get("key") != key:
        return None, _set_aside(path, "it belongs to another key")
    made, here = state.get("arithmetic", "unknown"), arithmetic_of(device)
    if made != here:
        return None, _set_aside(path, f"it was made by another arithmetic ({made}; here {here})")
    return state, ""


def _seal(payload: bytes) -> bytes:
    return SEAL + hashlib.sha256(payload).hexdigest().encode() + b"\n"


def _set_aside(path: Path, why: str) -> str:
    target = set_aside(path, "unusable")
    return (
        f"the checkpoint {path.name} was set aside as {target.name}: {why}; this training starts "
        "anew"
    )
