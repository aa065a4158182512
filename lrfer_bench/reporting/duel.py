"""Two methods against each other: the paired test at each scale, and the images on which only one of them is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lrfer_bench.contract.labels import same_label
from lrfer_bench.errors import UserError, did_you_mean
from lrfer_bench.reporting import numbers
from lrfer_bench.reporting.answers import Answers
from lrfer_bench.reporting.boards import Board, Entry
from lrfer_bench.reporting.choose import Choice
from lrfer_bench.reporting.make import Options, Report, collect
from lrfer_bench.reporting.rows import Row
from lrfer_bench.scoring.bootstrap import Resampler
from lrfer_bench.scoring.paired import SIGNIFICANT, Difference, compare, holm


@dataclass(frozen=True)
class Round:
    """One board and scale. corrected: p after Holm over all rounds; images, only_a, only_b: rows of the test split, and
    by how many of the common seeds A and B got each right."""

    board: Board
    scale: int
    a: Row
    b: Row
    difference: Difference
    corrected: float
    right_a: NDArray[np.int64]
    right_b: NDArray[np.int64]
    images: NDArray[np.int64]
    labels: NDArray[np.int64]


@dataclass(frozen=True)
class Duel:
    a: str
    b: str
    rounds: list[Round]
    notes: list[str]


def duel(
    roots: Sequence[str | Path],
    a: str,
    b: str,
    choice: Choice,
    resamples: int = 1000,
    clean: bool = False,
) -> Duel:
    """Compare A with B wherever both were tested; UserError when a name is unknown or they never met."""
    report = collect(roots, Options(choice, resamples=resamples))
    notes = list(report.warnings)
    pairs: list[Round] = []
    for board in report.boards:
        first, second = _find(report, board, a), _find(report, board, b)
        if first and second:
            pairs += _meet(board, first, second, resamples, clean, notes)
    _check_names(report, a, b)
    if not pairs:
        raise UserError(
            f'"{a}" and "{b}" share no data set, protocol, preset, scale and seed: run both on the same cells'
        )
    corrected = holm([pair.difference.p for pair in pairs])
    rounds = [replace(pair, corrected=float(p)) for pair, p in zip(pairs, corrected, strict=True)]
    return Duel(a, b, rounds, list(dict.fromkeys(notes)))


def _find(report: Report, board: Board, name: str) -> Entry | None:
    return next(
        (e for e in board.entries if same_label(name, e.label) or same_label(name, e.method)), None
    )


def _check_names(report: Report, *asked: str) -> None:
    known = {entry.label for board in report.boards for entry in board.entries}
    for name in asked:
        if not any(_find(report, board, name) for board in report.boards):
            raise UserError(f'no record is about method "{name}": {did_you_mean(name, known)}')


def _meet(
    board: Board, a: Entry, b: Entry, resamples: int, clean: bool, notes: list[str]
) -> list[Round]:
    """The rounds of one board, not yet corrected. An oracle meets each scale with its only row."""
    met = []
    for scale in board.sizes:
        first, second = _row(a, scale), _row(b, scale)
        if first is None or second is None or first is second:
            continue
        shared = sorted(set(first.answers) & set(second.answers))
        if not shared:
            notes.append(
                f"{board.title}, x{scale}: no seed with logits is common to both, not compared"
            )
            continue
        met.append(_round(board, scale, (first, second), shared, resamples, clean))
    return met


def _row(entry: Entry, scale: int) -> Row | None:
    return (
        entry.rows.get(1)
        if entry.oracle and scale not in entry.rows and scale > 1
        else entry.rows.get(scale)
    )


def _round(
    board: Board, scale: int, rows: tuple[Row, Row], shared: list[int], resamples: int, clean: bool
) -> Round:
    answers: Answers = rows[0].answers[shared[0]]
    keep = np.flatnonzero(answers.clean) if clean else np.arange(len(answers.labels))
    if not len(keep):
        raise UserError(f"{board.title} has no test image without leak: compare without --clean")
    right = [row.correct(shared)[:, keep] for row in rows]
    found = compare(right[0], right[1], Resampler(len(keep), resamples), shared)
    sums = [r.sum(axis=0).astype(np.int64) for r in right]
    return Round(board, scale, *rows, found, found.p, sums[0], sums[1], keep, answers.labels[keep])


def text(found: Duel) -> list[str]:
    """The duel as lines for a terminal."""
    lines: list[str] = []
    board = None
    for entry in found.rounds:
        if entry.board is not board:
            board = entry.board
            lines += [*([""] if lines else []), f"{board.title}: {found.a} minus {found.b}"]
        lines += _round_lines(entry, found)
    lines += ["", f"Corrected: after Holm, over the {len(found.rounds)} comparisons above."]
    if any(entry.difference.seeds == 1 for entry in found.rounds):
        lines.append(
            "One seed: this compares two trained models; another training may turn out differently."
        )
    return [*lines, *(f"note: {note}" for note in found.notes)]


def _round_lines(entry: Round, found: Duel) -> list[str]:
    d = entry.difference
    places = max(1, numbers.digits(100 * d.low, 100 * d.high))
    verdict = "no significant difference"
    if entry.corrected < SIGNIFICANT:
        verdict = f"{found.a if d.value > 0 else found.b} is better"
    name = "HR" if entry.scale == 1 else f"x{entry.scale}"
    only_a, only_b = (
        int((entry.right_a > entry.right_b).sum()),
        int((entry.right_b > entry.right_a).sum()),
    )
    kind = "right in one only" if d.seeds == 1 else "right in more seeds"
    value, low, high = (
        f"{round(100 * v, places) + 0.0:+.{places}f}" for v in (d.value, d.low, d.high)
    )
    return [
        f"  {name:<4} {value} points [{low}, {high}]  p {numbers.p_text(d.p)}, corrected {numbers.p_text(entry.corrected)} "
        f"({d.test}, {d.seeds} seed{'s' * (d.seeds > 1)}): {verdict}",
        f"       {kind}: {found.a} {only_a}, {found.b} {only_b} of {len(entry.images)} images",
    ]


def images_csv(found: Duel) -> str:
    """The images that one got right more often than the other: row of the test split, true class, seeds right by A and B."""
    frames = []
    for entry in found.rounds:
        differ = np.flatnonzero(entry.right_a != entry.right_b)
        frames.append(pd.DataFrame({
            "dataset": entry.board.dataset, "protocol": entry.board.protocol, "test_protocol": entry.board.test_protocol,
            "preset": entry.board.preset, "scale": entry.scale, "test_row": entry.images[differ],
            "label": [entry.board.classes[k] for k in entry.labels[differ]], "seeds": entry.difference.seeds,
            "right_a": entry.right_a[differ], "right_b": entry.right_b[differ],
        }))  # fmt: skip
    return str(pd.concat(frames).to_csv(index=False))
