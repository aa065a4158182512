"""The weights of a model, and of the stages that answer with it, as one safetensors file.

Weights only: reading them needs the network's code.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import Tensor

from lrfer_bench.contract.method import Method
from lrfer_bench.errors import UserError
from lrfer_bench.exporting.whole import Whole, probabilities
from lrfer_bench.predicting.predictor import Predictor
from lrfer_bench.running.cost import modules_used

STAGE = "stages.{}."
"""What the names of a stage's weights begin with."""


def write(predictor: Predictor, faces: NDArray[np.uint8], told: Mapping[str, str]) -> bytes:
    """The safetensors file of a cell. faces: an example; told: its metadata.

    A stage that only training needs, such as a teacher, is left out. UserError for a model whose
    answers do not come from the weights of torch modules.
    """
    if not answers_by_weights(predictor, faces):
        raise UserError(
            f"{predictor.record.stem} cannot be written as safetensors: {elsewhere(predictor)}"
        )
    used = modules_used(predictor.method, torch.from_numpy(faces[:1]))
    parts = {
        name: value.detach().clone().contiguous()
        for prefix, part in _parts(predictor.method)
        if part is predictor.method or used.intersection(part.modules())
        for name, value in ((prefix + own, v) for own, v in part.state_dict().items())
    }
    return safetensors.torch.save(parts, dict(told))


def answers(data: bytes, predictor: Predictor, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What the network says of faces, float32 [N, K], when all that it knows is from the file."""
    weights = safetensors.torch.load(data)
    method = copy.deepcopy(predictor.method)
    for prefix, part in _parts(method):
        own = {k[len(prefix) :]: v for k, v in weights.items() if k.startswith(prefix)}
        for name, value in part.state_dict().items():
            _fill(value, own.get(name))
    return probabilities(Whole(method), faces)


def elsewhere(predictor: Predictor) -> str:
    """Where the weights of a model are that does not answer with those of modules; what to do."""
    named = ", ".join(predictor.record.method.weight_files)
    return (
        f"its weights are in your own file{f' ({named})' if named else ''} or in its code, not in "
        "a torch.nn.Module: pass that file on"
    )


def answers_by_weights(predictor: Predictor, faces: NDArray[np.uint8]) -> bool:
    """Whether the weights that a file would hold are what the model answers with.

    TorchScript, and anything else that is called in place of a module, keeps its own: it answers
    the same when those are broken. faces: an example
    """
    right = probabilities(Whole(predictor.method), faces[:2])
    try:
        method = copy.deepcopy(predictor.method)
    except Exception:  # what torch modules hold can be copied; a session of a runtime cannot
        return False
    for _, part in _parts(method):
        for value in part.state_dict().values():
            _fill(value, None)
    try:
        broken = probabilities(Whole(method), faces[:2])
    except Exception:  # a forward may refuse what is no number
        return True
    return not np.array_equal(right, broken)


def _parts(method: Method, prefix: str = "") -> Iterator[tuple[str, Method]]:
    """The method and all that it rests on, each with what its weights' names begin with."""
    yield prefix, method
    for name, stage in method.stages.items():
        yield from _parts(stage, prefix + STAGE.format(name))


def _fill(place: Tensor, value: Tensor | None) -> None:
    """Copy a weight, or break it where the file has none, so that it is noticed if it is used."""
    with torch.no_grad():
        if value is not None:
            place.copy_(value)
        else:
            place.fill_(float("nan") if place.is_floating_point() else 0)
