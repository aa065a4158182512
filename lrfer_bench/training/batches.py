"""Training batches: faces in a seeded order, augmented at HR, then degraded.

So HR and LR show the same picture.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lrfer_bench.contract.faceset import Split
from lrfer_bench.contract.method import Batch
from lrfer_bench.contract.protocol import Protocol
from lrfer_bench.keys import seed_for
from lrfer_bench.pixels import flip_and_shift


@dataclass(frozen=True)
class BatchSource:
    """The training split under one condition.

    key:   the training's key; order, flips, shifts, scales and degradation are drawn from it and
           the epoch's number
    flips: "random" or "alternating" (see Preset.flips)
    """

    split: Split
    protocol: Protocol
    scales: tuple[int, ...]
    size: int
    shift: int
    key: str
    device: torch.device
    flips: str = "random"

    def __len__(self) -> int:
        """Batches an epoch; the last incomplete one is left out, unless it is the only one."""
        return max(len(self.split) // self.size, 1)

    def epoch(self, number: int, augment: bool = True) -> Iterator[Batch]:
        """The batches of one epoch (0, 1, ...): the same key and number give the same bytes."""
        generator = torch.Generator().manual_seed(seed_for(self.key, "order", number))
        order = torch.randperm(len(self.split), generator=generator)
        for start in range(0, len(self) * self.size, self.size):
            yield self._batch(order[start : start + self.size], generator, augment, number)

    def _batch(self, rows: Tensor, generator: torch.Generator, augment: bool, epoch: int) -> Batch:
        count = len(rows)
        hr = gather(self.split.images, rows)
        if augment:
            flips = self._flips(rows, generator, epoch)
            dy, dx = torch.randint(0, 2 * self.shift + 1, (2, count), generator=generator)
            hr = flip_and_shift(hr, flips, dy, dx, self.shift)
        pick = torch.randint(0, len(self.scales), (count,), generator=generator)
        scale = torch.tensor(self.scales)[pick]
        noise = torch.randint(0, 2**62, (count,), generator=generator)
        labels = torch.from_numpy(np.asarray(self.split.labels[rows.numpy()], dtype=np.int64))
        soft = (
            None
            if self.split.soft is None
            else torch.from_numpy(np.asarray(self.split.soft[rows.numpy()]))
        )
        return make_batch(hr, labels, scale, noise, self.protocol, soft, self.device)

    def _flips(self, rows: Tensor, generator: torch.Generator, epoch: int) -> Tensor:
        """Which of these faces are mirrored, bool [B] (see Preset.flips)."""
        if self.flips == "random":
            return torch.rand(len(rows), generator=generator) < 0.5
        first = torch.Generator().manual_seed(seed_for(self.key, "flips"))
        start = torch.randint(0, 2, (len(self.split),), generator=first)[rows]
        return (start + epoch) % 2 == 1


def make_batch(
    hr: Tensor,
    labels: Tensor,
    scale: Tensor,
    seeds: Tensor,
    protocol: Protocol,
    soft: Tensor | None,
    device: torch.device,
) -> Batch:
    """Degrade each face at its own scale and put the lot on the device."""
    parts = {}
    for value in sorted(set(scale.tolist())):
        chosen = scale == value
        faces = hr if bool(chosen.all()) else hr[chosen]
        parts[value] = protocol.apply(faces, value, seeds[chosen]).to(device)
    return Batch(
        hr=hr.to(device), label=labels.to(device), scale=scale.to(device), lr_parts=parts,
        soft=None if soft is None else soft.to(device),
    )  # fmt: skip


def gather(images: np.ndarray, rows: Tensor | Sequence[int]) -> Tensor:
    """Rows of a (memory-mapped) uint8 array as a tensor of its own."""
    return torch.from_numpy(np.ascontiguousarray(images[np.asarray(rows)]))
