"""Files of weights: the usual kinds, read without running any code of theirs."""

from __future__ import annotations

import argparse
import importlib
import json
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

from lrfer_bench.errors import UserError
from lrfer_bench.files import check_regular

State = Mapping[str, Tensor]
Wrappers = tuple[str, ...]
"""The names of the wrappers around a dictionary of tensors."""

PREFIXES = ("module", "_orig_mod", "model", "backbone", "net", "network", "encoder")
"""What trainers put in front of all names."""
COUNTER = "num_batches_tracked"
SELF_TAUGHT = {"dino_loss", "ibot_loss"}
"""In checkpoints of DINO and iBOT, whose teacher is an average of its student."""
TOO_MUCH = "this is not a weights file as torch writes it, so give another"
KINDS = ".pth, .pt, .pth.tar, .bin or .safetensors"
ENOUGH = 0.9
"""A whole network has at least this share of the tensors of the file's largest dictionary."""


def read_weights(file: Path) -> dict[str, Tensor]:
    """The tensors of a file by name, out of any wrapper and without a prefix that all names have.

    Of a network and its average (EMA) the average is taken. Reading runs no code of the file.
    UserError for a file that holds no tensors, tensors that take much more than the file does, or
    several networks of which it is not clear which one is meant; OSError for one that cannot be
    opened.
    """
    return read_chosen(file)[0]


def read_chosen(file: Path) -> tuple[dict[str, Tensor], str]:
    """(read_weights(), what was taken where the file holds more than one network, else "")."""
    _check(file)
    with open(file, "rb") as opened:
        head = opened.read(16)
    content = _safetensors(file) if head[8:10] == b'{"' else _torch_file(file)
    states = list(_states(content))
    if not states:
        raise UserError(f"{file} holds no tensors by name: give a state_dict as {KINDS}")
    chosen, said = _meant(file, _networks(states), bool(SELF_TAUGHT & set(content)))
    taken = sum(value.numel() * value.element_size() for value in chosen.values())
    if taken > _most(file):  # one number, expanded to a large tensor
        raise UserError(f"{file} holds tensors of {taken:,} bytes: {TOO_MUCH}")
    return _without_prefix(
        {name: value.detach() for name, value in chosen.items() if not name.endswith(COUNTER)}
    ), said


def _check(file: Path) -> None:
    """UserError for a pipe, a device, or an archive that unpacks to much more than it holds."""
    try:
        check_regular(file)
    except ValueError as error:
        raise UserError(f"{file} cannot be read ({error}): give a file of weights") from error
    if not zipfile.is_zipfile(file):
        return
    try:
        with zipfile.ZipFile(file) as archive:
            taken = sum(entry.file_size for entry in archive.infolist())
            program = any(name.endswith("/constants.pkl") for name in archive.namelist())
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise UserError(f"{file} is damaged ({error}): fetch it once more") from error
    if taken > _most(file):
        raise UserError(f"{file} unpacks to {taken:,} bytes: {TOO_MUCH}")
    if program:
        raise UserError(
            f"{file} is TorchScript, a program and not a state_dict, and no program of a file is "
            "run here: save the state_dict() of its module, or evaluate it by a function with an "
            'argument "weights" that reads the file itself (docs/evaluate.md)'
        )


def _most(file: Path) -> int:
    """Bytes that its tensors may take; torch and safetensors pack nothing, and ties are few."""
    return 4 * file.stat().st_size + (1 << 20)


def as_bytes(state: State) -> bytes:
    """Weights as the bytes of a safetensors file: the same tensors always give the same bytes."""
    return safetensors.torch.save(
        {name: state[name].contiguous().clone() for name in sorted(state)}
    )


def imported(file: Path) -> tuple[bytes, str]:
    """Any file of weights as (bytes of a safetensors file, its name)."""
    name = file.name if file.suffix == ".safetensors" else f"{file.name}.safetensors"
    return as_bytes(read_weights(file)), name


def _safetensors(file: Path) -> Any:
    try:
        return safetensors.torch.load_file(file)
    except (safetensors.SafetensorError, ValueError) as error:
        raise UserError(f"{file} is damaged ({error}): fetch it once more") from error


