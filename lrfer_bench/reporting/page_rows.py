"""What the page knows of a row and its records, as plain data."""

from __future__ import annotations

import math
from typing import Any

from lrfer_bench.reporting import numbers, timing
from lrfer_bench.reporting.collect import Report
from lrfer_bench.reporting.counts import (
    class_recall,
    confusion,
    reliability_points,
    shares,
)
from lrfer_bench.reporting.frame import Result
from lrfer_bench.reporting.rows import Row
from lrfer_bench.scoring.bootstrap import Estimate
from lrfer_bench.store.schema import Record

FULL_RECORDS = 1_500_000
"""Most characters of whole records in a page; where there are more, only file names are shown."""


class Records:
    """The records that rows name by their place; a row and its leak-free twin share theirs."""

    def __init__(self, report: Report) -> None:
        self.found: list[dict[str, str]] = []
        self._places: dict[int, int] = {}
        self._whole = sum(_weight(result.record) for result in report.results) <= FULL_RECORDS

    def places(self, row: Row) -> list[int]:
        for result in row.results:
            if id(result) not in self._places:
                self._places[id(result)] = len(self.found)
                self.found.append(_record(result, self._whole))
        return [self._places[id(result)] for result in row.results]


def row_data(report: Report, row: Row, records: Records) -> dict[str, Any]:
    """A row's numbers, both to draw and as text: the script rounds nothing by itself."""
    places = records.places(row)
    if not row.counted:
        return {"records": places}
    recall = [class_recall(row, k) for k in range(len(row.record.dataset.classes))]
    return {
        "px": row.size_px,
        "n": int(row.means["n"]),
        "partial": not row.whole,
        "accuracy": estimate(row.accuracy),
        "std": numbers.deviation(row.accuracy.std) if row.accuracy and row.accuracy.std else None,
        "facts": [*_facts(row, recall), *_asked_for(report, row)],
        "records": places,
        "confusion": confusion(row).ravel().tolist(),
        "shares": [numbers.whole(float(share)) for share in shares(row).ravel()],
        "recall": [None if value is None else round(value, 5) for value in recall],
        "calibration": _calibration(row),
        "macs": row.means["macs"],
        "parameters": row.means["parameters"],
        "latency": row.means["latency_ms"],
        "said": {
            "macs": numbers.count(row.means["macs"]),
            "parameters": numbers.count(row.means["parameters"]),
            "latency": numbers.milliseconds(row.means["latency_ms"]),
        },
    }


def _calibration(row: Row) -> list[list[float]]:
    if not row.tested:
        return []
    return [[round(sure, 4), round(right, 4)] for sure, right in reliability_points(row)]


def _facts(row: Row, recall: list[float | None]) -> list[list[str]]:
    """Name and text of what stands behind a number."""
    means, classes = row.means, row.record.dataset.classes
    own, shared = (
        numbers.duration(means[name]) for name in ("train_seconds", "train_seconds_with_stages")
    )
    found = [f"{name} {numbers.share(value)}" for name, value in zip(classes, recall, strict=True)]
    conditions = ", ".join(sorted(timed.said for timed in timing.timings([row])))
    if "latency_q1_ms" in means and "latency_q3_ms" in means:
        low, high = (numbers.milliseconds(means[f"latency_{q}_ms"]) for q in ("q1", "q3"))
        conditions = f"half of the calls {low} to {high}; {conditions}"
    return [
        ["Recall in %", ", ".join(found)],
        ["Macro-F1, balanced accuracy",
         f"{numbers.share(means['macro_f1'])}, {numbers.share(means['balanced_accuracy'])}"],
        ["NLL, ECE", f"{numbers.plain(means['nll'])}, {numbers.plain(means['ece'])}"],
        ["Parameters", numbers.count(means["parameters"])],
        ["MACs", numbers.count(means["macs"])],
        ["Latency", f"{numbers.milliseconds(means['latency_ms'])} ({conditions})"],
        ["Throughput", f"{numbers.count(means['throughput'])} faces a second at batch 64"],
        ["Training", f"{own}, with its stages {shared}"],
    ]  # fmt: skip


def _asked_for(report: Report, row: Row) -> list[list[str]]:
    """The metrics of --metrics, with their intervals."""
    found = []
    for column in report.columns:
        if column.name in row.measured:
            value = row.measured[column.name]
            text = column.say(value.value)
            if not math.isnan(value.low):
                text += f" [{column.say(value.low)}, {column.say(value.high)}]"
            found.append([column.head, text])
    return found


def estimate(found: Estimate | None) -> list[Any] | None:
    """[value, low, high, text as percent, interval as text]; bounds None when unknown."""
    if found is None:
        return None
    low, high = (None if math.isnan(v) else round(v, 5) for v in (found.low, found.high))
    return [round(found.value, 5), low, high, numbers.percent(found), numbers.bounds(found)]


def _record(result: Result, whole: bool) -> dict[str, str]:
    record = result.record
    score: str = record.status
    if record.metrics:
        score = f"accuracy {numbers.share(record.metrics.all.accuracy)}"
    summary = f"seed {record.seed}: {score}, key {record.key[:12]}"
    if whole:
        return {"summary": summary, "text": record.model_dump_json(indent=1)}
    chosen = "no epoch"
    if record.selection:
        chosen = f"epoch {record.selection.epoch} of {record.selection.epochs}"
    return {"summary": summary, "text": f"records/{record.stem}.json\n{chosen}"}


def _weight(record: Record) -> int:
    """A rough upper bound of a record's length as text."""
    epochs = len(record.history) * 160
    failure = len(record.failure.traceback) if record.failure else 0
    return 2500 + epochs + failure + 14 * len(record.dataset.classes) ** 2
