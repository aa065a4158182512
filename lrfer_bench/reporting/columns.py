"""The columns of a leaderboard: each is declared once, in COLUMNS, and nowhere else.

leaderboard.md, .html, .tex and .csv, the page (its data and its script) and --sort-by with its help
are all made from this tuple. Quick to import (no numpy, no pandas), since --help reads it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lrfer_bench.reporting import numbers, timing, tuned, values
from lrfer_bench.reporting.column import Column, Home
from lrfer_bench.scoring.shown import Better

if TYPE_CHECKING:
    from lrfer_bench.reporting.boards import Board
    from lrfer_bench.reporting.lines import Line
    from lrfer_bench.reporting.rows import Row

METHOD = "Method"
"""Head of the column that names the lines."""


def score(
    metric: str,
    head: str,
    tip: str,
    better: Better = "higher",
    say: Callable[[float | None], str] = numbers.plain,
    **more: Any,
) -> Column:
    """A column of a metric: the table has its mean over the LR scales, the CSV that of each row."""
    return Column(
        metric,
        head,
        tip,
        better,
        value=lambda board, line: values.mean_of(board, line, metric),
        text=values.score_text(metric, say),
        say=say,
        **{"row": _mean(metric), "metric": True, "over_scales": True, **more},
    )


def cost(
    name: str, head: str, tip: str, say: Callable[[float | None], str], place: int, **more: Any
) -> Column:
    """A column of a cost: sorted by the largest over the scales; the text has the smallest, too."""
    return Column(
        name,
        head,
        tip,
        "lower",
        text=values.cost_text(name, say),
        say=say,
        place=place,
        row=_mean(name),
        over_scales=True,
        **{"value": lambda board, line: values.largest(board, line, name), **more},
    )


def accuracy(board: Board, scale: int) -> Column:
    """The column of the accuracy at one scale of a board."""
    return Column(
        f"accuracy:{scale}",
        f"{values.scale_name(scale)} ({board.sizes[scale]} px)",
        "Accuracy in %, with its 95 % interval." if board.tested else "Accuracy in %.",
        value=lambda board, line: values.accuracy_of(line, scale),
        text=lambda board, line: values.accuracy_text(line, scale),
        csv=False,
        scale=scale,
    )


def of_leak_free(name: str, get: Callable[[Row, Line], Any], interval: bool = False) -> Column:
    """A column that only leaderboard.csv has: the same of the line without leaked rows.

    Empty where every test image leaks; the line's own where none does.
    """

    def row(row: Row, home: Home) -> Any:
        if home is None or row.leak_free is None:
            return None
        line = home[1] if row.leak_free is row else home[1].leak_free
        return get(row, line) if line else None

    return Column(f"clean_{name}", row=row, interval=interval)


def csv_only(name: str, get: Callable[[Row], Any], interval: bool = False) -> Column:
    """A column that only leaderboard.csv has."""
    return Column(name, row=lambda row, home: get(row), interval=interval)


def of_line(name: str, get: Callable[[Row, Line], Any], interval: bool = False) -> Column:
    """A column that only leaderboard.csv has, about the row's own line."""

    def row(row: Row, home: Home) -> Any:
        return get(row, home[1]) if home else None

    return Column(name, row=row, interval=interval)


def _is_best(row: Row, line: Line) -> int:
    return int(row.scale in line.best)


def _mean(name: str) -> Callable[[Row, Home], Any]:
    return lambda row, home: row.means.get(name)


def _means(*names: str) -> list[Column]:
    return [Column(name, row=_mean(name)) for name in names]


