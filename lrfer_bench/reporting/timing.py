"""What a latency was measured on, and whether the latencies of a board compare.

Quick to import (no numpy, no pandas), like all that columns are made of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lrfer_bench.reporting import values

if TYPE_CHECKING:
    from lrfer_bench.reporting.boards import Board
    from lrfer_bench.reporting.lines import Line
    from lrfer_bench.reporting.rows import Row
    from lrfer_bench.store.schema import Record


@dataclass(frozen=True)
class Timing:
    """Under what conditions a latency was taken.

    device: processor or GPU, "" where the record does not say
    threads: of the processor, "" where the record does not say
    alone: nothing else ran on the machine
    runtime: what ran it, "torch 2.14.1" or "onnxruntime 1.20.0"; "" where the record does not say
    """

    device: str
    threads: str
    alone: bool
    runtime: str = ""

    @property
    def said(self) -> str:
        """As the head of a column has it."""
        parts = [*filter(None, [self.runtime]), self.device or "hardware not told"]
        if self.threads:
            parts.append(_counted(self.threads))
        parts.append("batch 1")
        return " · ".join(parts if self.alone else [*parts, "beside other work"])


def _counted(threads: str) -> str:
    return f"{threads} thread{'' if threads == '1' else 's'}"


def timing_of(record: Record) -> Timing:
    """The conditions of a record's latency, from its environment.

    `latency_alone` ("yes"), `latency_device` and `latency_threads` stand there when the latency
    was measured by itself. A latency of a run was taken beside whatever else the machine did, on
    the GPU or processor of the run. `latency_torch` came later: records without it are alike, and
    unlike those that have it.
    """
    told = record.environment
    device = told.get("latency_device") or told.get("gpu") or told.get("processor", "")
    alone = told.get("latency_alone") == "yes"
    return Timing(device, told.get("latency_threads", ""), alone, _torch(told, "latency"))


def _torch(told: Mapping[str, str], what: str) -> str:
    """ "torch 2.14.1", "" where an environment does not say under which it was measured."""
    version = told.get(f"{what}_torch", "")
    return f"torch {version}" if version else ""


def onnx_timing_of(record: Record) -> Timing:
    """The same of the exported model: `onnx_runtime` says the version of onnxruntime."""
    told = record.environment
    alone, runtime = told.get("onnx_alone") == "yes", told.get("onnx_runtime", "")
    return Timing(
        told.get("onnx_device", ""), told.get("onnx_threads", ""), alone, f"onnxruntime {runtime}"
    )


def onnx_timings(board: Board) -> set[Timing]:
    """All conditions that stand behind the ONNX latencies of a board."""
    records = [r.record for line in board.lines for row in line.shown for r in row.finished]
    return {onnx_timing_of(r) for r in records if r.cost and r.cost.onnx_latency_ms is not None}


def onnx_sortable(board: Board, line: Line) -> float | None:
    """The largest ONNX latency over the LR scales; None where one is missing or none compare."""
    values = [row.means.get("onnx_latency_ms") for row in line.over(board.lr_scales)]
    found = [value for value in values if value is not None]
    conditions = onnx_timings(board)
    alike = len(conditions) == 1 and all(timing.alone for timing in conditions)
    return max(found) if alike and found and len(found) == len(values) else None


def onnx_head(board: Board) -> str:
    """ "ONNX latency (onnxruntime 1.20.0 · AMD EPYC · 1 thread · batch 1)", or that it differs."""
    return _head("ONNX latency", onnx_timings(board))


def timings(rows: Iterable[Row]) -> set[Timing]:
    """All conditions that stand behind the latencies of rows."""
    return {timing_of(result.record) for row in rows for result in row.finished}


def comparable(board: Board) -> bool:
    """Whether the latencies of a board were all taken alike, with nothing else running."""
    return len(board.timings) == 1 and all(timing.alone for timing in board.timings)


def sortable(board: Board, line: Line) -> float | None:
    """The largest latency over the LR scales, to sort by; None where latencies do not compare."""
    return values.largest(board, line, "latency_ms") if comparable(board) else None


def head(board: Board) -> str:
    """ "Latency (AMD EPYC · 2 threads · batch 1)", or that it differs from row to row."""
    return _head("Latency", board.timings)


def with_new_weights(board: Board) -> bool:
    """Whether a latency of a board, in torch or as ONNX, is not of the trained model itself."""
    told = (r.record.environment for line in board.lines for row in line.shown
            for r in row.finished)  # fmt: skip
    return any(each.get(f"{name}_weights") for each in told for name in ("latency", "onnx"))


def training_conditions(board: Board) -> set[str]:
    """Under what the training times of a board were taken; "": in a run, beside other work.

    Rows that train nothing, stages included, have none.
    """
    rows = [row for line in board.lines for row in line.shown]
    records = [result.record for row in rows for result in row.finished]
    return {_trained_under(r) for r in records if r.cost and r.cost.train_seconds_with_stages}


def _trained_under(record: Record) -> str:
    told = record.environment
    if told.get("training_alone") != "yes":
        return ""
    threads = told.get("training_threads", "")
    parts = [_torch(told, "training"), told.get("training_device", "")]
    parts.append(_counted(threads) if threads else "")
    return " · ".join([*filter(None, parts), "by a few steps alone"])


def training_head(board: Board) -> str:
    """ "Training (AMD EPYC · 1 thread · by a few steps alone)", where all were taken so."""
    conditions = training_conditions(board)
    return f"Training ({next(iter(conditions))})" if _alike(conditions) else "Training"


def _alike(conditions: set[str]) -> bool:
    return len(conditions) == 1 and "" not in conditions


def _head(name: str, conditions: set[Timing]) -> str:
    if len(conditions) == 1:
        return f"{name} ({next(iter(conditions)).said})"
    return f"{name} (batch 1, hardware or load differ)" if conditions else name


def note(board: Board) -> str:
    """Sentences where latencies or training times do not compare, or need a word; else ""."""
    if not any(line.shown for line in board.lines):
        return ""
    said = []
    if not comparable(board):
        said.append(
            "Latencies were taken beside other work or on different hardware: no row is sorted by "
            "them and they form no front. The command lrfer-bench measure takes them alike, and "
            "alone."
        )
    if len({timing.runtime for timing in board.timings}) > 1:
        said.append("Not all of them say that they were taken under the same version of torch.")
    if with_new_weights(board):
        said.append(
            "Some latencies are of networks with new weights, as their models were not at hand "
            "(lrfer-bench measure --untrained): the same operations on the same shapes."
        )
    trained = training_conditions(board)
    if trained and not _alike(trained):
        said.append(
            "Training times were taken beside other work or on different hardware; "
            "lrfer-bench measure --training takes them alike, and alone."
        )
    return " ".join(said)
