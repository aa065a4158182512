"""How often the paired test over seeds finds a difference of some points, in simulated worlds.

    python benchmarks/power_of_seeds.py [--worlds 1000]

A world has 3,589 faces, as many as FER2013's test split, and three trainings of two methods. The
chance that a face is recognised is spread as in the records of preset cpu@2 on FER2013: most faces
are always right or always wrong, so that two trainings of a method differ by 0.54 points on
average, though their seeds move the accuracy by 0.1 points only. Printed: the share of worlds with
p under 0.05, and under 0.05/17, the first step of Holm's method in a column of 18 rows.
"""

from __future__ import annotations

import argparse

import numpy as np
from scipy.special import expit

from lrfer_bench.scoring.paired import paired

IMAGES, SEEDS, ROWS = 3589, 3, 17
EASE, SPREAD, OWN, SEED_POINTS = 0.75, 4.5, 1.0, 0.1
"""Logits: mean and spread of the faces' ease, a method's own taste; points that a seed moves."""


def world(rng: np.random.Generator, points: float) -> tuple[np.ndarray, np.ndarray]:
    """Which faces two methods recognise, bool [SEEDS, IMAGES] each; the first is points ahead."""
    ease = rng.normal(EASE, SPREAD, IMAGES)
    found = []
    for ahead in (points, 0.0):
        logit = ease + rng.normal(0, OWN, IMAGES)
        share = expit(logit)
        slope = 100 * float((share * (1 - share)).mean())  # points for one logit
        moved = (ahead + rng.normal(0, SEED_POINTS, (SEEDS, 1))) / slope
        found.append(rng.random((SEEDS, IMAGES)) < expit(logit + moved))
    return found[0], found[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worlds", type=int, default=1000)
    worlds = parser.parse_args().worlds
    rng = np.random.default_rng(7)
    print("points  p < 0.05  p < 0.05/17")
    for points in (0.0, 1.0, 1.5, 2.0, 2.5):
        p = np.array([paired(*world(rng, points))[1] for _ in range(worlds)])
        shares = (100 * float((p < level).mean()) for level in (0.05, 0.05 / ROWS))
        print(f"{points:6.1f}  " + "  ".join(f"{share:7.1f} %" for share in shares), flush=True)


if __name__ == "__main__":
    main()
