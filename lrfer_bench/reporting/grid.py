"""A board as a grid of texts, which Markdown, HTML and LaTeX then dress."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from lrfer_bench.errors import UserError, did_you_mean
from lrfer_bench.reporting import numbers
from lrfer_bench.reporting.boards import Board, Entry
from lrfer_bench.reporting.rows import Row


@dataclass(frozen=True)
class Text:
    """One cell: what it says, its interval (smaller), whether it is among the best, whether it is a hole."""

    text: str
    interval: str = ""
    best: bool = False
    hole: bool = False


@dataclass
class Grid:
    """heads: column names; lines: comparable methods; apart: rows set apart, below a rule."""

    title: str
    heads: list[str]
    lines: list[list[Text]] = field(default_factory=list)
    apart: list[list[Text]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


SORTS = (
    "rank",
    "method",
    "accuracy",
    "area",
    "macro_f1",
    "balanced_accuracy",
    "params",
    "macs",
    "latency_ms",
    "train",
)


def main_grid(board: Board, sort_by: str = "rank") -> Grid:
    """Accuracy with intervals per scale, and all that belongs to it."""
    scales = list(board.sizes)
    heads = [
        "#",
        "Method",
        *(head(board, s) for s in scales),
        *_area_heads(board),
        "Keeps 90 % at (px)",
        "Macro-F1",
    ]
    grid = Grid(
        board.title, [*heads, "Bal. acc.", "Params", "MACs", "Latency", "Training", "Seeds"]
    )
    for entry in ordered(board, sort_by):
        line = [Text(str(entry.rank or numbers.DASH)), _name(entry)]
        line += [_accuracy(entry, scale, clean=False) for scale in scales]
        line += _areas(board, entry)
        line += [Text(text) for text in rest(board, entry)]
        (grid.apart if entry.apart else grid.lines).append(line)
    grid.notes = _notes(board)
    return grid


def clean_grid(board: Board, sort_by: str = "rank") -> Grid | None:
    """The leak-free track: accuracy on the test rows that do not stand in train; None when no row leaks."""
    if not board.leaks:
        return None
    rows = [row for entry in board.entries for row in entry.shown if "clean_n" in row.means]
    if not rows:
        return None
    left = int(rows[0].means["clean_n"])
    grid = Grid(
        f"{board.title} · without leaked rows ({left:,} of {int(rows[0].means['n']):,} test images)",
        ["Method"],
    )
    scales = list(board.sizes)
    grid.heads += [head(board, scale) for scale in scales]
    for entry in ordered(board, sort_by):
        line = [_name(entry), *(_accuracy(entry, scale, clean=True) for scale in scales)]
        (grid.apart if entry.apart else grid.lines).append(line)
    return grid


def head(board: Board, scale: int) -> str:
    return f"HR ({board.sizes[scale]} px)" if scale == 1 else f"x{scale} ({board.sizes[scale]} px)"


def ordered(board: Board, sort_by: str) -> list[Entry]:
    """Entries by rank, or by another column: best first for scores, lowest first for costs; holes last."""
    if sort_by == "rank":
        return board.entries
    return sorted(board.entries, key=_sort_value(board, sort_by))


def _sort_value(board: Board, sort_by: str) -> Callable[[Entry], tuple[bool, bool, float, str]]:
    name, _, scale = sort_by.partition(":")
    if name == "accuracy" and scale:
        return lambda e: _key(e, _at(e, board, scale), -1)
    if name in ("accuracy", "macro_f1", "balanced_accuracy"):
        return lambda e: _key(e, mean_of(board, e, name), -1)
    if name == "area":
        return lambda e: _key(e, e.area.value if e.area else None, -1)
    costs = {"params": "parameters", "macs": "macs", "latency_ms": "latency_ms"}
    if name in costs:
        return lambda e: _key(e, _largest(e, costs[name]), 1)
    if name == "train":
        return lambda e: _key(e, training_seconds(e), 1)
    if name == "method":
        return lambda e: (e.apart, False, 0.0, e.label)
    raise UserError(f'there is no column "{sort_by}" to sort by: {did_you_mean(name, SORTS)}')


def _key(entry: Entry, value: float | None, sign: int) -> tuple[bool, bool, float, str]:
    return entry.apart, value is None, 0.0 if value is None else sign * value, entry.label


def _at(entry: Entry, board: Board, scale: str) -> float | None:
    if not scale.isdigit() or int(scale) not in board.sizes:
        known = ", ".join(f"accuracy:{s}" for s in board.sizes)
        raise UserError(f'cannot sort by "accuracy:{scale}": this table has {known}')
    row = entry.rows.get(int(scale))
    return row.means.get("accuracy") if row else None


def mean_of(board: Board, entry: Entry, name: str) -> float | None:
    """Mean of a metric over the LR scales; None unless every one of them is there."""
    values = [entry.rows[s].means[name] for s in board.lr_scales if entry.has(s)]
    return sum(values) / len(values) if len(values) == len(board.lr_scales) else None


def training_seconds(entry: Entry) -> float | None:
    """Seconds to train all that the line shows, each model and each shared stage once; mean over seeds."""
    rows = entry.shown
    if not rows:
        return None
    totals = []
    for seed in entry.seeds:
        models: dict[str, float] = {}
        for row in rows:
            models |= _models(row, seed)
        totals.append(sum(models.values()))
    return sum(totals) / len(totals)


def _models(row: Row, seed: int) -> dict[str, float]:
    found: dict[str, float] = {}
    for cell in row.finished:
        record = cell.record
        if record.seed == seed and record.cost:
            own = f"{record.train.protocol} {record.train.scales}"
            found[own] = record.cost.train_seconds
            found |= {stage.key: stage.train_seconds for stage in record.stages.values()}
    return found


def _largest(entry: Entry, name: str) -> float | None:
    return max((row.means[name] for row in entry.shown), default=None)


def _name(entry: Entry) -> Text:
    extra = (
        "sees HR"
        if entry.oracle
        else f"test-time augmentation: {entry.augmentation}"
        if entry.augmentation
        else ""
    )
    return Text(f"{entry.label} ({extra})" if extra else entry.label, best=entry.best_overall)


def _accuracy(entry: Entry, scale: int, clean: bool) -> Text:
    row = entry.rows.get(scale)
    if scale in entry.holes or row is None:
        return Text(entry.holes.get(scale, numbers.DASH), hole=scale in entry.holes)
    estimate = row.clean if clean else row.accuracy
    if estimate is None:
        return Text(numbers.DASH)
    mark = "" if row.whole else "*"
    best = scale in (entry.best_clean if clean else entry.best)
    return Text(numbers.percent(estimate) + mark, numbers.bounds(estimate), best)


def _area_heads(board: Board) -> list[str]:
    return ["Area"] if len(board.lr_scales) > 1 else []


def _areas(board: Board, entry: Entry) -> list[Text]:
    if not _area_heads(board):
        return []
    if entry.area is None:
        return [Text(numbers.DASH)]
    text, interval = numbers.fraction(entry.area)
    return [Text(text + ("" if entry.whole else "*"), interval, entry.best_overall)]


def area_text(entry: Entry) -> str:
    """An area with its interval as one text; entry.area is not None."""
    assert entry.area is not None
    text, interval = numbers.fraction(entry.area)
    return f"{text}{'' if entry.whole else '*'} {interval}".strip()


def rest(board: Board, entry: Entry) -> list[str]:
    sizes = [board.sizes[scale] for scale in entry.rows if scale in board.sizes]
    seeds = {len(row.seeds) for row in entry.shown}
    means = [mean_of(board, entry, name) for name in ("macro_f1", "balanced_accuracy")]
    if entry.oracle and entry.shown:
        means = [entry.shown[0].means["macro_f1"], entry.shown[0].means["balanced_accuracy"]]
    return [
        numbers.smallest_text(entry.smallest, sizes),
        *(numbers.share(value) for value in means),
        _range(entry, "parameters", numbers.count),
        _range(entry, "macs", numbers.count),
        _range(entry, "latency_ms", numbers.milliseconds),
        numbers.duration(training_seconds(entry)),
        "/".join(map(str, sorted(seeds))) or numbers.DASH,
    ]


def _range(entry: Entry, name: str, say: Callable[[float | None], str]) -> str:
    values = [row.means[name] for row in entry.shown]
    if not values:
        return numbers.DASH
    low, high = say(min(values)), say(max(values))
    return low if low == high else f"{low} to {high}"


def _notes(board: Board) -> list[str]:
    """What a reader of this very table has to know."""
    notes = []
    counts = {len(row.seeds) for entry in board.entries for row in entry.shown}
    if counts == {1}:
        notes.append(
            "One seed: intervals are over test images only, and say nothing about training again."
        )
    elif counts:
        notes.append(
            f"Means over {said_list(sorted(counts))} seeds; intervals are over seeds and test images."
        )
    if any(entry.holes for entry in board.entries):
        notes.append(
            "A row with a hole has no area, mean or rank: no mean is taken over what happened to finish."
        )
    if any(not row.whole for entry in board.entries for row in entry.shown):
        notes.append("* not all seeds are finished: a mean over those that are.")
    if board.synthetic:
        notes.append("The data set is synthetic: its numbers say nothing about real faces.")
    if board.set_apart:
        notes.append(
            "Below the rule: not comparable with the rest, since they see HR images or augment at test time."
        )
    return notes


def said_list(values: Sequence[object]) -> str:
    return " or ".join(map(str, values))
