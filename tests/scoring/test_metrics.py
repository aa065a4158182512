"""Metrics by hand, and against scikit-learn at the edges."""

import math
import warnings

import numpy as np
import pytest
from sklearn.metrics import (
    balanced_accuracy_score,
    confusion_matrix,
    f1_score,
    log_loss,
    recall_score,
)

from lrfer_bench.scoring.metrics import metrics, score


def one_hot(said, classes, height=4.0):
    logits = np.zeros((len(said), classes), dtype=np.float32)
    logits[np.arange(len(said)), said] = height
    return logits


def test_metrics_by_hand():
    truth = np.array([0, 0, 0, 1, 1, 2])
    said = np.array([0, 0, 1, 1, 2, 2])
    found = metrics(one_hot(said, 3), truth, 3)
    assert found.n == 6
    assert found.accuracy == pytest.approx(4 / 6)
    assert found.recall == pytest.approx([2 / 3, 1 / 2, 1.0])
    assert found.balanced_accuracy == pytest.approx((2 / 3 + 1 / 2 + 1) / 3)
    # F1: 2*2/(3+2), 2*1/(2+2), 2*1/(1+2)
    assert found.macro_f1 == pytest.approx((4 / 5 + 1 / 2 + 2 / 3) / 3)
    assert found.confusion == [[2, 1, 0], [0, 1, 1], [0, 0, 1]]
    top = math.exp(4) / (math.exp(4) + 2)
    assert found.nll == pytest.approx(-(4 * math.log(top) + 2 * math.log(top / math.exp(4))) / 6)
    # all confidences are in one bin, so the error is |4/6 - confidence|
    assert found.ece == pytest.approx(abs(4 / 6 - top))


def test_calibration_error_of_two_bins_by_hand():
    # two classes with probabilities 0.6 and 0.9: log-odds ln(1.5), ln(9)
    odds = np.array(
        [[math.log(1.5), 0], [math.log(1.5), 0], [math.log(9), 0], [math.log(9), 0]],
        dtype=np.float32,
    )
    found = metrics(odds, np.array([0, 1, 0, 0]), 2)
    # first bin: 2 images, half right at 0.6 (off by 0.1); second: both right at 0.9 (off by 0.1)
    assert found.ece == pytest.approx(0.1, abs=1e-6)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("missing", ["nothing", "truth", "said", "both"])
def test_agrees_with_scikit_learn_when_a_class_is_absent(seed, missing):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 5, 80)
    logits = rng.normal(0, 3, (80, 5)).astype(np.float32)
    if missing in ("truth", "both"):
        truth[truth == 3] = 1
    if missing in ("said", "both"):
        logits[:, 3] = -15
    said = logits.argmax(1)
    found = metrics(logits, truth, 5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert found.balanced_accuracy == pytest.approx(balanced_accuracy_score(truth, said))
    assert found.macro_f1 == pytest.approx(f1_score(truth, said, average="macro", zero_division=0))
    assert found.confusion == confusion_matrix(truth, said, labels=range(5)).tolist()
    softmax = np.exp(logits.astype(float)) / np.exp(logits.astype(float)).sum(1, keepdims=True)
    assert found.nll == pytest.approx(log_loss(truth, softmax, labels=list(range(5))))
    recalls = recall_score(truth, said, labels=range(5), average=None, zero_division=0)
    for k, recall in enumerate(found.recall):
        assert (recall is None) == (not (truth == k).any())
        assert recall is None or recall == pytest.approx(recalls[k])


def test_ties_go_to_the_lowest_index():
    found = metrics(np.zeros((2, 3), dtype=np.float32), np.array([0, 2]), 3)
    assert found.confusion == [[1, 0, 0], [0, 0, 0], [1, 0, 0]]
    assert found.recall == [1.0, None, 0.0]


def test_huge_logits_stay_finite():
    found = metrics(np.array([[3e38, -3e38], [-3e38, 3e38]], dtype=np.float32), np.array([0, 1]), 2)
    assert (found.nll, found.ece, found.accuracy) == (0.0, 0.0, 1.0)


def test_confidence_of_exactly_one_half_falls_into_the_bin_that_ends_there():
    found = metrics(np.zeros((4, 2), dtype=np.float32), np.array([0, 0, 0, 1]), 2)
    assert found.ece == pytest.approx(0.25)


def test_clean_part_leaves_out_the_leaked_rows():
    truth = np.array([0, 1, 1, 0])
    part = score(one_hot([0, 1, 0, 0], 2), truth, np.array([True, False, True, True]))
    assert (part.all.n, part.all.accuracy) == (4, 0.75)
    assert (part.clean.n, part.clean.accuracy) == (3, pytest.approx(2 / 3))
    assert part.clean.confusion == [[2, 0], [1, 0]]


def test_a_test_split_that_is_leaked_as_a_whole_has_an_empty_clean_part():
    part = score(one_hot([0, 1], 2), np.array([0, 1]), np.zeros(2, dtype=bool))
    assert part.clean.n == 0
    assert part.clean.recall == [None, None]
    assert part.clean.accuracy == part.clean.ece == 0.0


@pytest.mark.parametrize(
    ("logits", "labels", "words"),
    [
        ([[np.nan, 0.0], [0.0, 1.0]], [0, 1], "1 of 2 rows"),
        ([[np.inf, 0.0]], [0], "not finite"),
        ([[0.0, 1.0]], [2], "labels reach from 2 to 2"),
        ([[0.0, 1.0]], [-1], "labels reach"),
        ([[0.0, 1.0]], [0, 1], "give"),
        ([[0.0, 1.0]], [0.5], "integers"),
        ([0.0, 1.0], [0, 1], "give"),
    ],
)
def test_bad_input_is_refused(logits, labels, words):
    with pytest.raises(ValueError, match=words):
        metrics(np.array(logits, dtype=np.float32), np.array(labels), 2)


def test_wrong_number_of_classes_and_of_clean_marks_is_refused():
    with pytest.raises(ValueError, match="2 columns for 3 classes"):
        metrics(np.zeros((1, 2)), np.array([0]), 3)
    with pytest.raises(ValueError, match="clean has shape"):
        score(np.zeros((1, 2)), np.array([0]), np.array([True, True]))
