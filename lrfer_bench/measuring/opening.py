"""How cells are opened to be measured: with their models or, where asked for, with new weights."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from lrfer_bench.errors import UserError
from lrfer_bench.measuring.network import work_of
from lrfer_bench.predicting.origin import WeightsMissing
from lrfer_bench.predicting.predictor import Predictor, predictor_of, untrained_predictor
from lrfer_bench.running.cost import macs_used, parameters_used
from lrfer_bench.store.schema import Record
from lrfer_bench.store.store import Store

NEW = "new"
"""What QUANTITY_weights in a record's environment says where a network was not the trained one."""


@dataclass(frozen=True)
class Opened:
    """A network that can be measured.

    lr: a face of noise, uint8 [1, C, h, w]
    network: a hash of its work, as work_of() tells it; "" for what existed already
    weights: NEW, or "" for those of the trained model
    """

    predictor: Predictor
    lr: Tensor
    network: str
    weights: str = ""


class Opener:
    """Opens cells of a results folder, each once a device, for all that is measured of it there.

    untrained: cells whose models are not here, too, with new weights
    trust: run the results folder's own plugin files, even if not made here
    """

    def __init__(self, store: Store, untrained: bool, trust: bool) -> None:
        self._store, self._untrained, self._trust = store, untrained, trust
        self._last: tuple[tuple[str, str], Opened] | None = None

    def open(self, record: Record, device: torch.device) -> Opened:
        """The network of a record, on a device; UserError where that cannot be had."""
        name = record.key, str(device)
        if self._last is None or self._last[0] != name:
            self._last = name, self._found(record, str(device))
        return self._last[1]

    def _found(self, record: Record, device: str) -> Opened:
        try:
            predictor = predictor_of(record, self._store, device, self._trust)
        except WeightsMissing as error:
            if not self._untrained:
                raise UserError(f"{error}; or measure it with new weights (--untrained)") from error
            return _checked(untrained_predictor(record, self._store, device, self._trust))
        lr = face_for(predictor)
        if record.method.existing:  # any engine may be behind it, by ways that torch does not see
            return Opened(predictor, lr, "")
        return Opened(predictor, lr, work_of(predictor.method, lr.to(predictor.device)))


def _checked(predictor: Predictor) -> Opened:
    """A network with new weights; UserError where the trained one may have other work to do."""
    lr = face_for(predictor)
    method, there = predictor.method, lr.to(predictor.device)
    network, told = work_of(method, there), predictor.record.cost
    if not network:
        raise UserError(
            "what it computes can depend on what it learned, or is done outside torch: measure it "
            "where its model is"
        )
    macs, parameters = macs_used(method, there), parameters_used(method, there)
    if told is None or (macs, parameters) != (told.macs, told.parameters):
        raise UserError(
            f"with new weights it has {macs:,} MACs and {parameters:,} parameters, and its record "
            "has others: measure it where its model is"
        )
    return Opened(predictor, lr, network, NEW)


def face_for(predictor: Predictor) -> Tensor:
    """A face of noise, uint8 [1, C, h, w]: what a network costs does not depend on who is seen."""
    generator = torch.Generator().manual_seed(0)
    shape = (1, predictor.channels, *predictor.lr_size)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
