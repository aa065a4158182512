"""How much of a bare loop's speed the training loop keeps.

    python benchmarks/training_loop.py [--rounds 7]

Both have the same network, batch and optimiser and one thread, in one run. The bare loop does
nothing but forward, cross-entropy, backward and step on float tensors that lie in memory. Ours
draws, flips, shifts and degrades the faces, enlarges them again, follows the mean of the weights
and the schedule, and tells its progress; validation and checkpoints are left out of both. The two
take turns, so a machine that changes its speed changes both.
"""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F

from lrfer_bench.contract.faceset import Split
from lrfer_bench.contract.method import Method, Task
from lrfer_bench.contract.preset import preset_of
from lrfer_bench.planning.plan import MethodRef
from lrfer_bench.planning.settings import complete_settings
from lrfer_bench.plugins.registry import METHODS
from lrfer_bench.protocols.resample import Bicubic
from lrfer_bench.running.models import build_method
from lrfer_bench.training.batches import BatchSource
from lrfer_bench.training.loop import train

STEPS = 16
CPU = torch.device("cpu")


def fresh() -> Method:
    preset = replace(preset_of("cpu"), epochs=1)
    settings = complete_settings("direct", METHODS.load("direct"), {})
    ref = MethodRef("direct", "1", "", "", "", settings, {})
    return build_method(ref, Task(7, 1, (48, 48), (4,), preset), CPU)


def bare_seconds(faces: torch.Tensor, labels: torch.Tensor, batch: int) -> float:
    method = fresh().train()
    net = method.net
    (optimizer,) = method.optimizers().values()
    started = time.perf_counter()
    for at in range(0, STEPS * batch, batch):
        loss = F.cross_entropy(
            net(faces[at : at + batch]), labels[at : at + batch], label_smoothing=0.1
        )
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    return time.perf_counter() - started


def our_seconds(split: Split, batch: int) -> float:
    method = fresh()
    source = BatchSource(split, Bicubic(), (4,), batch, 4, "key", CPU)
    started = time.perf_counter()
    train(method, source, lambda method: 0.0)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    batch = preset_of("cpu").batch
    rng = np.random.default_rng(0)
    split = Split(
        rng.integers(0, 256, (STEPS * batch, 1, 48, 48), dtype=np.uint8),
        np.arange(STEPS * batch) % 7,
    )
    faces = (torch.from_numpy(split.images) / 255.0).contiguous(memory_format=torch.channels_last)
    labels = torch.from_numpy(split.labels)
    bare_seconds(faces, labels, batch), our_seconds(split, batch)  # warm up
    ratios = [bare_seconds(faces, labels, batch) / our_seconds(split, batch) for _ in range(rounds)]
    print(
        f"speed kept: median {statistics.median(ratios):.3f} (min {min(ratios):.3f}, max "
        f"{max(ratios):.3f}, {rounds} rounds)"
    )


if __name__ == "__main__":
    main()
