"""What a board says, in words: who is best at each size, and whether that is sure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lrfer_bench.errors import joined
from lrfer_bench.reporting import numbers
from lrfer_bench.reporting.against import BETTER, seeds_in_common
from lrfer_bench.reporting.best import accuracy_at
from lrfer_bench.reporting.boards import Board
from lrfer_bench.reporting.copies import originals
from lrfer_bench.reporting.lines import Lead, Line
from lrfer_bench.reporting.ranking import few_images, score_of

MOST_NAMES = 6
"""Names said one by one; of more, the first of them and how many there are."""


@dataclass(frozen=True)
class Answer:
    """The best at one size.

    sure: nobody ties with it; said: that in words; lead: how far it is ahead of the next one that
    it was told apart from, in words, or ""
    """

    scale: int
    px: int
    best: str
    accuracy: str
    interval: str
    sure: bool
    said: str
    lead: str = ""

    @property
    def sentence(self) -> str:
        number = f"{self.accuracy} % {self.interval}".strip()
        lead = f"; {self.lead}" if self.lead else ""
        return f"At {self.px} px: {self.best}, {number}; {self.said}{lead}."


def headline(board: Board) -> str:
    """Who is best over all LR sizes; after a warning where no test image is new."""
    warning = "Every test image also stands in train. " if board.leaks_wholly else ""
    return warning + _best_overall(board)


def _best_overall(board: Board) -> str:
    scales = board.lr_scales
    ranked = originals([line for line in board.ranked if line.rank is not None], scales)
    if not ranked:
        return _none_ranked(board)
    sizes = list(dict.fromkeys(str(board.sizes[scale]) for scale in scales))
    said = f"{joined(sizes)} pixels"
    where = f"over {said} together" if len(sizes) > 1 else f"at {said}"
    left = [line for line in board.ranked if line.label in board.untested]
    above = [line for line in left if score_of(line) > score_of(ranked[0])]
    if len(ranked) == 1:
        return _alone(board, ranked[0].label, where, said, bool(above))
    first, tied = ranked[0].label, [line.label for line in ranked[1:] if line.rank == 1]
    if not board.tested:
        are = "are" if tied else "is"
        most = _names([first, *tied])
        return f"{most} {are} the most accurate {where}; whether by chance, was not tested."
    if any(line.rank is None and not line.off_scale for line in board.ranked):
        where += ", of those that could be ranked"
    if tied:
        return (
            f"{first} is the most accurate {where}, but {_names(tied)} cannot be told apart from "
            f"it.{_luck(ranked, scales)}"
        )
    return (
        f"{first} is the most accurate {where}, significantly ahead of "
        f"{_others(len(ranked) - 1)}.{_luck(ranked, scales)}"
    )


def _none_ranked(board: Board) -> str:
    if few_images(board):
        return "There are too few test images to say which method is best."
    if board.untested:
        return "No method could be tested against another: see the notes."
    if _with_crops(board) and not any(line.shown for line in board.ranked):
        return "Only rows that cannot be compared are finished: they augment at test time."
    return "No method is finished at every size yet."


def _alone(board: Board, label: str, where: str, sizes: str, above: bool) -> str:
    """Of the only line with a rank; above: another one has a higher score."""
    better = [other for other, reason in board.untested.items() if reason == BETTER]
    if better:
        are = "are" if len(better) > 1 else "is"
        return (
            f"{label} has the highest mean {where}, but {_names(better)} {are} better on the "
            "seeds that both have."
        )
    if above:
        return f"{label} is the best {where} of those that could be ranked: see the notes."
    if board.untested:
        return f"No other method could be tested against {label} {where}: see the notes."
    comparable = "comparable " if _with_crops(board) else ""
    return f"{label} is the only {comparable}method finished at {sizes}."


def _with_crops(board: Board) -> list[Line]:
    """Finished lines that are set apart since they augment at test time."""
    return [line for line in board.set_apart if line.shown and not line.oracle]


def answers(board: Board) -> list[Answer]:
    """The best at each LR size, the largest size first; sizes where nobody is finished are left."""
    found = []
    for scale in board.lr_scales:
        lines = sorted(
            originals([line for line in board.ranked if line.has(scale)], [scale]),
            # of equals the one that the others were tested against, which has no p of its own
            key=lambda line: (scale in line.beaten, -accuracy_at(line, scale), scale in line.p),
        )
        if lines:
            found.append(_answer(board, scale, lines))
    return found


def _answer(board: Board, scale: int, lines: Sequence[Line]) -> Answer:
    best, others = lines[0], lines[1:]
    # where the highest mean has no logits, these were found against another line
    met = scale not in best.p
    beaten = [line for line in others if met and scale in line.beaten]
    better = [line.label for line in others if met and scale in line.better]
    others = [line for line in others if line not in beaten and line.label not in better]
    unknown = [line for line in others if math.isnan(line.p.get(scale, math.nan))]
    tied = [line.label for line in others if scale in line.best and line not in unknown]
    if not others and (beaten or better):
        said = "the only one that can be ranked"
    elif not others:
        crops = any(line.has(scale) for line in _with_crops(board))
        said = f"the only {'comparable ' * crops}one finished"
    elif not board.tested or unknown:
        said = "not tested against all others"
    elif tied:
        said = f"level with {_names(tied)}"
    else:
        said = f"significantly ahead of {_others(len(others))}"
    if better:
        are = "are" if len(better) > 1 else "is"
        said += f"; {_names(better)} {are} better on the seeds that both have"
    for line in beaten[:MOST_NAMES]:
        winner = line.beaten[scale]
        said += f"; {line.label} has a higher mean, but {winner} is better on all of its seeds"
    estimate = best.rows[scale].accuracy
    text, interval = (numbers.percent(estimate), numbers.bounds(estimate)) if estimate else ("", "")
    sure = said.startswith("significantly") and not (beaten or better)
    lead = _lead(best.leads[scale]) if scale in best.leads else ""
    return Answer(scale, board.sizes[scale], best.label, text, interval, sure, said, lead)


def _lead(lead: Lead) -> str:
    places = max(1, numbers.digits(100 * lead.low, 100 * lead.high))
    value, low, high = (f"{100 * v:.{places}f}" for v in (lead.value, lead.low, lead.high))
    p = numbers.p_text(lead.p)
    seeds = "the seed" if lead.shared == 1 else f"the {lead.shared} seeds"
    where = f" on {seeds} that both have" if lead.shared else ""
    return f"better than {lead.over} by {value} points [{low}, {high}]{where}, corrected p {p}"


def _names(labels: Sequence[str]) -> str:
    if len(labels) <= MOST_NAMES + 1:
        return joined(labels)
    return joined([*labels[:MOST_NAMES], f"{len(labels) - MOST_NAMES} others"])


def _others(count: int) -> str:
    return "the other one" if count == 1 else f"all {count} others"


def _luck(ranked: Sequence[Line], scales: Sequence[int]) -> str:
    """With one seed, another training may turn the order round."""
    first = ranked[0]
    trained = [line for line in ranked[1:] if not (line.existing and first.existing)]
    counts = {len(seeds_in_common(first, line, scales)) for line in trained}
    if 1 not in counts:
        return ""
    more = any(len(line.seeds) > 1 for line in (first, *trained) if not line.existing)
    if len(counts) > 1:
        said = "Some pairs have one seed in common"
    elif more:
        said = "One seed in common"
    elif any(line.existing for line in (first, *trained)):
        said = "One training of each that was trained here"
    else:
        said = "One training each"
    return f" {said}: another may turn out differently."
