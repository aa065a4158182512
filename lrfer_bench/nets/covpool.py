"""CovPoolNet: second-order pooling (Acharya et al., 2018), FSR-FER's feature extractor."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lrfer_bench.nets.classifiers import ClassifierNet
from lrfer_bench.pixels import NO_FLOAT64

SIDE = 100
LOWEST, HIGHEST = 1e-4, 1e4
RIDGE = 1e-4


class CovPoolNet(ClassifierNet):
    """Six convolutions, covariance pooling, BiMap, ReEig and LogEig, then linear layers.

    The linear layers have `hidden`, 128, K and K outputs. Images of any size are enlarged to
    100x100 and each made to have mean 0 and deviation 1. maps()[-1] is the 128x128 log-covariance
    map, float [B, 1, 128, 128].
    """

    feature_channels = 1

    def __init__(self, classes: int, channels: int, hidden: int = 2000) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            _conv(before, width)
            for before, width in (
                (channels, 64),
                (64, 96),
                (96, 128),
                (128, 128),
                (128, 256),
                (256, 256),
            )
        )
        self.bimap = nn.Parameter(nn.init.orthogonal_(torch.empty(256, 128)))
        self.hidden = nn.Sequential(
            nn.Linear(128 * 128, hidden, bias=False), nn.BatchNorm1d(hidden), nn.ReLU()
        )
        self.phi = nn.Sequential(nn.Linear(hidden, 128, bias=False), nn.BatchNorm1d(128))
        self.neck = nn.Sequential(
            nn.ReLU(), nn.Linear(128, classes, bias=False), nn.BatchNorm1d(classes)
        )
        self.logits = nn.Linear(classes, classes)

    def maps(self, images: Tensor) -> list[Tensor]:
        if tuple(images.shape[-2:]) != (SIDE, SIDE):
            images = F.interpolate(images, size=(SIDE, SIDE), mode="bicubic", antialias=True)
        x = whiten(images)
        maps = []
        for number, conv in enumerate(self.convs):
            x = conv(x)
            if number in (0, 1, 3):
                x = F.max_pool2d(x, 2)
            maps.append(x)
        spread = covariance(x)
        return [*maps, log_eigen(self.bimap.T @ spread @ self.bimap)[:, None]]

    def embedding(self, features: Tensor) -> Tensor:
        """phi: float [B, 128], before its ReLU."""
        return self.phi(self.hidden(features.flatten(1)))

    def bottleneck(self, features: Tensor) -> Tensor:
        """float [B, K], what FSR-FER's SVM is given."""
        return self.neck(self.embedding(features))

    def head(self, features: Tensor) -> Tensor:
        return self.logits(self.bottleneck(features))


def _conv(before: int, width: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(before, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)
    )


def whiten(images: Tensor) -> Tensor:
    """Each image minus its mean, divided by its deviation.

    Where 1/sqrt(pixels) is larger than the deviation, it is the divisor.
    """
    flat = images.flatten(1)
    floor = flat.shape[1] ** -0.5
    deviation = flat.std(1, correction=0).clamp_min(floor)
    return (images - flat.mean(1)[:, None, None, None]) / deviation[:, None, None, None]


def covariance(features: Tensor) -> Tensor:
    """[B, C, h, w] -> [B, C, C]: channel covariance over positions.

    1e-4 of its trace is added to the diagonal.
    """
    x = features.flatten(2)
    x = x - x.mean(2, keepdim=True)
    spread = x @ x.transpose(1, 2) / (x.shape[2] - 1)
    trace = spread.diagonal(dim1=1, dim2=2).sum(1)
    return spread + RIDGE * trace[:, None, None] * torch.eye(x.shape[1], device=x.device)


def log_eigen(matrices: Tensor) -> Tensor:
    """Symmetric [B, n, n] -> the same with each eigenvalue v replaced by log(clip(v, 1e-4, 1e4)):
    ReEig and LogEig.
    """
    if not (torch.is_grad_enabled() and matrices.requires_grad):
        return _log_eigen(matrices)[0]  # a function of Python has no place in an exported model
    return _LogEigen.apply(matrices)


def _log_eigen(matrices: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(the matrices of logs, eigenvalues, eigenvectors); the last two in double precision."""
    values, vectors = torch.linalg.eigh(_wide(matrices + matrices.transpose(1, 2)) / 2.0)
    logs = values.clamp(LOWEST, HIGHEST).log()
    found = vectors @ (logs[:, :, None] * vectors.transpose(1, 2))
    return found.to(matrices), values, vectors


def _wide(matrices: Tensor) -> Tensor:
    """In double precision, which one kind of GPU has not: there the processor takes over."""
    return (matrices.cpu() if matrices.device.type == NO_FLOAT64 else matrices).double()


class _LogEigen(torch.autograd.Function):
    """Backwards by divided differences (Daleckii and Krein).

    They stay finite where eigenvalues meet; torch's eigh does not. In double precision: of two
    eigenvalues that nearly meet, the logs' difference has too few digits in single.
    """

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, matrices: Tensor) -> Tensor:  # type: ignore[override]
        found, values, vectors = _log_eigen(matrices)
        ctx.save_for_backward(values, vectors)
        return found

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, slope: Tensor) -> Tensor:  # type: ignore[override]
        values, vectors = ctx.saved_tensors  # type: ignore[attr-defined]
        logs = values.clamp(LOWEST, HIGHEST).log()
        inside = ((values > LOWEST) & (values < HIGHEST)).to(values)
        gaps = values[:, :, None] - values[:, None, :]
        close = gaps.abs() <= 1e-6 * (values.abs()[:, :, None] + values.abs()[:, None, :]) + 1e-12
        differences = (logs[:, :, None] - logs[:, None, :]) / gaps.masked_fill(close, 1.0)
        slopes = inside / values.clamp(LOWEST, HIGHEST)
        middle = (slopes[:, :, None] + slopes[:, None, :]) / 2.0
        rates = torch.where(close, middle, differences)
        symmetric = _wide(slope + slope.transpose(1, 2)) / 2.0
        turned = vectors.transpose(1, 2) @ symmetric @ vectors
        return (vectors @ (rates * turned) @ vectors.transpose(1, 2)).to(slope)
