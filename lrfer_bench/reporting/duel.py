"""Two methods against each other: a test at each scale, and the images that one alone has right."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lrfer_bench.errors import UserError, csv_cell, joined
from lrfer_bench.plugins.registry import METHODS
from lrfer_bench.reporting import numbers, tuned
from lrfer_bench.reporting.boards import Board
from lrfer_bench.reporting.choose import Choice
from lrfer_bench.reporting.collect import Options, Report, collect
from lrfer_bench.reporting.finding import check_names, find
from lrfer_bench.reporting.frame import Result
from lrfer_bench.reporting.lines import Line
from lrfer_bench.reporting.meetings import Meeting, left_out, meeting_of
from lrfer_bench.reporting.rows import Row, common_seeds
from lrfer_bench.reporting.values import scale_name
from lrfer_bench.scoring.bootstrap import Resampler
from lrfer_bench.scoring.paired import SIGNIFICANT, Difference, compare, holm
from lrfer_bench.store.mixture import mixture


@dataclass(frozen=True)
class Round:
    """A against B on one board at one scale.

    seeds: the common ones. corrected: p after Holm's correction over all rounds. images: rows of
    the test split; right_a, right_b: how many of these seeds of A and B have each of them right.
    """

    board: Board
    scale: int
    a: Row
    b: Row
    seeds: list[int]
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
    """Compare A with B wherever both were tested.

    UserError when a name is unknown or they were never tested on the same cells.
    """
    a, b = METHODS.current_label(a), METHODS.current_label(b)
    # partial: a pair meets on all seeds that both have, also where other sizes lack some
    report = collect(roots, Options(choice, resamples=resamples, partial=True))
    notes = list(report.warnings)
    found: list[tuple[Meeting, Round]] = []
    met: set[Meeting] = set()
    same: set[str] = set()
    for board in report.boards:
        first, second = find(board, a, notes), find(board, b, notes)
        if first and first is second:
            same.add(first.label)
        elif first and second:
            notes += _unequal_means(board, first, second)
            if unequal := tuned.unequal([first, second]):
                notes.append(f"{board.title}: {unequal}")
            found += _meet(board, first, second, resamples, clean, notes, met)
    check_names(report, a, b)
    meetings = [meeting for meeting, _ in found]
    pairs = [pair for meeting, pair in found if not meeting.within(meetings)]
    if not pairs and same:
        raise UserError(
            f'"{a}" and "{b}" mean the same row, {min(same)}: name two rows of the leaderboard'
        )
    if not pairs:
        raise UserError(_why_none(report, a, b, clean))
    corrected = holm([pair.difference.p for pair in pairs])
    rounds = [replace(pair, corrected=float(p)) for pair, p in zip(pairs, corrected, strict=True)]
    met_records = {id(r.record): r.record for one in rounds for r in _results(one)}
    mixed = mixture(met_records.values())
    notes += [*_seeds_left(rounds), *([mixed] if mixed else [])]
    return Duel(a, b, rounds, list(dict.fromkeys(notes)))


def _why_none(report: Report, a: str, b: str, clean: bool) -> str:
    """Why A and B met nowhere, and what to do."""
    both = [each for each in report.boards if find(each, a, []) and find(each, b, [])]
    leaking = sorted({board.dataset for board in both if board.leaks_wholly})
    if clean and leaking:
        return (
            f"every test image of {' and '.join(leaking)} also stands in train: name another "
            "data set with --datasets, or compare without --clean"
        )
    return (
        f'"{a}" and "{b}" share no data set, protocol, preset, scale and seed: '
        "run both on the same cells"
    )


def _unequal_means(board: Board, a: Line, b: Line) -> list[str]:
    """What tables say by a rule between their lines: who has help that the other has not."""
    helps = {line.label: line.extra for line in (a, b) if line.apart}
    if not helps or (a.extra == b.extra and a.apart):
        return []
    said = " and ".join(f"{label} ({extra})" for label, extra in helps.items())
    return [f"{board.title}: not comparable as methods, since one has other means: {said}"]


def _seeds_left(rounds: Sequence[Round]) -> list[str]:
    """Which seeds of one of the two the other lacks, once for all scales that it holds for."""
    scales: dict[tuple[str, str], list[str]] = defaultdict(list)
    for one in rounds:
        said = left_out(one.a, one.b, one.seeds)
        scales[one.board.title, said].append(f"x{one.scale}")
    return [f"{title}, {joined(where)}: {said}" for (title, said), where in scales.items() if said]


def _results(one: Round) -> list[Result]:
    return [*one.a.finished, *one.b.finished]


def _meet(
    board: Board, a: Line, b: Line, resamples: int, clean: bool, notes: list[str],
    met: set[Meeting],
) -> list[tuple[Meeting, Round]]:  # fmt: skip
    """The rounds of one board, not yet corrected. An oracle meets each scale with its only row.

    Two oracles meet once, on HR.

    met: what was compared on the boards before; rows that are on several boards meet once
    """
    rounds = []
    for scale in [1] if a.oracle and b.oracle else board.sizes:
        first, second = _row(a, scale), _row(b, scale)
        if first is None or second is None or first is second:
            continue
        meeting = meeting_of(board, scale, first, second)
        if meeting in met:
            continue
        met.add(meeting)
        shared = common_seeds((first, second), answered=True)
        reason = "no seed with logits is common to both" if not shared else ""
        if shared and clean and not first.answers_at(shared[0]).clean.any():
            reason = "every test image also stands in train"
        if reason:
            notes.append(f"{board.title}, x{scale}: {reason}, not compared")
            continue
        pair = _round(board, scale, (first, second), shared, resamples, clean)
        rounds.append((meeting, pair))
    return rounds


def _row(line: Line, scale: int) -> Row | None:
    """A line's row at a scale; an oracle stands at every LR scale with its HR row."""
    if line.oracle and scale not in line.rows and scale > 1:
        return line.rows.get(1)
    return line.rows.get(scale)


