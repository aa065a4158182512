"""Latency of exported models in onnxruntime, on the processor."""

from __future__ import annotations

from torch import Tensor

from lrfer_bench.exporting.to_onnx import ask, session
from lrfer_bench.measuring.stopwatch import Bench, Times, times_of
from lrfer_bench.running.cost import large_batch


def onnx_times(data: bytes, lr: Tensor, bench: Bench) -> Times:
    """Latency and throughput of an ONNX file's bytes, on faces uint8 [1, C, h, w]."""
    opened = session(data, bench.threads)
    one, many = lr[:1].numpy(), large_batch(lr).numpy()
    return times_of(lambda: ask(opened, one), lambda: ask(opened, many), bench)
