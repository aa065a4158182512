"""Faces to look at: LR faces of the benchmark, and what trained super-resolvers restore of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lrfer_bench.contract.faceset import Split
from lrfer_bench.contract.labels import parse_label
from lrfer_bench.contract.method import Method
from lrfer_bench.contract.protocol import check_scale
from lrfer_bench.data.cache import Prepared
from lrfer_bench.data.lowres import image_seeds
from lrfer_bench.errors import UserError
from lrfer_bench.planning.plan import Cell, Plan
from lrfer_bench.plugins.degradation import protocol_of
from lrfer_bench.plugins.registry import METHODS
from lrfer_bench.protocols.golden import opened
from lrfer_bench.running.models import ModelMissing, cell_method, read_models
from lrfer_bench.store.store import Store
from lrfer_bench.training.batches import gather

Images = NDArray[np.uint8]
Shown = dict[str, dict[int, Images]]
MOST = 16
"""Faces side by side that can still be seen."""


@dataclass(frozen=True)
class Faces:
    """Some faces of one split, by row."""

    prepared: Prepared
    split: str
    rows: tuple[int, ...]

    @property
    def hr(self) -> torch.Tensor:
        """uint8 [F, C, H, W]"""
        return gather(self.prepared.faces.splits[self.split].images, self.rows)

    def low(self, protocol: str, scale: int) -> torch.Tensor:
        """uint8 [F, C, h, w]; of test and val the very bytes that methods are tested on."""
        check_scale(scale, self.prepared.faces.size)
        count = len(self.prepared.faces.splits[self.split])
        seeds = image_seeds(self.prepared.fingerprint, self.split, scale, count)
        return protocol_of(protocol).apply(self.hr, scale, seeds[list(self.rows)])


def choose_faces(prepared: Prepared, split: str, count: int) -> Faces:
    """Some faces of a split: the first of each class in turn, then the second of each.

    There are fewer than count where the split has fewer. UserError for a count outside 1..16.
    """
    if not 1 <= count <= MOST:
        raise UserError(f"{count} faces do not fit into a picture: ask for 1 to {MOST}")
    return Faces(prepared, split, tuple(_in_turn(prepared.faces.splits[split])[:count]))


def _in_turn(split: Split) -> list[int]:
    met: dict[int, int] = {}
    turns = []
    for row, label in enumerate(split.labels.tolist()):
        met[label] = met.get(label, 0) + 1
        turns.append((met[label], label, row))
    return [row for _, _, row in sorted(turns)]


def low_faces(faces: Faces, protocols: Sequence[str], scales: Sequence[int]) -> Shown:
    """Protocol id -> scale -> uint8 [F, C, h, w]."""
    ids = [opened(name, scales).id for name in protocols]
    return {name: {scale: faces.low(name, scale).numpy() for scale in scales} for name in ids}


def check_restores(names: Sequence[str]) -> None:
    """UserError for a method that has no restored faces to show, before anything is read."""
    for label in names:
        name, _ = parse_label(label)
        cls: type[Method] = METHODS.load(name)
        if cls.restored is Method.restored:
            raise UserError(
                f'the method "{name}" shows no restored face: name one that super-resolves, '
                "or give it a restored(self, lr)"
            )


def restored_faces(faces: Faces, plan: Plan, store: Store) -> tuple[Shown, list[str]]:
    """("method of protocol" -> scale -> uint8 [F, C, H, W], labels of cells without their models).

    Each cell restores the faces it is tested on: those of its own protocol and scale.
    """
    shown: Shown = {}
    missing = []
    for cell in plan.cells.values():
        method = _trained(cell, plan, store)
        if method is None:
            missing.append(cell.label)
            continue
        with torch.no_grad():
            answer = method.restored(faces.low(cell.tested.protocol, cell.tested.scale))
        name = f"{METHODS.label(cell.method.name, cell.method.given)} of {cell.tested.protocol}"
        shown.setdefault(name, {})[cell.tested.scale] = _pixels(cell, answer, faces.hr)
    return shown, missing


def _trained(cell: Cell, plan: Plan, store: Store) -> Method | None:
    try:
        models = read_models(store, plan, plan.needed_for(cell))
    except ModelMissing:
        return None
    return cell_method(cell, models, torch.device("cpu"))


def _pixels(cell: Cell, answer: Any, hr: torch.Tensor) -> Images:
    """Rounded to uint8, as a file of the picture would be."""
    if not isinstance(answer, torch.Tensor) or answer.shape != hr.shape:
        said = list(answer.shape) if isinstance(answer, torch.Tensor) else type(answer).__name__
        raise UserError(
            f"{cell.label}: restored() returned {said}: "
            f"return faces of shape {list(hr.shape)} in 0..1"
        )
    pixels: Images = answer.float().clamp(0, 1).mul(255).round().to(torch.uint8).numpy()
    return pixels
