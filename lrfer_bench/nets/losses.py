"""Losses that several methods share, a few lines each, with their sources beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def same_size(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Two maps [B, C, h, w] at one size: the larger is averaged to the smaller, an axis at a time.

    Student and teacher may see faces of other sizes; maps of one size are left as they are.
    """
    size = (min(a.shape[2], b.shape[2]), min(a.shape[3], b.shape[3]))
    return _averaged(a, size), _averaged(b, size)


def _averaged(m: Tensor, size: tuple[int, int]) -> Tensor:
    return m if tuple(m.shape[2:]) == size else F.adaptive_avg_pool2d(m, size)


def same_sizes(
    student: Sequence[Tensor], teacher: Sequence[Tensor]
) -> Iterator[tuple[Tensor, Tensor]]:
    """Pairs of maps, of which both sides have equally many, each pair at one size."""
    return (same_size(s, t) for s, t in zip(student, teacher, strict=True))


def cosine_distance(a: Tensor, b: Tensor) -> Tensor:
    """1 - cos between the flattened rows of two tensors [B, ...]: float [B]."""
    return 1.0 - F.cosine_similarity(a.flatten(1), b.flatten(1), dim=1, eps=1e-8)


def attention_similarity(student: Sequence[Tensor], teacher: Sequence[Tensor]) -> Tensor:
    """A-SKD (Shin et al., 2022): 1 - cos between attention maps, before the sigmoid.

    The sum over the maps of the batch mean.
    """
    return torch.stack(
        [cosine_distance(s, t).mean() for s, t in same_sizes(student, teacher)]
    ).sum()


def feature_similarity(student: Sequence[Tensor], teacher: Sequence[Tensor]) -> Tensor:
    """F-SKD (Shin et al., 2023): 1 - cos between whole feature maps.

    The mean over stages of the batch mean.
    """
    return torch.stack(
        [cosine_distance(s, t).mean() for s, t in same_sizes(student, teacher)]
    ).mean()


def attention_map(features: Tensor) -> Tensor:
    """Feature map [B, C, h, w] -> [B, h*w], of length 1 (Zagoruyko & Komodakis, 2017).

    It is the mean over channels of the squares.
    """
    return F.normalize(features.square().mean(1).flatten(1), dim=1)


def attention_transfer(features: Sequence[Tensor], reference: Sequence[Tensor]) -> Tensor:
    """The sum over stages of the batch mean of the Euclidean distance between attention maps."""
    pairs = same_sizes(features, reference)
    return torch.stack(
        [(attention_map(f) - attention_map(r)).norm(dim=1).mean() for f, r in pairs]
    ).sum()


def attention_error(features: Sequence[Tensor], reference: Sequence[Tensor]) -> Tensor:
    """The mean over stages of the mean squared error of attention maps, as F-SKD's code has AT."""
    pairs = same_sizes(features, reference)
    return torch.stack([F.mse_loss(attention_map(f), attention_map(r)) for f, r in pairs]).mean()


def hint_error(student: Sequence[Tensor], teacher: Sequence[Tensor]) -> Tensor:
    """FitNets' hints (Romero et al., 2015): the mean over stages of the mean squared error."""
    return torch.stack([F.mse_loss(s, t) for s, t in same_sizes(student, teacher)]).mean()


def centred_on_batch(maps: Sequence[Tensor]) -> list[Tensor]:
    """Each entry of each map [B, ...] without its mean over the batch."""
    return [m - m.mean(0, keepdim=True) for m in maps]


def prediction_consistency(logits: Tensor, reference: Tensor) -> Tensor:
    """KL(reference || logits) between the two softmax outputs, batch mean.

    The reference says where mistakes count.
    """
    return F.kl_div(
        F.log_softmax(logits, 1),
        F.log_softmax(reference, 1),
        reduction="batchmean",
        log_target=True,
    )


def distillation(logits: Tensor, reference: Tensor, temperature: float) -> Tensor:
    """T^2 KL(reference || logits) of softmax at temperature T (Hinton et al., 2015), batch mean.

    logits, reference: float [B, K]
    """
    return temperature**2 * prediction_consistency(logits / temperature, reference / temperature)


