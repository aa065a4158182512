"""What each finished cell answered, image by image: the raw material of every interval and paired test."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from lrfer_bench.errors import RecordError
from lrfer_bench.reporting.frame import Cell
from lrfer_bench.scoring.metrics import calibration_bins
from lrfer_bench.store.store import Logits


@dataclass(frozen=True)
class Answers:
    """correct, clean: bool [N]; said: uint8 or int64 [N]; labels: int64 [N] (shared between cells of one test set);
    calibration: float64 [3, 15], images, hits and summed confidence per bin."""

    correct: NDArray[np.bool_]
    said: NDArray[np.integer]
    labels: NDArray[np.int64]
    clean: NDArray[np.bool_]
    calibration: NDArray[np.float64]


def read_answers(cells: Iterable[Cell]) -> tuple[dict[str, Answers], list[str]]:
    """Answers by record key, and a sentence for each cell that has none that can be trusted.

    Such a cell keeps its numbers, which stand in its record, but takes part in no interval and no test.
    """
    found: dict[str, Answers] = {}
    problems: list[str] = []
    shared: dict[bytes, NDArray[np.generic]] = {}
    finished = [cell for cell in cells if cell.finished]
    for cell in finished:
        try:
            found[cell.record.key] = _answers(cell, shared)
        except (RecordError, ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
            problems.append(f"no interval for {cell.record.stem}: {error}")
    problems += _drop_odd_ones(finished, found)
    return found, problems


def _answers(cell: Cell, shared: dict[bytes, NDArray[np.generic]]) -> Answers:
    raw: Logits = cell.store.read_logits(cell.record)
    scores = raw.logits.astype(np.float64)
    said = scores.argmax(axis=1)
    correct = said == raw.labels
    if cell.record.metrics is None or abs(correct.mean() - cell.record.metrics.all.accuracy) > 1e-6:
        raise ValueError("its logits do not give the accuracy in its record; run the cell again")
    confidence = np.exp(log_softmax(scores, axis=1).max(axis=1))
    return Answers(
        correct,
        said.astype(np.uint8) if scores.shape[1] <= 256 else said,
        _intern(raw.labels, shared),  # type: ignore[arg-type]
        _intern(raw.clean, shared),  # type: ignore[arg-type]
        np.stack(calibration_bins(confidence, correct)),
    )


def _intern(
    array: NDArray[np.generic], shared: dict[bytes, NDArray[np.generic]]
) -> NDArray[np.generic]:
    """Thousands of cells carry the same labels: keep them once."""
    return shared.setdefault(array.dtype.str.encode() + array.tobytes(), array)


def _drop_odd_ones(cells: list[Cell], found: dict[str, Answers]) -> list[str]:
    """Cells of one data set must have met the same images in the same order; those of the minority are dropped."""
    votes: dict[str, Counter[tuple[int, int]]] = {}
    for cell in cells:
        if cell.record.key in found:
            votes.setdefault(cell.dataset, Counter())[_face(found[cell.record.key])] += 1
    problems = []
    for cell in cells:
        if (
            cell.record.key in found
            and _face(found[cell.record.key]) != votes[cell.dataset].most_common(1)[0][0]
        ):
            del found[cell.record.key]
            problems.append(
                f"no interval for {cell.record.stem}: its test labels are not those of the other cells"
            )
    return problems


def _face(answers: Answers) -> tuple[int, int]:
    """Identity of a test set; labels and masks are interned, so their ids say it."""
    return id(answers.labels), id(answers.clean)