def _torch_file(file: Path) -> Any:
    harmless: list[Any] = [argparse.Namespace, np.dtype, np.ndarray, type(np.dtype("float64"))]
    harmless += [type(np.dtype("float32")), type(np.dtype("int64"))]
    core = importlib.import_module(
        f"numpy.{'_core' if hasattr(np, '_core') else 'core'}.multiarray"
    )
    harmless += [(core.scalar, f"numpy.{word}.multiarray.scalar") for word in ("core", "_core")]
    try:
        with torch.serialization.safe_globals(harmless):
            return torch.load(file, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:  # torch refuses in many ways
        raise UserError(
            f"{file} cannot be read as weights ({type(error).__name__}): give a state_dict as "
            f"{KINDS}; a whole pickled model is not read, since that would run its code: save its "
            "state_dict() where its code is"
        ) from error


def _states(content: Any, path: Wrappers = ()) -> Iterator[tuple[Wrappers, State]]:
    """Every dictionary of tensors in a file, with the names of the wrappers around it."""
    if not isinstance(content, Mapping) or len(path) > 4:
        return
    own = {k: v for k, v in content.items() if isinstance(k, str) and isinstance(v, Tensor)}
    if own:
        yield path, own
    for name, inside in content.items():
        if "optim" not in str(name).lower():  # what an optimiser remembers is no network
            yield from _states(inside, (*path, str(name)))


def _networks(states: Sequence[tuple[Wrappers, State]]) -> dict[Wrappers, State]:
    """Those of the dictionaries that are whole networks; of equal ones the first."""
    most = max(len(state) for _, state in states)
    found: dict[Wrappers, State] = {}
    for path, state in states:
        whole = len(state) >= ENOUGH * most or "student" in _words(path)
        if whole and not any(_equal(state, other) for other in found.values()):
            found[path] = state
    return found


def _meant(file: Path, networks: Mapping[Wrappers, State], self_taught: bool) -> tuple[State, str]:
    """The network that is taken, and a word on that where there are two.

    An average beside the one network that it may be an average of is taken. A teacher is none
    unless self_taught: it is another network than its student, perhaps of the same architecture.
    """
    if len(networks) == 1:
        return next(iter(networks.values())), ""
    averages = [path for path in networks if _is_average(path, self_taught)]
    if len(networks) == 2 and len(averages) == 1:
        (taken,) = averages
        (other,) = set(networks) - {taken}
        return networks[taken], f'"{_said(taken)}", an average, and not "{_said(other)}"'
    names = ", ".join(f'"{_said(path)}"' for path in networks)
    example = "".join(f"[{json.dumps(word)}]" for word in next(iter(networks)))
    raise UserError(
        f"{file} holds {len(networks)} networks ({names}), and it is not clear which one is meant: "
        f"save that one alone, such as torch.save(torch.load({json.dumps(file.name)}){example}, "
        '"one.pth")'
    )


def _said(path: Wrappers) -> str:
    return ".".join(path) or "the file's own tensors"


def _words(path: Wrappers) -> set[str]:
    return {word for name in path for word in re.split("[-_. ]", name.lower())}


def _is_average(path: Wrappers, self_taught: bool) -> bool:
    words = _words(path)
    if "teacher" in words:
        return self_taught
    return bool(words & {"ema", "averaged"})


def _equal(one: State, other: State) -> bool:
    one, other = _without_prefix(dict(one)), _without_prefix(dict(other))
    return one.keys() == other.keys() and all(
        torch.equal(value, other[name]) for name, value in one.items()
    )


def _without_prefix(state: dict[str, Tensor]) -> dict[str, Tensor]:
    prefix = common_prefix(state)
    return {name.removeprefix(prefix): value for name, value in state.items()}


def common_prefix(names: Iterable[str]) -> str:
    """What trainers and wrappers put in front of all names, with its dots.

    >>> common_prefix(["module.model.fc.weight", "module.model.fc.bias"])
    'module.model.'
    """
    names, prefix = list(names), ""
    while True:
        heads = {name[len(prefix) :].partition(".")[:2] for name in names}
        if len(heads) != 1 or not heads <= {(word, ".") for word in PREFIXES}:
            return prefix
        prefix += "".join(heads.pop())