def decoupled_distillation(
    logits: Tensor,
    reference: Tensor,
    labels: Tensor,
    temperature: float,
    weights: tuple[float, float],
) -> Tensor:
    """DKD (Zhao et al., 2022): T^2 (alpha KL of true or not + beta KL of the others), batch mean.

    logits, reference: float [B, K]; labels: int64 [B]; weights: (alpha, beta)
    """
    true = F.one_hot(labels, logits.shape[1]).bool()
    said, wanted = logits / temperature, reference / temperature
    target = F.kl_div(
        _true_or_not(said, true), _true_or_not(wanted, true), reduction="batchmean", log_target=True
    )
    rows = (len(labels), logits.shape[1] - 1)
    others = prediction_consistency(said[~true].view(rows), wanted[~true].view(rows))
    return temperature**2 * (weights[0] * target + weights[1] * others)


def _true_or_not(logits: Tensor, true: Tensor) -> Tensor:
    """Log-probabilities [B, 2] of the true class and of all others together."""
    log = F.log_softmax(logits, 1)
    parts = (log.masked_fill(~true, -torch.inf), log.masked_fill(true, -torch.inf))
    return torch.stack([part.logsumexp(1) for part in parts], 1)


def same_class_partner(labels: Tensor) -> Tensor:
    """For each sample the next one of its class in the batch (round the end): int64 [B].

    A sample that is the only one of its class is its own partner.
    """
    count = len(labels)
    places = torch.arange(count, device=labels.device)
    steps = (places[None, :] - places[:, None] - 1) % count
    return steps.masked_fill(labels[None, :] != labels[:, None], count).argmin(1)


def affinity(a: Tensor, b: Tensor) -> Tensor:
    """Inner products of all positions of a with all of b, [B, C, h, w] each: float [B, h*w, h*w].

    Each map is brought to length 1 as a whole, so a position with much to say counts for more.
    """
    return _of_length_one(a).transpose(1, 2) @ _of_length_one(b)


def _of_length_one(m: Tensor) -> Tensor:
    """[B, C, h, w] -> [B, C, h*w], each sample divided by its Euclidean length."""
    return F.normalize(m.flatten(1), dim=1).unflatten(1, (m.shape[1], -1))


def relation(low: Tensor, high: Tensor, partner: Tensor) -> Tensor:
    """F-SKD's cross-sample relation loss between feature maps [B, C, h, w] of LR and HR faces.

    LR faces are the student's, HR faces the teacher's. With R_XY the affinity of a sample's X map
    and its partner's Y map: (d(R_HH, R_HL) + d(R_HH, R_LH)) / 2 + d(R_HH, R_LL), where d is 1 -
    cos. The mean is over those that have a partner: a sample that is its own drops out; 0 where
    nobody has one.
    """
    low, high = same_size(low, high)
    paired = (partner != torch.arange(len(partner), device=partner.device)).to(low.dtype)
    target = affinity(high, high[partner])
    mixed = cosine_distance(target, affinity(high, low[partner])) + cosine_distance(
        target, affinity(low, high[partner])
    )
    distance = mixed / 2.0 + cosine_distance(target, affinity(low, low[partner]))
    return (distance * paired).sum() / paired.sum().clamp_min(1.0)


def classification_weight(logits: Tensor, labels: Tensor) -> Tensor:
    """FSR-FER's (1.5 - p)^2 with p the softmax probability of the true class: float [B].

    Gradients flow through it.
    """
    return (1.5 - F.softmax(logits, 1).gather(1, labels[:, None])[:, 0]).square()


def squared_distance(a: Tensor, b: Tensor) -> Tensor:
    """The squared Euclidean distance between the rows of two tensors [B, ...]: float [B]."""
    return (a - b).square().flatten(1).sum(1)


def gradient_penalty(
    critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, mix: Tensor, power: float
) -> Tensor:
    """WGAN-div (Wu et al., 2018): the mean of |grad critic|^power at real + mix * (fake - real).

    mix: float [B] in 0..1.
    """
    shape = (-1, *[1] * (real.ndim - 1))
    points = (real + mix.reshape(shape) * (fake - real)).detach().requires_grad_(True)
    (slope,) = torch.autograd.grad(critic(points).sum(), points, create_graph=True)
    return slope.square().flatten(1).sum(1).pow(power / 2.0).mean()
