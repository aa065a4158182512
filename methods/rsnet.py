"""RS-Net: one network for all sizes, with batch norms for each; large ones teach small ones."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from lrfer_bench.api import Batch, LogUniform, Task, UserError, losses, register_method
from lrfer_bench.methods.stages import Classifier


@register_method("rsnet")
class RSNet(Classifier):
    """Cross-entropy at each size, and KL to each from the ensemble of sizes and from larger ones.

    A step sees each face at HR and at the size that was drawn for it.
    kd_weight: weight of the KL terms; 0 leaves the shared convolutions and the norms a size.
    weights: start from this file (.pth, .bin, .safetensors, ...), all but the head
    """

    trains = "all scales"
    with_hr = True
    search = {"kd_weight": LogUniform(0.1, 10.0)}

    def __init__(self, task: Task, *, kd_weight: float = 1.0, weights: str = "") -> None:
        super().__init__(task, weights=weights)
        self.kd_weight = kd_weight
        self.sizes = tuple(sorted({1, *task.scales}))
        norms_a_size(self.net, len(self.sizes))
        self.ensemble = Ensemble(len(self.sizes))

    @classmethod
    def notes_for(cls, settings: Mapping[str, Any], task: Task) -> list[str]:
        """What was taken of its weights; UserError for a network without batch norms."""
        notes = super().notes_for(settings, task)
        if not any(isinstance(part, NormASize) for part in cls(task, **settings).modules()):
            raise UserError(
                f"rsnet has batch norms for each size, and the classifier of {task.preset.id}, "
                f"{task.preset.classifier}, has none: give the preset one that has"
            )
        return notes

    def at(self, scale: int, images: Tensor) -> Tensor:
        """Logits of enlarged faces of one scale, under that scale's norms."""
        for module in self.net.modules():
            if isinstance(module, NormASize):
                module.now = self.sizes.index(scale)
        return self.net(images)

    def forward(self, lr: Tensor) -> Tensor:
        """Under the norms of the training scale whose LR faces are nearest in height."""
        height = self.task.size[0]
        scale = min(self.sizes, key=lambda size: abs(-(-height // size) - lr.shape[2]))
        return self.at(scale, self.enlarge(lr))

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        large = self.at(1, self.unit(batch.hr))
        terms = {"ce": self.cross_entropy(large, batch)}
        small = {s: self.at(s, self.enlarge(lr)) for s, lr in batch.lr_parts.items() if s != 1}
        if not small:
            return terms
        placed = batch.places()
        of = {scale: placed[scale] for scale in small}
        rows = torch.cat(list(of.values()))
        large = large[rows]
        logits = torch.cat(list(small.values()))
        places = torch.cat([torch.full_like(batch.label[of[s]], self.sizes.index(s)) for s in of])
        terms["ce_small"] = self.cross_entropy(logits, batch, rows)
        if self.kd_weight:
            mixed = self.ensemble(large.detach(), logits.detach(), places)
            terms["ensemble"] = self.cross_entropy(mixed, batch, rows)
            terms["kd"] = self.kd_weight * teaching([large, logits], mixed.detach())
        return terms


def teaching(logits: list[Tensor], ensemble: Tensor) -> Tensor:
    """2 / (n + 1) times the sum of KL to each of n sizes from the ensemble and from larger sizes.

    logits: float [B, K] each, the largest size first; ensemble: float [B, K].
    No gradient reaches the side that teaches.
    """
    terms = [losses.prediction_consistency(said, ensemble) for said in logits]
    for place, said in enumerate(logits):
        terms += [losses.prediction_consistency(said, larger.detach()) for larger in logits[:place]]
    return 2 / (len(logits) + 1) * torch.stack(terms).sum()


class Ensemble(nn.Module):
    """A weight for each size, which nothing but the ensemble's own cross-entropy moves."""

    def __init__(self, sizes: int) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.ones(sizes))

    def forward(self, large: Tensor, small: Tensor, places: Tensor) -> Tensor:
        """The sum of both logits, weighed by softmax over the numbers of both sizes: float [B, K].

        large, small: float [B, K], at the largest size and at another; places: int64 [B], which one
        """
        both = torch.stack([self.alpha[0].expand(len(places)), self.alpha[places]], 1)
        weight = both.softmax(1)
        return weight[:, :1] * large + weight[:, 1:] * small


class NormASize(nn.Module):
    """As many copies of a batch norm as there are sizes; `now` is the one in use."""

    def __init__(self, norm: nn.Module, sizes: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(copy.deepcopy(norm) for _ in range(sizes))
        self.now = 0

    def forward(self, x: Tensor) -> Tensor:
        norm = self.norms[self.now]
        if (
            norm.training and x[:, 0].numel() == 1
        ):  # one value has no variance: a lone face, pooled to one position
            made = norm.eval()(x)
            norm.train()
            return made
        return norm(x)


def norms_a_size(net: nn.Module, sizes: int) -> None:
    """Put a NormASize in the place of every batch norm of a network."""
    for name, child in net.named_children():
        if isinstance(child, nn.BatchNorm2d):
            setattr(net, name, NormASize(child, sizes))
        else:
            norms_a_size(child, sizes)
