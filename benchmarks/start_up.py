"""How long the program takes to say its help and to list its methods.

    python benchmarks/start_up.py

It is measured against a bare interpreter that imports click.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

ROUNDS = 9


def seconds(*command: str) -> float:
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        subprocess.run([sys.executable, *command], stdout=subprocess.DEVNULL, check=True)
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def main() -> None:
    bare = seconds("-c", "import click")
    for words in (("--help",), ("methods", "list"), ("datasets", "list")):
        took = seconds("-m", "lrfer_bench", *words)
        print(
            f"lrfer-bench {' '.join(words)}: {took:.2f} s, {took / bare:.1f} times a bare "
            f"interpreter with click ({bare:.2f} s)"
        )


if __name__ == "__main__":
    main()