def _round(
    board: Board, scale: int, rows: tuple[Row, Row], shared: list[int], resamples: int, clean: bool
) -> Round:
    answers = rows[0].answers_at(shared[0])
    keep = np.flatnonzero(answers.clean) if clean else np.arange(len(answers.labels))
    right = [row.correct(shared)[:, keep] for row in rows]
    found = compare(right[0], right[1], Resampler(len(keep), resamples), shared)
    sums = [r.sum(axis=0).astype(np.int64) for r in right]
    return Round(
        board, scale, *rows, shared, found, found.p, sums[0], sums[1], keep, answers.labels[keep]
    )


def text(found: Duel) -> list[str]:
    """The duel as lines for a terminal."""
    lines: list[str] = []
    board = None
    for one in found.rounds:
        if one.board is not board:
            board = one.board
            lines += [*([""] if lines else []), f"{board.title}: {found.a} minus {found.b}"]
        lines += _round_lines(one, found)
    count = len(found.rounds)
    lines += ["", f"Corrected: after Holm, over the {count} comparison{'s' * (count > 1)} above."]
    alone = [one for one in found.rounds if one.difference.seeds == 1]
    if alone:
        lines.append(_luck(alone))
    return [*lines, *(f"note: {note}" for note in found.notes)]


def _luck(rounds: Sequence[Round]) -> str:
    """What one seed leaves open."""
    existing = {row.existing for one in rounds for row in (one.a, one.b)}
    if existing == {True}:
        return "Nothing was trained here: this compares two models as they are."
    if True in existing:
        return "One seed: another training of what was trained here may turn out differently."
    return "One seed: this compares two trained models; another training may turn out differently."


def _round_lines(one: Round, found: Duel) -> list[str]:
    d = one.difference
    places = max(1, numbers.digits(100 * d.low, 100 * d.high))
    value, low, high = (numbers.signed(v, places) for v in (d.value, d.low, d.high))
    verdict = "no significant difference"
    if one.corrected < SIGNIFICANT:
        verdict = f"{found.a if d.value > 0 else found.b} is better"
    name = scale_name(one.scale)
    p, corrected = numbers.p_text(d.p), numbers.p_text(one.corrected)
    test = f"{d.test}, {d.seeds} seed{'s' * (d.seeds > 1)}"
    kind = "right in one only" if d.seeds == 1 else "right in more seeds"
    only_a, only_b = int((one.right_a > one.right_b).sum()), int((one.right_b > one.right_a).sum())
    return [
        f"  {name:<4} {value} points [{low}, {high}]  p {p}, corrected {corrected} ({test}): "
        f"{verdict}",
        f"       {kind}: {found.a} {only_a}, {found.b} {only_b} of {len(one.images)} images",
    ]


def duel_frame(found: Duel) -> pd.DataFrame:
    """A line for each comparison: where, A minus B in 0..1 with its interval, p, who is better."""
    return pd.DataFrame([_line(one, found) for one in found.rounds])


def _line(one: Round, found: Duel) -> dict[str, Any]:
    board, d = one.board, one.difference
    better = "" if one.corrected >= SIGNIFICANT else found.a if d.value > 0 else found.b
    return {
        "a": found.a,
        "b": found.b,
        "scale": one.scale,
        "difference": d.value,
        "low": d.low,
        "high": d.high,
        "p": d.p,
        "p_corrected": one.corrected,
        "better": better,
        "only_a": int((one.right_a > one.right_b).sum()),
        "only_b": int((one.right_b > one.right_a).sum()),
        "images": len(one.images),
        "seeds": d.seeds,
        "test": d.test,
        "dataset": board.dataset,
        "protocol": board.protocol,
        "test_protocol": board.test_protocol,
        "preset": board.preset,
    }


def images_csv(found: Duel) -> str:
    """The images that A and B have right in unequally many seeds, as CSV.

    Columns: where (data set to scale), row of the test split, true class, and for how many of the
    seeds A and B are right.
    """
    frames = []
    for one in found.rounds:
        board, differ = one.board, np.flatnonzero(one.right_a != one.right_b)
        columns = {
            "dataset": board.dataset,
            "protocol": board.protocol,
            "test_protocol": board.test_protocol,
            "preset": board.preset,
            "scale": one.scale,
            "test_row": one.images[differ],
            "label": [board.classes[k] for k in one.labels[differ]],
            "seeds": one.difference.seeds,
            "right_a": one.right_a[differ],
            "right_b": one.right_b[differ],
        }
        frames.append(pd.DataFrame(columns))
    return str(pd.concat(frames).map(csv_cell).to_csv(index=False))