# The order is that of leaderboard.csv. In the table, `place` counts.
COLUMNS: tuple[Column, ...] = (
    csv_only("dataset", lambda row: row.first.dataset),
    csv_only("protocol", lambda row: row.record.train.protocol),
    csv_only("test_protocol", lambda row: row.record.test.protocol),
    csv_only("preset", lambda row: row.record.preset),
    Column(
        "method",
        METHOD,
        "The method, with the settings that were changed.",
        "lower",
        value=lambda board, line: line.label,
        text=values.name,
        place=10,
        row=lambda row, home: row.first.method,
    ),
    csv_only("scale", lambda row: row.scale),
    csv_only("size_px", lambda row: row.size_px),
    Column(
        "seeds",
        "Seeds",
        "How many seeds are finished.",
        value=lambda board, line: max((len(row.seeds) for row in line.shown), default=None),
        text=values.seeds,
        place=90,
        row=lambda row, home: len(row.seeds),
    ),
    score(
        "accuracy",
        "Accuracy",
        "Mean accuracy over the LR scales, in %.",
        say=numbers.share,
        place=26,
        hidden=True,
        row=lambda row, home: row.accuracy,
        interval=True,
    ),
    Column(
        "accuracy:SCALE",
        tip="Accuracy at one scale, such as accuracy:4.",
        place=25,
        csv=False,
        at_scales=lambda board: [accuracy(board, scale) for scale in board.table_scales],
    ),
    Column(
        "smallest_size",
        "Keeps 90 % at (px)",
        "The smallest size in pixels at which 90 % of the oracle's accuracy is kept.",
        "lower",
        value=lambda board, line: line.smallest.value if line.smallest else None,
        text=values.smallest,
        place=40,
        over_scales=True,
        csv=False,
    ),
    score(
        "balanced_accuracy",
        "Bal. acc.",
        "Mean recall over the classes, in %.",
        say=numbers.share,
        place=51,
    ),
    score("macro_f1", "Macro-F1", "Mean F1 over the classes, in %.", say=numbers.share, place=50),
    score("nll", "NLL", "Mean of -log of the true class's probability.", "lower", hidden=True),
    score("ece", "ECE", "Expected calibration error over 15 bins.", "lower", hidden=True),
    cost("parameters", "Params", "Parameters used for one face.", numbers.count, 70),
    cost("macs", "MACs", "Multiply-adds for one face.", numbers.count, 71),
    cost(
        "latency_ms",
        "Latency",
        "Time for one face at batch 1. Sorted by only where all were measured alike, and alone.",
        numbers.milliseconds,
        72,
        value=timing.sortable,
        head_on=timing.head,
    ),
    Column(
        "train_seconds",
        "Training",
        "Time to train all models of the line, each shared stage once.",
        "lower",
        value=lambda board, line: values.training_seconds(line),
        head_on=timing.training_head,
        say=numbers.duration,
        place=73,
        over_scales=True,
        row=_mean("train_seconds"),
    ),
    *_means("train_seconds_with_stages", "throughput", "peak_memory_mb"),
    csv_only(
        "trained_scales", lambda row: ";".join(map(str, row.record.train.scales)) or "nothing"
    ),
    csv_only("status", lambda row: row.status),
    csv_only("seed_list", lambda row: ";".join(map(str, row.seeds))),
    csv_only("accuracy_std", lambda row: row.accuracy.std if row.accuracy else None),
    *_means("n"),
    csv_only("clean_accuracy", lambda row: row.clean, interval=True),
    *_means("clean_n", "clean_balanced_accuracy", "clean_macro_f1", "clean_nll", "clean_ece"),
    of_line("retained", lambda row, line: line.retained.get(row.scale), interval=True),
    of_line("best", _is_best),
    of_leak_free("retained", lambda row, line: line.retained.get(row.scale), interval=True),
    of_leak_free("best", _is_best),
    of_leak_free("rank", lambda row, line: line.rank),
    of_leak_free("area", lambda row, line: line.area, interval=True),
    Column(
        "rank",
        "#",
        "1 is the best, shared by all that are level with it.",
        "lower",
        value=lambda board, line: line.rank,
        text=values.rank,
        place=0,
        over_scales=True,
    ),
    Column(
        "area",
        "Area",
        "Area under the accuracy over log2 of the size, 1 is the most.",
        value=lambda board, line: line.area.value if line.area else None,
        text=values.area,
        place=30,
        only_if=lambda board: len(board.lr_scales) > 1,
        over_scales=True,
        row=lambda row, home: home[1].area if home else None,
        interval=True,
    ),
    csv_only("kind", lambda row: row.record.method.kind),
    csv_only("test_time_augmentation", lambda row: row.record.method.test_time_augmentation or ""),
    csv_only("synthetic", lambda row: row.record.dataset.synthetic),
    csv_only("method_name", lambda row: row.first.method_name),
    csv_only("method_version", lambda row: row.record.method.version),
    csv_only("settings", lambda row: json.dumps(row.record.method.settings, sort_keys=True)),
    csv_only("source", lambda row: row.record.method.source),
    csv_only("selection", lambda row: ";".join(row.rules)),
    csv_only("fingerprint", lambda row: row.record.dataset.fingerprint),
    Column(
        "trials",
        "Tuned",
        "How many trials of `tune` chose the settings, on validation only.",
        value=tuned.value,
        text=tuned.text,
        place=91,
        only_if=tuned.was_tuned,
        row=lambda row, home: tuned.most(row),
    ),
    *_means("latency_q1_ms", "latency_q3_ms"),
    cost(
        "onnx_latency_ms",
        "ONNX latency",
        "Time for one face of the exported model, at batch 1. Sorted by where measured alike.",
        numbers.milliseconds,
        72,
        value=timing.onnx_sortable,
        head_on=timing.onnx_head,
        only_if=lambda board: bool(timing.onnx_timings(board)),
    ),
    csv_only("targets", lambda row: row.record.train.targets or "majority"),
)
