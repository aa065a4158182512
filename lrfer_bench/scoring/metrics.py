"""The metrics that stand in a record, from a cell's test logits; float64 throughout."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_softmax

from lrfer_bench.scoring.parts import Metrics, MetricsPart

ECE_BINS = 15


def score(logits: ArrayLike, labels: ArrayLike, clean: ArrayLike) -> MetricsPart:
    """Metrics of the whole test split, and of its rows that do not also stand in train.

    logits: float [N, K]; labels: int [N] in 0..K-1; clean: bool [N], False marks a leaked row.
    ValueError on shapes that do not fit, NaN or infinite logits, or labels outside 0..K-1.
    """
    scores, truth = _checked(logits, labels)
    keep = np.asarray(clean, dtype=bool)
    if keep.shape != truth.shape:
        raise ValueError(f"clean has shape {keep.shape}, labels have {truth.shape}")
    classes = scores.shape[1]
    whole = metrics(scores, truth, classes)
    return MetricsPart(
        all=whole, clean=whole if keep.all() else metrics(scores[keep], truth[keep], classes)
    )


def metrics(logits: ArrayLike, labels: ArrayLike, classes: int) -> Metrics:
    """Metrics of logits [N, classes] against labels [N]; of no images: n 0 and every number 0.

    accuracy           share of images whose highest logit is the label; equal logits: the
                       lowest class index
    balanced_accuracy  mean recall over the classes that the labels contain (as scikit-learn's
                       balanced_accuracy_score)
    macro_f1           mean F1 over the classes in labels or predictions (as scikit-learn's
                       f1_score, average="macro"); F1 is 2 TP / (2 TP + FP + FN), 0 for a
                       class never hit
    nll                mean of -log softmax(logits)[label], in nats
    ece                expected calibration error: 15 equal-width bins (low, high] of the top
                       class's probability (Guo et al., 2017, arXiv:1706.04599, equation 3)
    """
    scores, truth = _checked(logits, labels)
    if scores.shape[1] != classes:
        raise ValueError(f"logits have {scores.shape[1]} columns for {classes} classes")
    said = scores.argmax(axis=1)
    matrix = confusion_matrix(truth, said, classes)
    total = len(truth)
    hits, present = np.diag(matrix), matrix.sum(axis=1)
    logs = log_softmax(scores, axis=1)
    return Metrics(
        n=total,
        accuracy=float(hits.sum() / total) if total else 0.0,
        balanced_accuracy=mean_recall(matrix),
        macro_f1=mean_f1(matrix),
        nll=float(-logs[np.arange(total), truth].mean()) if total else 0.0,
        ece=expected_calibration_error(np.exp(logs.max(axis=1)), said == truth),
        recall=[
            float(hit / count) if count else None for hit, count in zip(hits, present, strict=True)
        ],
        confusion=matrix.tolist(),
    )


def confusion_matrix(
    truth: NDArray[np.int64], said: NDArray[np.int64], classes: int
) -> NDArray[np.int64]:
    """Counts [classes, classes]: row is the true class, column the class said."""
    return np.bincount(truth * classes + said, minlength=classes * classes).reshape(
        classes, classes
    )


def mean_recall(matrix: NDArray[np.int64]) -> float:
    """Mean recall over the classes with an image; matrix: confusion [K, K]; 0 for no image."""
    hits, present = np.diag(matrix), matrix.sum(axis=1)
    seen = present > 0
    return float((hits[seen] / present[seen]).mean()) if seen.any() else 0.0


def mean_f1(matrix: NDArray[np.int64]) -> float:
    """Mean F1 over the classes that are true or said at least once; matrix: confusion [K, K]."""
    hits, support = np.diag(matrix), matrix.sum(axis=1) + matrix.sum(axis=0)
    met = support > 0
    return float((2 * hits[met] / support[met]).mean()) if met.any() else 0.0


def expected_calibration_error(
    confidence: NDArray[np.float64], correct: NDArray[np.bool_], bins: int = ECE_BINS
) -> float:
    """Mean over images of |accuracy - mean confidence| of the image's bin."""
    if not len(confidence):
        return 0.0
    _, hits, mass = calibration_bins(confidence, correct, bins)
    return float(np.abs(hits - mass).sum() / len(confidence))


def calibration_bins(
    confidence: NDArray[np.float64], correct: NDArray[np.bool_], bins: int = ECE_BINS
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Images, hits and summed confidence of equal-width bins (low, high]; float64 [bins] each."""
    place = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    return (
        np.bincount(place, minlength=bins).astype(np.float64),
        np.bincount(place, weights=correct, minlength=bins).astype(np.float64),
        np.bincount(place, weights=confidence, minlength=bins).astype(np.float64),
    )


def _checked(logits: ArrayLike, labels: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    scores = np.asarray(logits, dtype=np.float64)
    truth = np.asarray(labels)
    if scores.ndim != 2 or scores.shape[1] < 1 or truth.shape != scores.shape[:1]:
        raise ValueError(
            f"logits have shape {scores.shape} and labels {truth.shape}: give [N, K] and [N]"
        )
    if not np.isfinite(scores).all():
        bad = int((~np.isfinite(scores)).any(axis=1).sum())
        raise ValueError(f"{bad} of {len(scores)} rows of logits are not finite")
    if not np.issubdtype(truth.dtype, np.integer):
        raise ValueError(f"labels are {truth.dtype}: give integers")
    if len(truth) and (truth.min() < 0 or truth.max() >= scores.shape[1]):
        raise ValueError(
            f"labels reach from {truth.min()} to {truth.max()} for {scores.shape[1]} classes"
        )
    return scores, truth.astype(np.int64)
