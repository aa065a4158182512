"""Test-time answers: a trained method is shown LR test images, batch by batch, and nothing else."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray

from lrfer_bench.contract.method import Method
from lrfer_bench.errors import CellError
from lrfer_bench.training.batches import gather
from lrfer_bench.training.drawing import drawing

BATCH = 128


def predict(
    method: Method, images: NDArray[np.uint8], classes: int, device: torch.device | None = None
) -> NDArray[np.float32]:
    """Logits float32 [N, classes] for LR images uint8 [N, C, h, w].

    A method that draws random numbers draws the same ones for the same faces each time. Raises
    CellError for answers of a wrong shape, NaN or infinite ones.
    """
    method.eval()
    device = device or torch.device("cpu")
    answers = []
    with torch.no_grad(), drawing(device, "answers"):
        for start in range(0, len(images), BATCH):
            lr = gather(images, range(start, min(start + BATCH, len(images)))).to(device)
            answers.append(_checked(method, method(lr), lr, classes))
    return np.concatenate(answers)


def _checked(method: Method, logits: object, lr: torch.Tensor, classes: int) -> NDArray[np.float32]:
    where, count = f"{type(method).__name__}.forward", len(lr)
    if not isinstance(logits, torch.Tensor):
        raise CellError(
            f"{where} returned {type(logits).__name__}: return the logits, a float tensor [batch, "
            f"{classes}]"
        )
    if tuple(logits.shape) != (count, classes):
        raise CellError(
            f"{where} returned shape {tuple(logits.shape)} for {count} faces: return logits of "
            f"shape ({count}, {classes})"
        )
    if logits.device != lr.device:
        raise CellError(
            f"{where} returned logits on the device {logits.device} for faces on {lr.device}: make "
            "its tensors there, "
            "with device=lr.device or as registered buffers"
        )
    answers = logits.detach().to("cpu", torch.float32).numpy()
    if not math.isfinite(float(np.abs(answers).sum())) and not np.isfinite(answers).all():
        bad = int((~np.isfinite(answers)).any(1).sum())
        raise CellError(
            f"{where} returned NaN or infinity for {bad} of {count} test faces: check its last "
            "layers and its training"
        )
    return answers
