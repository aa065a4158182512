"""Training batches: faces in a seeded order, augmented at HR, then degraded.

So HR and LR show the same picture. A GPU gets the same bytes as the processor does: all that is
random is drawn on the processor. Protocols that compute exactly (Protocol.same_on_gpu) work on the
GPU, the others on the processor, by threads that are ahead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from lrfer_bench.contract.faceset import Split
from lrfer_bench.contract.method import Batch
from lrfer_bench.contract.protocol import Protocol
from lrfer_bench.keys import seed_for
from lrfer_bench.pixels import flip_and_shift
from lrfer_bench.training.ahead import made_ahead

CPU = torch.device("cpu")
MOST_ON_GPU = 1 << 30
"""Bytes of faces that a GPU holds for a training; of larger sets each batch is sent."""


@dataclass(frozen=True)
class _Draw:
    """All that is random in a batch; every tensor has one entry for each face."""

    rows: Tensor
    flips: Tensor | None
    dy: Tensor
    dx: Tensor
    scale: Tensor
    seeds: Tensor


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
        draws = self._draws(number, augment)
        if self._works_on == self.device:
            return map(self._batch, draws)
        return made_ahead(self._batch, draws)

    @property
    def _works_on(self) -> torch.device:
        """Where faces are augmented and degraded."""
        return self.device if self.protocol.same_on_gpu else CPU

    @cached_property
    def _faces_on_gpu(self) -> Tensor | None:
        """All images of the split, where they are worked on by a GPU that has room for them."""
        images = self.split.images
        if self._works_on.type == "cpu" or images.nbytes > MOST_ON_GPU:
            return None
        return gather(images, range(len(images))).to(self.device)

    def _draws(self, number: int, augment: bool) -> Iterator[_Draw]:
        generator = torch.Generator().manual_seed(seed_for(self.key, "order", number))
        order = torch.randperm(len(self.split), generator=generator)
        for start in range(0, len(self) * self.size, self.size):
            rows = order[start : start + self.size]
            yield self._draw(rows, generator, augment, number)

    def _draw(self, rows: Tensor, generator: torch.Generator, augment: bool, epoch: int) -> _Draw:
        count, flips = len(rows), None
        dy = dx = torch.zeros(count, dtype=torch.int64)
        if augment:
            flips = self._flips(rows, generator, epoch)
            dy, dx = torch.randint(0, 2 * self.shift + 1, (2, count), generator=generator)
        pick = torch.randint(0, len(self.scales), (count,), generator=generator)
        scale = torch.tensor(self.scales)[pick]
        seeds = torch.randint(0, 2**62, (count,), generator=generator)
        return _Draw(rows, flips, dy, dx, scale, seeds)

    def _batch(self, draw: _Draw) -> Batch:
        where, rows, held = self._works_on, draw.rows, self._faces_on_gpu
        there = sent(rows if held is not None else gather(self.split.images, rows), where)
        hr = there if held is None else held[there]
        if draw.flips is not None:
            flips, dy, dx = (sent(each, where) for each in (draw.flips, draw.dy, draw.dx))
            hr = flip_and_shift(hr, flips, dy, dx, self.shift)
        labels = torch.from_numpy(np.asarray(self.split.labels[rows.numpy()], dtype=np.int64))
        soft = (
            None
            if self.split.soft is None
            else torch.from_numpy(np.asarray(self.split.soft[rows.numpy()]))
        )
        return make_batch(hr, labels, draw.scale, draw.seeds, self.protocol, soft, self.device)

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
    """Degrade each face at its own scale, where hr is, and put the lot on the device.

    scale, seeds: int64 [B], on the CPU
    """
    parts = {}
    for value in sorted(set(scale.tolist())):
        chosen = (scale == value).nonzero()[:, 0]
        faces = hr if len(chosen) == len(hr) else hr[sent(chosen, hr.device)]
        parts[value] = sent(protocol.apply(faces, value, seeds[chosen]), device)
    return Batch(
        hr=sent(hr, device), label=sent(labels, device), scale=sent(scale, device), lr_parts=parts,
        soft=None if soft is None else sent(soft, device),
    )  # fmt: skip


def sent(tensor: Tensor, device: torch.device) -> Tensor:
    """A tensor on a device. An NVIDIA GPU takes it in its turn: nothing waits for what it does."""
    return tensor.to(device, non_blocking=device.type == "cuda")


def gather(images: np.ndarray, rows: Tensor | Sequence[int]) -> Tensor:
    """Rows of a (memory-mapped) uint8 array as a tensor of its own."""
    return torch.from_numpy(np.ascontiguousarray(images[np.asarray(rows)]))
