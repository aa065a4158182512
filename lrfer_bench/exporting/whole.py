"""The whole way of a trained cell as one torch module, and the faces that it is checked on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lrfer_bench.contract.condition import Condition
from lrfer_bench.contract.method import Method
from lrfer_bench.data.lowres import lr_images
from lrfer_bench.data.prepared import prepared_here
from lrfer_bench.planning import defaults
from lrfer_bench.plugins.registry import DATASETS
from lrfer_bench.predicting.predictor import Predictor

FACES = 100
"""So many are shown to a model that was exported, and to torch."""


class Whole(nn.Module):
    """LR faces uint8 [B, C, h, w] at native size -> probabilities float32 [B, K].

    Enlarging, super-resolution and normalisation are inside.
    """

    def __init__(self, method: Method) -> None:
        super().__init__()
        self.method = method
        self.eval()  # torch's exporter puts the mode back that the outermost module had

    def forward(self, faces: Tensor) -> Tensor:
        return torch.softmax(self.method(faces).to(torch.float64), 1).to(torch.float32)


@dataclass(frozen=True)
class Faces:
    """LR faces uint8 [N, C, h, w]; named: what they are, as messages say it."""

    images: NDArray[np.uint8]
    named: str


def faces_of(predictor: Predictor) -> Faces:
    """The first 100 test faces of the cell, as it was tested on them.

    Where its data set is not prepared on this machine, faces of the data set that comes with the
    package stand in, made small in the same way.
    """
    record = predictor.record
    prepared = prepared_here(record.dataset.fingerprint)
    if prepared is not None:
        tested = Condition(record.test.protocol, (record.test.scale,))
        images = np.array(lr_images(prepared, "test", tested)[:FACES])
        return Faces(images, f"{len(images)} test faces of {record.dataset.name}")
    hr = DATASETS.load(defaults.DATASET)().load(None).test.images[:FACES]
    if hr.shape[1] != predictor.channels:
        grey = hr.mean(1, keepdims=True).round().astype(np.uint8)
        hr = np.repeat(grey, predictor.channels, 1)
    return Faces(predictor.degrade(hr), f"{len(hr)} test faces of {defaults.DATASET}")


@torch.no_grad()
def probabilities(whole: nn.Module, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What torch says of faces, float32 [N, K]."""
    return cast("NDArray[np.float32]", whole(torch.from_numpy(faces)).numpy())
