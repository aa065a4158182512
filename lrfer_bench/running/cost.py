"""What a method costs at test time: parameters, MACs, latency, throughput; a process' memory."""

from __future__ import annotations

import contextlib
import resource
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from lrfer_bench.contract.method import Method

WARM_UP = 3
REPEATS = 15
LARGE_BATCH = 64
UNCALLED = (nn.ParameterList, nn.ParameterDict)


def parameters_used(method: Method, lr: Tensor) -> int:
    """Parameters of every module that answers for one face, stages included.

    A module that is used twice is counted once. One whose methods are called in place of itself is
    known by what it calls in turn; lists of parameters and parts of an attention are those of the
    module that has them, since torch never calls them.
    """
    called = modules_used(method, lr)
    used: dict[int, int] = {}
    for root in (method, *_stages_below(method)):
        for module in root.modules():
            if not called.intersection(module.modules()):
                continue
            lists = [part for part in module.children() if isinstance(part, UNCALLED)]
            parts = [module, *lists]
            if isinstance(module, nn.MultiheadAttention):
                parts.append(module.out_proj)
            found = (p for part in parts for p in part.parameters(recurse=False))
            used |= {id(parameter): parameter.numel() for parameter in found}
    return sum(used.values())


def modules_used(method: Method, lr: Tensor) -> set[nn.Module]:
    """The modules that are called to answer for some faces, those of stages included."""
    roots: list[nn.Module] = [method, *_stages_below(method)]
    used: set[nn.Module] = set()

    def enter(module: nn.Module, inputs: object) -> None:
        used.add(module)

    hooks = [module.register_forward_pre_hook(enter) for root in roots for module in root.modules()]
    try:
        with torch.no_grad():
            method(lr)
    finally:
        for hook in hooks:
            hook.remove()
    return used


def _stages_below(method: Method) -> list[Method]:
    return [part for stage in method.stages.values() for part in (stage, *_stages_below(stage))]


def macs_used(method: Method, lr: Tensor) -> int:
    """Multiply-accumulates of convolutions and matrix products for one face.

    Counted by torch's own counter (its FLOPs halved), without the fused kernels of attentions and
    recurrent layers, which it does not see. Enlarging the face is a pair of matrix products and
    counts as well: 0.03 million from 12 to 48 pixels.
    """
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), _plain_kernels(), counter:
        method(lr)
    return int(counter.get_total_flops()) // 2


@contextlib.contextmanager
def _plain_kernels() -> Iterator[None]:
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with warnings.catch_warnings(), sdpa_kernel(SDPBackend.MATH):
            warnings.simplefilter("ignore", UserWarning)  # torch's, on Intel's GPUs
            with torch.backends.mkldnn.flags(enabled=False):
                yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


def latency_ms(method: Method, lr: Tensor) -> float:
    """Median milliseconds for one face, after warm-up."""
    return 1000.0 * _median_seconds(method, lr[:1])


def throughput(method: Method, lr: Tensor) -> float:
    """Faces a second in batches of 64, after warm-up."""
    return LARGE_BATCH / _median_seconds(method, large_batch(lr))


def large_batch(lr: Tensor) -> Tensor:
    """64 faces, made of these."""
    return lr.repeat(-(-LARGE_BATCH // len(lr)), 1, 1, 1)[:LARGE_BATCH]


def _median_seconds(method: Method, lr: Tensor) -> float:
    return statistics.median(seconds_each(lambda: method(lr), lr.device, WARM_UP, REPEATS))


@torch.no_grad()
def seconds_each(
    call: Callable[[], object], device: torch.device, warm_up: int, repeats: int
) -> list[float]:
    """The seconds of each of so many calls, after some that do not count."""
    times = []
    for _ in range(warm_up + repeats):
        synchronise(device)
        started = time.perf_counter()
        call()
        synchronise(device)
        times.append(time.perf_counter() - started)
    return times[warm_up:]


def synchronise(device: torch.device) -> None:
    """Wait until a GPU has done what it was given; a processor has."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def reset_peak_memory() -> None:
    """Let the peak start again from now, where the system can (Linux)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_memory_mb() -> float:
    """Highest resident memory of this process since the last reset, in MB (1e6 bytes)."""
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    except OSError:
        pass
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
