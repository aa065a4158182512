"""How long a network takes: the median over many calls and its spread, with nothing beside it."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lrfer_bench.contract.method import Method
from lrfer_bench.errors import UserError
from lrfer_bench.machine import load
from lrfer_bench.machine.limits import usable_cores
from lrfer_bench.running.cost import LARGE_BATCH, large_batch, seconds_each
from lrfer_bench.running.devices import devices_of
from lrfer_bench.running.environment import processor
from lrfer_bench.training.arithmetic import gpu_name

WARM_UP, FEWEST, MOST = 5, 20, 200
SECONDS = 2.0
"""A network is called MOST times, or for about so long, but FEWEST times in any case."""


@dataclass(frozen=True)
class Spread:
    """Seconds of one call: the median and the quartiles, between which half of the calls lie."""

    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Times:
    """What was measured of a network. alone: nothing else used the machine meanwhile."""

    latency: Spread
    throughput: float
    alone: bool


@dataclass(frozen=True)
class Bench:
    """Where networks are measured: a device, and threads of the processor."""

    device: torch.device
    threads: int

    @property
    def name(self) -> str:
        """The processor's or the GPU's name."""
        return processor() if self.device.type == "cpu" else gpu_name(self.device)

    def told(self, what: str) -> dict[str, str]:
        """The conditions as a record's environment has them, but for the load.

        what: "latency" or "onnx", which the names begin with
        """
        threads = {f"{what}_threads": str(self.threads)} if self.device.type == "cpu" else {}
        return {f"{what}_device": self.name, **threads}


def bench_of(device: str | None, threads: int) -> Bench:
    """The bench of these words; of several devices the first, see devices_of().

    UserError for a device that is not here, and for threads that this process cannot have.
    """
    found = torch.device(devices_of(device)[0])
    if not 1 <= threads <= usable_cores():
        raise UserError(
            f"--threads {threads} is not possible: this process may use 1 to {usable_cores()} cores"
        )
    return Bench(found, threads)


def measured(method: Method, lr: Tensor, bench: Bench) -> Times:
    """Latency for one face and throughput in batches of 64, on faces uint8 [1, C, h, w]."""
    one, many = lr[:1].to(bench.device), large_batch(lr).to(bench.device)
    return times_of(lambda: method(one), lambda: method(many), bench)


def times_of(one: Callable[[], object], many: Callable[[], object], bench: Bench) -> Times:
    """The times of two calls: for one face, and for a batch of 64."""
    quiet = is_quiet_gpu(bench.device)
    with undisturbed(bench.threads), watched() as others:
        latency, batch = spread(one, bench.device), spread(many, bench.device)
    return Times(latency, LARGE_BATCH / batch.median, quiet and others.quiet)


def spread(call: Callable[[], object], device: torch.device) -> Spread:
    """Median and quartiles of the seconds that a call takes."""
    (first,) = seconds_each(call, device, WARM_UP, 1)
    repeats = int(min(max(SECONDS / max(first, 1e-9), FEWEST), MOST))
    low, median, high = np.percentile(seconds_each(call, device, WARM_UP, repeats), (25, 50, 75))
    return Spread(float(median), float(low), float(high))


@contextmanager
def undisturbed(threads: int) -> Iterator[None]:
    """So many torch threads, and no garbage collection meanwhile."""
    before, collecting = torch.get_num_threads(), gc.isenabled()
    torch.set_num_threads(threads)
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        torch.set_num_threads(before)
        if collecting:
            gc.enable()


class Others:
    """What other processes did in a while. quiet: no more than a system needs for itself."""

    quiet = False


@contextmanager
def watched() -> Iterator[Others]:
    """Watches other processes while the block runs, and longer where it is too short to tell."""
    others, start = Others(), load.now()
    yield others
    time.sleep(max(0.0, load.WINDOW_SECONDS - (load.now().clock - start.clock)))
    others.quiet = load.is_quiet(start.cores_of_others(load.now()))


def is_quiet_gpu(device: torch.device) -> bool:
    """Whether nobody else computes on a GPU now; true for a processor, and where nobody tells."""
    if device.type != "cuda":
        return True
    torch.cuda.synchronize(device)
    time.sleep(load.WINDOW_SECONDS)  # what was measured before must not count
    uuid = getattr(torch.cuda.get_device_properties(device), "uuid", None)  # some torch has none
    percent = load.gpu_percent(f"GPU-{uuid}") if uuid else None
    return percent is None or percent <= load.IDLE_GPU_PERCENT
