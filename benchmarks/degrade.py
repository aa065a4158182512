"""Making LR faces: our protocols against Pillow, one core, same faces, in one run.

python benchmarks/degrade.py
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image

from lrfer_bench.contract.protocol import Protocol, lr_size
from lrfer_bench.data.lowres import CHUNK
from lrfer_bench.plugins.registry import PROTOCOLS

FACES = 4096
ROUNDS = 7


def rate(work: Callable[[], object]) -> float:
    """Faces a second, by the median of some rounds."""
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return FACES / statistics.median(times)


def pillow(faces: np.ndarray, side: int) -> None:
    for face in faces:
        np.asarray(Image.fromarray(face).resize((side, side), Image.Resampling.BICUBIC))


def degrade(protocol: Protocol, hr: torch.Tensor, scale: int, seeds: torch.Tensor) -> None:
    """In batches of the size that the harness uses."""
    for start in range(0, FACES, CHUNK):
        protocol.apply(hr[start : start + CHUNK], scale, seeds[start : start + CHUNK])


def main() -> None:
    torch.set_num_threads(1)
    faces = np.random.default_rng(0).integers(0, 256, (FACES, 48, 48), dtype=np.uint8)
    hr, seeds = torch.from_numpy(faces[:, None]), torch.arange(FACES)
    for scale in (2, 4, 8):
        side = lr_size((48, 48), scale)[0]
        theirs = rate(lambda side=side: pillow(faces, side))
        for name in PROTOCOLS.names():
            protocol = PROTOCOLS.load(name)()
            if name == "camera" and scale != 4:
                continue
            ours = rate(lambda protocol=protocol, scale=scale: degrade(protocol, hr, scale, seeds))
            print(
                f"x{scale} {protocol.id}: {ours:.0f} faces/s, {ours / theirs:.1f} times Pillow's "
                f"bicubic ({theirs:.0f})"
            )


if __name__ == "__main__":
    main()
