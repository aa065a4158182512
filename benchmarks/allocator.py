"""What keeping freed memory spares a training: processor time, page faults and peak memory, with and without.

    python benchmarks/allocator.py [--rounds 4] [--steps 12] [--preset cpu]

Each measurement is a process of its own, as a worker is; which one goes first changes from round to round.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import resource
import statistics
import subprocess
import sys
from dataclasses import replace


def measure(keep: bool, steps: int, preset_name: str) -> dict[str, float | str]:
    """In this process: train `direct` at x4 on noise; the first steps, in which memory is first taken, do not count."""
    if keep:
        from lrfer_bench.training.allocator import keep_freed_memory

        if not keep_freed_memory():
            sys.exit("the C library of this system has no mallopt: nothing to measure")
    import numpy as np
    import torch

    from lrfer_bench.contract.faceset import Split
    from lrfer_bench.contract.method import Task
    from lrfer_bench.contract.preset import preset_of
    from lrfer_bench.plugins.registry import METHODS
    from lrfer_bench.protocols.resample import Bicubic
    from lrfer_bench.training.batches import BatchSource
    from lrfer_bench.training.loop import Progress, train

    torch.set_num_threads(1)
    preset = replace(preset_of(preset_name), epochs=2)
    count = steps * preset.batch
    images = np.random.default_rng(0).integers(0, 256, (count, 1, 48, 48), dtype=np.uint8)
    torch.manual_seed(0)
    method = METHODS.load("direct")(Task(7, 1, (48, 48), (4,), preset)).to(
        memory_format=torch.channels_last
    )
    source = BatchSource(
        Split(images, np.arange(count) % 7), Bicubic(), (4,), preset.batch, preset.shift, "key", torch.device("cpu")
    )
    begun: list[resource.struct_rusage] = []

    def tell(progress: Progress) -> None:
        if progress.epoch == 1 and not begun:
            begun.append(resource.getrusage(resource.RUSAGE_SELF))

    weights = train(method, source, lambda trained: 0.0, tell=tell).weights
    after, before = resource.getrusage(resource.RUSAGE_SELF), begun[0]
    digest = hashlib.sha256(b"".join(value.numpy().tobytes() for value in weights.values()))
    return {
        "seconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "faults": float(after.ru_minflt - before.ru_minflt),
        "peak_mb": after.ru_maxrss / 1000,
        "bits": digest.hexdigest()[:16],
    }


def apart(keep: bool, options: list[str]) -> dict[str, float | str]:
    """measure() in a fresh process."""
    command = [sys.executable, __file__, "--measure", "keep" if keep else "give", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float | str] = json.loads(done.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--preset", default="cpu")
    parser.add_argument("--measure", choices=("keep", "give"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        print(json.dumps(measure(given.measure == "keep", given.steps, given.preset)))
        return
    options = ["--steps", str(given.steps), "--preset", given.preset]
    ratios = []
    for number in range(given.rounds):
        order = (False, True) if number % 2 == 0 else (True, False)
        found = {keep: apart(keep, options) for keep in order}
        if found[True]["bits"] != found[False]["bits"]:
            sys.exit("the weights differ: this must not be")
        ratios.append(float(found[True]["seconds"]) / float(found[False]["seconds"]))
        for keep in order:
            row = found[keep]
            print(
                f"{'keep' if keep else 'give back'}: {float(row['seconds']) / given.steps * 1000:.0f} ms of "
                f"processor time a step, {float(row['faults']) / given.steps:.0f} page faults a step, "
                f"peak {row['peak_mb']:.0f} MB, weights {row['bits']}"
            )
    print(f"keep / give back: median {statistics.median(ratios):.3f} (min {min(ratios):.3f}, max {max(ratios):.3f})")


if __name__ == "__main__":
    main()
