"""A board as a grid of texts, which Markdown, HTML and LaTeX then dress."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from lrfer_bench.reporting import chance, columns, folding, lookup, timing, tuned, words
from lrfer_bench.reporting.boards import Board
from lrfer_bench.reporting.column import Column
from lrfer_bench.reporting.ranking import few_images
from lrfer_bench.reporting.rows import Row
from lrfer_bench.reporting.values import Text
from lrfer_bench.scoring.bootstrap import FEWEST_IMAGES


@dataclass
class Grid:
    """heads: column names; lines: comparable methods; apart: lines set apart, below a rule.

    lead: the result in words.
    """

    title: str
    heads: list[str]
    lines: list[list[Text]] = field(default_factory=list)
    apart: list[list[Text]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    lead: list[str] = field(default_factory=list)


def main_grid(board: Board, sort_by: str = "rank", found: Sequence[Column] | None = None) -> Grid:
    """Accuracy with intervals at each scale, and all that belongs to it; found: default COLUMNS."""
    known = columns.COLUMNS if found is None else found
    shown = lookup.in_table(known, board)
    lead = [words.headline(board), *(answer.sentence for answer in words.answers(board))]
    heads = [column.head for column in shown]
    grid = Grid(board.title, heads, notes=notes(board), lead=lead)
    for line in lookup.ordered(board, sort_by, known):
        texts = [column.cell(board, line) for column in shown]
        (grid.apart if line.apart else grid.lines).append(texts)
    return grid


def notes(board: Board) -> list[str]:
    """What a reader of this very table has to know."""
    found = []
    if board.leaks_wholly:
        found.append(
            "Every test image of this data set also stands in train: its numbers say nothing about "
            "new faces."
        )
    found += seed_notes(board)
    intervals = _intervals(row for line in board.lines for row in line.shown)
    if few_images(board):
        found.append(
            f"Fewer than {FEWEST_IMAGES} test images, which say little of others: areas are not "
            "ranked" + (", and intervals are wide (Wilson's at least)." if intervals else ".")
        )
    if any(line.holes.keys() & set(board.lr_scales) for line in board.lines):
        found.append(
            "A row with a hole has no area, mean or rank: "
            "no mean is taken over what happened to finish."
        )
    if board.untested:
        found.append(unranked(board))
    if any(not row.whole for line in board.lines for row in line.shown):
        found.append("* not all seeds are finished: a mean over those that are.")
    if board.synthetic:
        found.append("The data set is synthetic: its numbers say nothing about real faces.")
    found += filter(None, [tuned.unequal(board.ranked), folding.note(board), timing.note(board)])
    found += [level.sentence] if (level := chance.level(board)) else []
    oracles = [line for line in board.lines if line.oracle]
    if oracles and not board.ceilings:
        begun = any(row.seeds for line in oracles for row in line.rows.values())
        why = "is not finished (--seeds names those that count, --partial shows what is there)"
        found.append(
            f"No share of the oracle's accuracy is shown, as its row {why if begun else 'failed'}."
        )
    if len(board.ceilings) > 1:
        ceiling = board.ceilings[0].label
        found.append(f"Several rows see HR: the ceiling, whose share others keep, is {ceiling}.")
    if board.set_apart:
        found.append(
            "Below the rule: not comparable with the rest, "
            "since they see HR images or augment at test time."
        )
    return found


def unranked(board: Board) -> str:
    """Which lines have no rank, and why."""
    left = ", ".join(f"{label} ({reason})" for label, reason in board.untested.items())
    return f"No rank: {left}."


def seed_notes(board: Board) -> list[str]:
    """Over how many seeds the rows are, and which seeds do not count."""
    shown = [row for line in board.ranked for row in line.shown]
    shown = shown or [row for line in board.lines for row in line.shown]  # a ceiling alone
    intervals = _intervals(shown)
    drawn = [row for row in shown if not row.existing]
    counts = {len(row.seeds) for row in drawn or shown}
    found = []
    if counts == {1}:
        found.append(
            "One seed"
            + (
                ": intervals are over test images only, and say nothing about training again."
                if intervals
                else ": nothing is said about training again."
            )
        )
    elif counts:
        found.append(
            f"Means over {said_list(sorted(counts))} seeds"
            + (
                "; intervals are over seeds and test images" * intervals
                + ", of rows with one seed over test images only" * (intervals and 1 in counts)
                + "."
            )
        )
    if intervals and (order := _order_of_ranks(drawn)):
        found.append(order)
    found += _seeds_apart(board, counts)
    if max(counts, default=0) > 1 and 0 < len(drawn) < len(shown) and intervals:
        found.append(
            "A row of which nothing was trained here has the same answers under each seed: it is "
            "tested on those of the others, and its interval is over test images only."
        )
    left = {
        line.label: sorted({s for row in line.rows.values() for s in row.left})
        for line in board.lines
    }
    named = [f"{label} (seed {said_list(seeds, 'and')})" for label, seeds in left.items() if seeds]
    if named:
        found.append(
            "Seeds left out, since their rows have them at some sizes only (--partial, or fewer "
            f"--scales, shows them): {', '.join(named)}."
        )
    return found


def _order_of_ranks(rows: Sequence[Row]) -> str:
    """Why ranks need not follow the means, if that can be."""
    seeds: dict[int, set[frozenset[int]]] = defaultdict(set)
    for row in rows:
        seeds[row.scale].add(frozenset(row.seeds))
    if any(len(of_column) > 1 for of_column in seeds.values()):
        return (
            "Two rows are tested against each other on the seeds that both have: one of few seeds "
            "may be told apart where one of more is not, so ranks need not follow the means."
        )
    if any(len(own) > 1 for of_column in seeds.values() for own in of_column):
        return (
            "A row whose seeds scatter is told apart later than one whose seeds agree, so ranks "
            "need not follow the means."
        )
    return ""


def _seeds_apart(board: Board, counts: Collection[int]) -> list[str]:
    """Over how many seeds the rows below the rule are, where that is not what the others have."""
    found = []
    for line in board.set_apart:
        own = {len(row.seeds) for row in line.shown if not row.existing}
        if own and board.ranked and not own <= set(counts):
            several = "seeds" if max(own) > 1 else "seed"
            found.append(f"The row of {line.label} is over {said_list(sorted(own))} {several}.")
    return found


def _intervals(rows: Iterable[Row]) -> bool:
    """Whether any of them has one: without logits, or with --resamples 0, there are none."""
    return any(row.accuracy is not None and not math.isnan(row.accuracy.low) for row in rows)


def said_list(values: Sequence[object], word: str = "or") -> str:
    return f" {word} ".join(map(str, values))
