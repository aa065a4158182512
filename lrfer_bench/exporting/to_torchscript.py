"""A model as TorchScript: one file that torch runs without Python, in C++ too."""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lrfer_bench.errors import UserError
from lrfer_bench.exporting.to_safetensors import answers_by_weights, elsewhere
from lrfer_bench.exporting.whole import Whole, probabilities
from lrfer_bench.predicting.predictor import Predictor

ABOUT = "about.json"
"""The extra file with the metadata."""


def write(predictor: Predictor, faces: NDArray[np.uint8], told: Mapping[str, str]) -> bytes:
    """The TorchScript file of a cell: uint8 [N, C, h, w] -> probabilities float32 [N, K].

    faces: an example; told: metadata for its extra file ABOUT. UserError for a network that cannot
    be traced.
    """
    buffer = io.BytesIO()
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # of tracing: what it gets wrong is found by the check
            example = torch.from_numpy(faces[:2])
            sized = _OfOneSize(Whole(predictor.method), example).eval()
            traced = torch.jit.trace(sized, example, check_trace=False)
            torch.jit.save(traced, buffer, _extra_files={ABOUT: json.dumps(dict(told))})
    except Exception as error:  # an author's forward can refuse in any way
        advice = (
            "export its weights with --format safetensors"
            if answers_by_weights(predictor, faces)
            else elsewhere(predictor)
        )
        raise UserError(
            f"{predictor.record.stem} cannot be written as TorchScript "
            f"({type(error).__name__}: {str(error).strip().partition(chr(10))[0]}): {advice}"
        ) from error
    return buffer.getvalue()


class _OfOneSize(nn.Module):
    """The whole way, for faces as large as the example: a trace keeps that it enlarged them so far.

    Of other sizes it would go another way than the method, and answer.
    """

    def __init__(self, whole: Whole, example: Tensor) -> None:
        super().__init__()
        self.whole = whole
        self.shape = tuple(example.shape[1:])
        self.checked: Any = torch.jit.script(_checked)  # a trace keeps the check only as a script

    def forward(self, faces: Tensor) -> Tensor:
        return cast(Tensor, self.whole(self.checked(faces, *self.shape)))


def _checked(faces: Tensor, channels: int, height: int, width: int) -> Tensor:
    if faces.dim() != 4 or list(faces.shape[1:]) != [channels, height, width]:
        raise ValueError(
            f"the faces are of shape {faces.shape}: give [N, {channels}, {height}, {width}]"
        )
    return faces


def answers(data: bytes, predictor: Predictor, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What a TorchScript file says of faces, float32 [N, K]."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that TorchScript is no longer developed
        return probabilities(torch.jit.load(io.BytesIO(data)), faces)
