"""A long kill storm in parts: python benchmarks/kill_storm.py --parts 0-14 --tally storm.jsonl.

Each part is tests/assault/test_kill_storm.py with a seed of its own, some 20 kills. --minutes ends
between two parts; a later call goes on with the parts that the tally does not hold. Prints how many
kills hit what, added up. Exit status 1 where a part failed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]


def lines(tally: Path) -> list[dict]:
    return [json.loads(line) for line in tally.read_text().splitlines()] if tally.exists() else []


def storm(seed: int, kills: int, tally: Path) -> bool:
    """One part; a part that failed leaves no line, so that it is run again."""
    own = tally.with_name(f"{tally.name}.part")
    own.unlink(missing_ok=True)
    asked = ["-m", "pytest", "-q", "-s", "--run-slow", "tests/assault/test_kill_storm.py"]
    settings = {"KILLS": str(kills), "SEED": str(seed), "TALLY": str(own)}
    extra = {f"LRFER_ASSAULT_{name}": value for name, value in settings.items()}
    done = subprocess.run([sys.executable, *asked], cwd=ROOT, env={**os.environ, **extra})
    if done.returncode == 0:
        with tally.open("a") as file:
            file.write(own.read_text())
    own.unlink(missing_ok=True)
    return done.returncode == 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", default="0-14", help="seeds: FIRST-LAST, or one")
    parser.add_argument("--kills", type=int, default=20, help="a part")
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--tally", type=Path, required=True)
    asked = parser.parse_args()
    asked.tally = asked.tally.absolute()
    first, _, last = asked.parts.partition("-")
    began, failed = time.monotonic(), []
    for seed in range(int(first), int(last or first) + 1):
        if seed in {line["seed"] for line in lines(asked.tally)}:
            continue
        if time.monotonic() - began > 60 * asked.minutes:
            break
        if not storm(seed, asked.kills, asked.tally):
            failed.append(seed)
    hits: Counter[str] = Counter()
    for line in lines(asked.tally):
        hits.update(line["hits"])
    parts, seconds = len(lines(asked.tally)), sum(line["seconds"] for line in lines(asked.tally))
    for what, count in sorted(hits.items()):
        print(f"{count:5}  {what}")
    print(f"{sum(hits.values()):5}  kills that hit, in {parts} parts and {seconds} s")
    if not sum(hits.values()):
        sys.exit("no kill hit anything")
    if failed:
        sys.exit(f"parts that failed: {failed}")


if __name__ == "__main__":
    main()
