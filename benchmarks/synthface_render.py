"""How many SynthFace faces one core renders a second, and how that grows with the size.

    python benchmarks/synthface_render.py [--identities 9]

At 48 pixels, with 4x4 samples a pixel.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from lrfer_bench.plugins.registry import DATASETS


def faces_per_second(size: int, identities: int) -> float:
    """By processor time, so that neighbours count for little."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "faces"
        started = time.process_time()
        DATASETS.load("synthface")().render(out=out, size=size, identities=identities, seed=5)
        return len(list(out.rglob("*.png"))) / (time.process_time() - started)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--identities", type=int, default=9)
    identities = parser.parse_args().identities
    faces_per_second(48, 1)  # the rig and the libraries are loaded by now
    base = faces_per_second(48, identities)
    print(f"48 pixels: {base:.1f} faces a second of processor time")
    for size in (96, 224):
        rate = faces_per_second(size, identities)
        print(f"{size} pixels: {rate:.1f} faces a second, {rate / base:.2f} times the speed at 48")


if __name__ == "__main__":
    main()
