"""The metrics that a report can be asked for (--metrics): functions of logits and labels.

Each takes logits, float [N, K], and labels, int [N] in 0..K-1. It returns one number; or one number
an image, [N], where the metric is their mean: such a mean is resampled much faster. NaN means "not
defined for these images". Probabilities are softmax(logits). The class said is the one with the
highest logit; of equal logits, the one with the lowest index.
"""

from __future__ import annotations

from math import inf

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, softmax
from scipy.stats import rankdata

from lrfer_bench.scoring.metrics import (
    confusion_matrix,
    expected_calibration_error,
    mean_f1,
    mean_recall,
)
from lrfer_bench.scoring.shown import shown

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]


@shown(head="Accuracy", percent=True)
def accuracy(logits: Floats, labels: Labels) -> NDArray[np.bool_]:
    """Share of images whose class is said."""
    return np.asarray(logits.argmax(axis=1) == labels)


@shown(head="Bal. acc.", percent=True)
def balanced_accuracy(logits: Floats, labels: Labels) -> float:
    """Mean recall over the classes that the labels contain."""
    return mean_recall(_confusion(logits, labels)) if len(labels) else float("nan")


@shown(head="Macro-F1", percent=True)
def macro_f1(logits: Floats, labels: Labels) -> float:
    """Mean F1 over the classes that are true or said at least once."""
    return mean_f1(_confusion(logits, labels)) if len(labels) else float("nan")


@shown(head="NLL", better="lower", bounds=(0, inf))
def nll(logits: Floats, labels: Labels) -> Floats:
    """Mean of -log of the true class's probability, in nats."""
    return np.asarray(-log_softmax(logits, axis=1)[np.arange(len(labels)), labels])


@shown(head="ECE", better="lower", bounds=(0, 1))
def ece(logits: Floats, labels: Labels) -> float:
    """Expected calibration error over 15 equal-width bins (Guo et al., 2017)."""
    if not len(labels):
        return float("nan")
    confidence = np.exp(log_softmax(logits, axis=1).max(axis=1))
    return expected_calibration_error(confidence, logits.argmax(axis=1) == labels)


@shown(head="Brier", better="lower", bounds=(0, 2))
def brier(logits: Floats, labels: Labels) -> Floats:
    """Brier score (1950) of several classes: mean of the summed squared errors, 0 to 2."""
    errors = softmax(logits, axis=1)
    errors[np.arange(len(labels)), labels] -= 1
    return np.asarray(np.square(errors).sum(axis=1))


@shown(head="Top-2", percent=True)
def top2(logits: Floats, labels: Labels) -> NDArray[np.bool_]:
    """Share of images whose class is one of the two with the highest logits."""
    order = np.argsort(-logits, axis=1, kind="stable")[:, :2]
    return np.asarray((order == labels[:, None]).any(axis=1))


@shown(head="Kappa", bounds=(-1, 1))
def kappa(logits: Floats, labels: Labels) -> float:
    """Cohen's kappa (1960): agreement beyond chance.

    NaN where one class is the only one, true and said.
    """
    matrix = _confusion(logits, labels).astype(np.float64)
    total = max(len(labels), 1)
    by_chance = float(matrix.sum(axis=0) @ matrix.sum(axis=1)) / total**2
    if not len(labels) or by_chance == 1:
        return float("nan")
    return (float(np.trace(matrix)) / total - by_chance) / (1 - by_chance)


@shown(head="AUROC", bounds=(0, 1))
def auroc(logits: Floats, labels: Labels) -> float:
    """Area under the ROC curve of each class against the rest, mean over the classes in the test.

    From the Mann-Whitney statistic, so that ties count one half; a class is scored by its
    probability. NaN where only one class is in the test.
    """
    # Log probabilities have the ranks of probabilities, but small ones do not all become 0.
    ranks = rankdata(log_softmax(logits, axis=1), axis=0) if len(labels) else logits
    counts = np.bincount(labels, minlength=logits.shape[1])
    found = []
    for k in np.flatnonzero((counts > 0) & (counts < len(labels))):
        own, others = int(counts[k]), len(labels) - int(counts[k])
        above = float(ranks[labels == k, k].sum()) - own * (own + 1) / 2
        found.append(above / (own * others))
    return float(np.mean(found)) if found else float("nan")


def _confusion(logits: Floats, labels: Labels) -> Labels:
    return confusion_matrix(labels, logits.argmax(axis=1), logits.shape[1])
