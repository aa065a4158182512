"""A trained cell that answers for anybody's faces."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax

from lrfer_bench.contract.method import Method
from lrfer_bench.errors import UserError
from lrfer_bench.planning.plan import Cell
from lrfer_bench.plugins.degradation import protocol_of
from lrfer_bench.predicting.learned import learned_on
from lrfer_bench.predicting.origin import WeightsMissing, cell_of, prepared_cell
from lrfer_bench.predicting.shapes import whole
from lrfer_bench.predicting.wanted import by_name_or_key, cell_meant
from lrfer_bench.running.devices import devices_of
from lrfer_bench.running.evaluate import predict
from lrfer_bench.running.models import ModelMissing, cell_method, frozen, read_models, untrained
from lrfer_bench.store.schema import Record
from lrfer_bench.store.store import Store


@dataclass(frozen=True)
class Predictor:
    """A trained cell. Images are uint8 [B, C, h, w], numpy or torch, of `channels` and `lr_size`.

    classes:  what the columns of its answers mean
    channels: 1 (grey) or 3 (RGB)
    hr_size:  height and width in pixels of the HR faces it was made for
    lr_size:  height and width in pixels of the LR faces it is asked about
    record:   the cell's record
    method:   the trained torch module
    """

    record: Record
    classes: tuple[str, ...]
    channels: int
    hr_size: tuple[int, int]
    lr_size: tuple[int, int]
    method: Method
    device: torch.device

    def __repr__(self) -> str:
        record, (height, width) = self.record, self.lr_size
        kind = "grey" if self.channels == 1 else "colour"
        return (
            f"<Predictor {record.method.name}, {record.dataset.name} {record.test.protocol} "
            f"x{record.test.scale}: {kind} faces of {width}x{height}, {len(self.classes)} classes>"
        )

    def __call__(self, images: ArrayLike | torch.Tensor) -> NDArray[np.float32]:
        """Logits, float32 [B, classes]. UserError for images of another type, shape or size."""
        return predict(self.method, self._checked(images), len(self.classes), self.device)

    def probabilities(self, images: ArrayLike | torch.Tensor) -> NDArray[np.float32]:
        """Softmax of the logits, float32 [B, classes]; rows sum to 1."""
        return np.asarray(softmax(self(images).astype(np.float64), axis=1), dtype=np.float32)

    def classify(self, images: ArrayLike | torch.Tensor) -> list[str]:
        """The name of the most probable class of each face."""
        return [self.classes[index] for index in self(images).argmax(1)]

    @property
    def learned_on(self) -> str:
        """The data set that it learned on, and what faces these are; or that this is not known."""
        return learned_on(self.record)

    def fitted(self, images: ArrayLike | torch.Tensor) -> NDArray[np.uint8]:
        """LR faces uint8 [B, C, *lr_size] of LR ones uint8 [B, C, h, w] of any size.

        Antialiased bicubic; faces of another shape are shown whole, with their edges continued, and
        are not squeezed. UserError for another type or shape.
        """
        return whole(torch.from_numpy(_uint8(images, self.channels)), self.lr_size).numpy()

    def degrade(self, hr: ArrayLike | torch.Tensor, seed: int = 0) -> NDArray[np.uint8]:
        """LR faces uint8 [B, C, *lr_size] of HR ones uint8 [B, C, H, W] of any size.

        They are brought to hr_size as fitted() does it, then made small under the protocol that was
        tested on. seed: for protocols that draw noise. UserError for another type or shape.
        """
        images = whole(torch.from_numpy(_uint8(hr, self.channels)), self.hr_size)
        if self.record.test.scale == 1:
            return images.numpy()
        seeds = torch.arange(len(images), dtype=torch.int64) + seed
        return (
            protocol_of(self.record.test.protocol)
            .apply(images, self.record.test.scale, seeds)
            .numpy()
        )

    def _checked(self, images: ArrayLike | torch.Tensor) -> NDArray[np.uint8]:
        array = _uint8(images, self.channels)
        if array.shape[2:] != self.lr_size:
            height, width = self.lr_size
            raise UserError(
                f"the images are {array.shape[3]}x{array.shape[2]} pixels, but this model was "
                f"tested at {width}x{height}: bring them to it with fitted(), or make LR faces of "
                "HR ones with degrade()"
            )
        return array


def _uint8(images: ArrayLike | torch.Tensor, channels: int) -> NDArray[np.uint8]:
    array = images.cpu().numpy() if isinstance(images, torch.Tensor) else np.asarray(images)
    if array.dtype != np.uint8 or array.ndim != 4 or array.shape[1] != channels or 0 in array.shape:
        raise UserError(
            f"the images are {array.dtype} of shape {list(array.shape)}: "
            f"give uint8 [B, {channels}, h, w], B, h and w of 1 or more"
        )
    return np.array(array, order="C")  # a copy: torch warns of arrays that it could not write to


def open_predictor(
    model: str | None,
    results: Path,
    words: Mapping[str, Any],
    device: str = "cpu",
    trust: bool = False,
    tell: Callable[[str], None] = lambda line: None,
) -> Predictor:
    """See library.load_model."""
    where = devices_of(device)[0]
    wanted = by_name_or_key(results, model, words)
    return predictor_of(cell_meant(results, wanted, tell), Store(results), where, trust)


def predictor_of(
    record: Record, store: Store, device: str = "cpu", trust: bool = False
) -> Predictor:
    """The trained method of a record; UserError where its code is not available.

    WeightsMissing, a UserError, where its weights are not.
    trust: run the plugin file of the results folder even if it was not made on this machine.
    """
    plan, cell = cell_of(record, store, trust)
    try:
        models = read_models(store, plan, plan.needed_for(cell))
    except ModelMissing as error:
        raise WeightsMissing(
            f"the weights {error.path} are missing or damaged: records travel without them; "
            "train the cell in another folder (--results NEW), or copy the folder models/ as well"
        ) from error
    where = torch.device(device)
    return _predictor(record, cell, cell_method(cell, models, where), where)


def untrained_predictor(
    record: Record, store: Store, device: str = "cpu", trust: bool = False
) -> Predictor:
    """The method of a record with new weights: for its shape and speed only, no model is read.

    UserError where its code is not available, and where its data set, which tells the size of the
    faces, is not prepared here.
    """
    missing = "neither its model nor its data set, prepared, is here to tell the size of the faces"
    _, plan, cell = prepared_cell(record, store, trust, missing)
    where = torch.device(device)
    return _predictor(record, cell, frozen(untrained(cell, plan, where)), where)


def _predictor(record: Record, cell: Cell, method: Method, where: torch.device) -> Predictor:
    data = cell.data
    return Predictor(record, data.classes, data.channels, data.size, cell.lr_size, method, where)
