"""What each finished cell answered, image by image: all intervals and paired tests rest on it."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from lrfer_bench.errors import RecordError
from lrfer_bench.plugins.blame import without_paths
from lrfer_bench.reporting.frame import Result
from lrfer_bench.scoring.metrics import calibration_bins
from lrfer_bench.store.answers import Logits

UNREADABLE = (RecordError, ValueError, KeyError, OSError, zipfile.BadZipFile)
"""What trusted_logits() raises for logits that are missing, damaged or another cell's."""


@dataclass(frozen=True)
class Answers:
    """One cell's answers to N test images.

    correct, clean: bool [N]; labels: int64 [N]; labels and clean are the same array for all cells
    of one test set.
    calibration: float64 [3, 15], images, hits and summed confidence per bin; clean_calibration:
    the same without leaked rows.
    """

    correct: NDArray[np.bool_]
    labels: NDArray[np.int64]
    clean: NDArray[np.bool_]
    calibration: NDArray[np.float64]
    clean_calibration: NDArray[np.float64]


def read_answers(results: Iterable[Result]) -> tuple[dict[str, Answers], list[str]]:
    """Answers by record key, and a sentence for each cell that has none that can be trusted.

    Such a cell keeps its numbers, which stand in its record, but takes part in no interval and
    test.
    """
    found: dict[str, Answers] = {}
    problems: list[str] = []
    shared: dict[bytes, NDArray[np.generic]] = {}
    finished = [result for result in results if result.finished]
    for result in finished:
        try:
            found[result.record.key] = _answers(trusted_logits(result), shared)
        except UNREADABLE as error:
            problems.append(f"no interval for {result.record.stem}: {without_paths(str(error))}")
    problems += _drop_odd_ones(finished, found)
    return found, problems


def trusted_logits(result: Result) -> Logits:
    """The logits of a finished cell; one of UNREADABLE where they do not belong to its record."""
    raw = result.store.read_logits(result.record)
    accuracy = (raw.logits.astype(np.float64).argmax(axis=1) == raw.labels).mean()
    metrics = result.record.metrics
    if metrics is None or abs(accuracy - metrics.all.accuracy) > 1e-6:
        raise ValueError("its logits do not give the accuracy in its record; run the cell again")
    return raw


def _answers(raw: Logits, shared: dict[bytes, NDArray[np.generic]]) -> Answers:
    scores = raw.logits.astype(np.float64)
    correct = scores.argmax(axis=1) == raw.labels
    confidence = np.exp(log_softmax(scores, axis=1).max(axis=1))
    bins = np.stack(calibration_bins(confidence, correct))
    keep = raw.clean
    return Answers(
        correct,
        _intern(raw.labels, shared),  # type: ignore[arg-type]
        _intern(keep, shared),  # type: ignore[arg-type]
        bins,
        bins if keep.all() else np.stack(calibration_bins(confidence[keep], correct[keep])),
    )


class LeakFree:
    """Answers without the leaked rows; those of one test set share their labels, as before."""

    def __init__(self) -> None:
        self._masked: dict[tuple[int, int], tuple[NDArray[np.int64], NDArray[np.bool_]]] = {}

    def __call__(self, found: Answers) -> Answers:
        keep = found.clean
        masked = (found.labels[keep], keep[keep])
        labels, clean = self._masked.setdefault(_face(found), masked)
        bins = found.clean_calibration
        return Answers(found.correct[keep], labels, clean, bins, bins)


def _intern(
    array: NDArray[np.generic], shared: dict[bytes, NDArray[np.generic]]
) -> NDArray[np.generic]:
    """Thousands of cells carry the same labels: keep them once."""
    return shared.setdefault(array.dtype.str.encode() + array.tobytes(), array)


def _drop_odd_ones(results: list[Result], found: dict[str, Answers]) -> list[str]:
    """Drop cells that met other images than most cells of their data set, or in another order."""
    votes: dict[str, Counter[tuple[int, int]]] = {}
    for result in results:
        if result.record.key in found:
            face = _face(found[result.record.key])
            votes.setdefault(result.dataset, Counter())[face] += 1
    problems = []
    for result in results:
        key = result.record.key
        if key in found and _face(found[key]) != votes[result.dataset].most_common(1)[0][0]:
            del found[key]
            problems.append(
                f"no interval for {result.record.stem}: "
                "its test labels are not those of the other cells"
            )
    return problems


def _face(answers: Answers) -> tuple[int, int]:
    """Identity of a test set; labels and masks are interned, so their ids say it."""
    return id(answers.labels), id(answers.clean)
