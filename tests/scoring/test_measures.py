"""The metrics of --metrics against scikit-learn, by hand, and at the edges."""

import math
import warnings

import numpy as np
import pytest
from scipy.special import softmax
from sklearn import metrics as sk

from lrfer_bench.scoring import measures
from lrfer_bench.scoring.metrics import metrics
from lrfer_bench.scoring.shown import Shown, shown_of

NAMES = (
    "accuracy", "balanced_accuracy", "macro_f1", "nll", "ece", "brier", "top2", "kappa", "auroc",
)  # fmt: skip


def number(name, logits, labels):
    return float(np.mean(getattr(measures, name)(logits, labels)))


def made(seed, images=120, classes=5, spread=2.0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, images)
    logits = rng.normal(0, spread, (images, classes))
    logits[np.arange(images), labels] += 1.5
    return logits, labels


def brier_by_sklearn(logits, labels):
    """Sum over the classes of the two-class scores, each a mean over images."""
    p = softmax(logits, axis=1)
    return sum(sk.brier_score_loss(labels == k, p[:, k]) for k in range(p.shape[1]))


def auroc_by_sklearn(logits, labels):
    """Mean over the classes in the test of the two-class area."""
    p = softmax(logits, axis=1)
    return np.mean([sk.roc_auc_score(labels == k, p[:, k]) for k in sorted(set(labels))])


SKLEARN = {
    "accuracy": lambda z, y: sk.accuracy_score(y, z.argmax(1)),
    "balanced_accuracy": lambda z, y: sk.balanced_accuracy_score(y, z.argmax(1)),
    "macro_f1": lambda z, y: sk.f1_score(y, z.argmax(1), average="macro"),
    "nll": lambda z, y: sk.log_loss(y, softmax(z, axis=1), labels=range(z.shape[1])),
    "brier": brier_by_sklearn,
    "top2": lambda z, y: sk.top_k_accuracy_score(y, z, k=2, labels=range(z.shape[1])),
    "kappa": lambda z, y: sk.cohen_kappa_score(y, z.argmax(1)),
    "auroc": auroc_by_sklearn,
}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("absent", [None, 0, 3])
@pytest.mark.parametrize("name", SKLEARN)
def test_agrees_with_scikit_learn(name, absent, seed):
    """Also where the test has no image of a class."""
    logits, labels = made(seed)
    if absent is not None:
        labels[labels == absent] = 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = SKLEARN[name](logits, labels)
    assert number(name, logits, labels) == pytest.approx(expected, rel=1e-10)


def test_auroc_is_scikit_learns_macro_average_where_all_classes_are_there():
    logits, labels = made(9)
    expected = sk.roc_auc_score(labels, softmax(logits, axis=1), multi_class="ovr", average="macro")
    assert measures.auroc(logits, labels) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_the_numbers_of_a_record_are_the_same(seed):
    logits, labels = made(seed)
    record = metrics(logits, labels, 5)
    for name in ("accuracy", "balanced_accuracy", "macro_f1", "nll", "ece"):
        assert number(name, logits, labels) == pytest.approx(getattr(record, name), abs=1e-15)


def test_brier_kappa_and_top2_by_hand():
    logits = np.log([[0.5, 0.3, 0.2], [0.2, 0.2, 0.6], [0.1, 0.5, 0.4]])
    labels = np.array([0, 1, 2])
    # 0.25 + 0.09 + 0.04; 0.04 + 0.64 + 0.36; 0.01 + 0.25 + 0.36
    assert measures.brier(logits, labels) == pytest.approx([0.38, 1.04, 0.62])
    # of the equal logits of image 2 the lowest index comes first, so its class 1 is third
    assert measures.top2(logits, labels).tolist() == [True, False, True]
    # said 0, 2, 1: agreement 1/3; by chance 3 * 1/9
    assert measures.kappa(logits, labels) == pytest.approx(0.0)


def test_ties_in_auroc_count_one_half():
    assert measures.auroc(np.zeros((6, 3)), np.array([0, 0, 1, 1, 2, 2])) == pytest.approx(0.5)


@pytest.mark.parametrize("name", NAMES)
def test_one_class_only_is_nan_or_a_number_but_no_error(name):
    logits, labels = np.array([[3.0, 0, 0], [2.0, 0, 0]]), np.zeros(2, dtype=np.int64)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = number(name, logits, labels)
    assert math.isnan(found) == (name in ("kappa", "auroc"))


@pytest.mark.parametrize("name", NAMES)
def test_no_image_is_no_error(name):
    found = getattr(measures, name)(np.zeros((0, 3)), np.zeros(0, dtype=np.int64))
    assert np.size(found) == 0 or math.isnan(found)


@pytest.mark.parametrize("name", NAMES)
def test_huge_logits_stay_finite(name):
    logits = np.array([[3e38, -3e38], [-3e38, 3e38], [3e38, -3e38]])
    assert math.isfinite(number(name, logits, np.array([0, 1, 1])))


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_the_images_does_not_matter(name):
    logits, labels = made(5)
    turned = number(name, logits[::-1], labels[::-1])
    assert number(name, logits, labels) == pytest.approx(turned, rel=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_every_metric_says_how_it_looks(name):
    look = shown_of(getattr(measures, name))
    assert look.head
    low, high = look.limits
    for seed in range(3):
        assert low <= number(name, *made(seed)) <= high


def test_a_function_that_says_nothing_has_the_defaults():
    assert shown_of(len) == Shown()
    assert Shown().limits == (-math.inf, math.inf)
    assert Shown(percent=True).limits == (0, 1)
