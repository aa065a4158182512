"""Losses, gates and networks' parts written a second time, in numpy and scipy.

Tests hold the program's against them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate
from torch import Tensor, nn

Array = NDArray[np.float64]


def number(value: Tensor) -> Array:
    """A tensor in double precision."""
    return value.detach().double().numpy()


def numbers(values: Sequence[Tensor]) -> list[Array]:
    return [number(value) for value in values]


def cos_distance(a: Array, b: Array) -> float:
    """1 - cos of two arrays of one sample."""
    return 1 - float((a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum()))


def mean_cos_distance(a: Array, b: Array) -> float:
    """The mean over the samples of two batches."""
    return float(np.mean([cos_distance(x, y) for x, y in zip(a, b, strict=True)]))


def softmax(x: Array) -> Array:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def cross_entropy(logits: Array, labels: NDArray[np.int64], smoothing: float) -> float:
    """-sum of target times log softmax; a share of each target is spread over all classes."""
    classes = logits.shape[1]
    target = (1 - smoothing) * np.eye(classes)[labels] + smoothing / classes
    return float(-(target * np.log(softmax(logits))).sum(1).mean())


def attention_transfer(ours: Sequence[Array], theirs: Sequence[Array]) -> float:
    """Sum over stages, mean over faces, of the distance of two maps.

    The maps are those of mean squares, each of length one.
    """
    total = 0.0
    for a, b in zip(ours, theirs, strict=True):
        for x, y in zip(a, b, strict=True):
            p, q = (x**2).mean(0).ravel(), (y**2).mean(0).ravel()
            total += float(np.linalg.norm(p / np.linalg.norm(p) - q / np.linalg.norm(q))) / len(a)
    return total


def kl(reference: Array, logits: Array) -> float:
    """KL(softmax(reference) || softmax(logits)), mean over the batch."""
    p, q = softmax(reference), softmax(logits)
    return float((p * np.log(p / q)).sum(1).mean())


def attention_error(ours: Sequence[Array], theirs: Sequence[Array]) -> float:
    """Mean over stages of the mean squared difference of maps of mean squares, of length one."""
    errors = []
    for a, b in zip(ours, theirs, strict=True):
        p, q = ((m**2).mean(1).reshape(len(m), -1) for m in (a, b))
        p, q = (m / np.linalg.norm(m, axis=1, keepdims=True) for m in (p, q))
        errors.append(((p - q) ** 2).mean())
    return float(np.mean(errors))


def decoupled(logits: Array, reference: Array, labels: NDArray[np.int64], t: float) -> list[float]:
    """DKD's two divergences, mean over faces: true class or not, and among the others."""
    sums = [0.0, 0.0]
    for said, wanted, label in zip(logits, reference, labels, strict=True):
        p, q = softmax(wanted / t), softmax(said / t)
        true, others = p[label], q[label]
        sums[0] += true * np.log(true / others)
        sums[0] += (1 - true) * np.log((1 - true) / (1 - others))
        p, q = np.delete(p, label), np.delete(q, label)
        p, q = p / p.sum(), q / q.sum()
        sums[1] += (p * np.log(p / q)).sum()
    return [float(value) / len(logits) for value in sums]


def affinity(a: Array, b: Array) -> Array:
    """Inner products of all positions of two maps [C, h, w], each map of length one."""
    a, b = (m.reshape(len(m), -1) / np.linalg.norm(m) for m in (a, b))
    return a.T @ b


def relation(low: Array, high: Array, partner: Sequence[int]) -> float:
    """F-SKD's cross-sample term, a pair at a time; nobody is paired with itself."""
    terms = []
    for i, j in enumerate(partner):
        if i == j:
            continue
        hh, hl = affinity(high[i], high[j]), affinity(high[i], low[j])
        lh, ll = affinity(low[i], high[j]), affinity(low[i], low[j])
        terms.append((cos_distance(hh, hl) + cos_distance(hh, lh)) / 2 + cos_distance(hh, ll))
    return float(np.mean(terms)) if terms else 0.0


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def conv(x: Array, module: nn.Module, groups: int = 1) -> Array:
    """A convolution of odd kernel that keeps the size, [B, C, h, w], from the module's weights."""
    weight = number(module.weight)  # type: ignore[arg-type]
    kernel = weight.shape[-1]
    offset = np.zeros(len(weight)) if module.bias is None else number(module.bias)  # type: ignore[arg-type]
    inputs, outputs = x.shape[1] // groups, len(weight) // groups
    made = np.zeros((len(x), len(weight), *x.shape[2:]))
    for b in range(len(x)):
        for o in range(len(weight)):
            first = o // outputs * inputs
            for c in range(inputs):
                taps = weight[o, c].reshape(kernel, kernel)
                made[b, o] += correlate(x[b, first + c], taps, mode="constant")
            made[b, o] += offset[o]
    return made


def batch_norm(x: Array, module: nn.BatchNorm2d) -> Array:
    """With the running statistics, as in a test."""
    mean, variance = number(module.running_mean), number(module.running_var)  # type: ignore[arg-type]
    scale, offset = number(module.weight), number(module.bias)
    shape = (1, -1, 1, 1)
    normal = (x - mean.reshape(shape)) / np.sqrt(variance.reshape(shape) + module.eps)
    return normal * scale.reshape(shape) + offset.reshape(shape)
