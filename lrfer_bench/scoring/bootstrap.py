"""Intervals from a hierarchical bootstrap over seeds and test images; vectorised over many columns, numpy and scipy only.

The model behind it: seed s and test image i are crossed (every seed meets the same images), so an answer's score is
mean + seed effect + image effect + their interaction. docs/statistics.md derives what is computed here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

LEVEL = 0.95
BLOCK = 4_000_000
"""Numbers drawn at a time: keeps the weights of one block near 32 MB, whatever the size of the test split."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds and images with its interval. std: between seeds, ddof 1, None for one seed."""

    value: float
    low: float
    high: float
    seeds: int
    images: int
    std: float | None = None


@dataclass(frozen=True)
class Column:
    """One quantity, ready to be resampled: what a table's cell, an area or a difference is made of.

    value:      mean over seeds and images
    per_image:  float32 [N], mean over seeds
    per_seed:   float64 [S], mean over images
    image_var:  variance of value that comes from the images (interaction with the seeds included)
    seed_var:   variance of value that comes from the seeds, not below 0; 0 for one seed
    paired:     a difference to be tested: widened as a whole by Student's t, see freedom; else the seeds' part alone is
    """

    value: float
    per_image: NDArray[np.float32]
    per_seed: Floats
    image_var: float
    seed_var: float
    paired: bool = False

    @property
    def images(self) -> int:
        return len(self.per_image)

    @property
    def seeds(self) -> int:
        return len(self.per_seed)

    @property
    def freedom(self) -> float:
        """Degrees of freedom of a paired test: seeds - 1, divided by the seeds' share of the variance; inf for one seed.

        Fewer than Welch and Satterthwaite's, whose share is squared: with two or three seeds theirs finds too many
        differences where there are none (docs/statistics.md has the simulation).
        """
        if self.seed_var == 0:
            return float("inf")
        return (self.seeds - 1) * (self.image_var + self.seed_var) / self.seed_var


def column(values: ArrayLike, paired: bool = False) -> Column:
    """Split the variance of the mean of values [S, N] (seed, image) into the part of the images and that of the seeds.

    Unbiased for crossed effects: Var(images) + Var(seeds) - Var(interaction), as in two-way clustering
    (Cameron, Gelbach and Miller, 2011, section 2.1); the interaction is taken off the seeds' part.
    paired: the values are differences to be tested; the interaction is left in, which errs towards "no difference".
    """
    scores = np.atleast_2d(np.asarray(values, dtype=np.float32))
    seeds, images = scores.shape
    if images == 0:
        raise ValueError("there are no images to resample")
    per_image = scores.mean(axis=0, dtype=np.float32)
    per_seed = scores.mean(axis=1, dtype=np.float64)
    value = float(per_seed.mean())
    around = per_image - np.float32(value)
    image_var = float(around @ around) / max(images - 1, 1) / images
    if seeds == 1:
        return Column(value, per_image, per_seed, image_var, 0.0, paired)
    between = float(per_seed.var(ddof=1))
    if paired:
        return Column(value, per_image, per_seed, image_var, between / seeds, paired)
    residuals = (scores - per_image).ravel()
    within = float(residuals @ residuals)
    interaction = max(within - images * (seeds - 1) * between, 0.0) / ((seeds - 1) * max(images - 1, 1))
    return Column(value, per_image, per_seed, image_var, max(between - interaction / images, 0.0) / seeds)


def student(freedom: float, level: float = LEVEL) -> float:
    """How much wider than a normal an interval from few seeds has to be: Student's t over z at this level."""
    upper = 0.5 + level / 2
    return float(special.stdtrit(freedom, upper) / special.ndtri(upper)) if np.isfinite(freedom) else 1.0


class Resampler:
    """The same draws of images and seeds for everything that is measured on one test set, so that pairs stay pairs."""

    def __init__(self, images: int, resamples: int = 1000, seed: int = 0) -> None:
        self.images = images
        self.resamples = resamples
        self.seed = seed

    def draws(self, columns: Sequence[Column], names: Sequence[Sequence[int]] | None = None) -> Floats:
        """Resampled values [resamples, columns].

        names: which seeds stand behind each column; columns of the same seeds get the same seed draws. Images are drawn
        with replacement. Two to five seeds are too few for that: their deviations get standard normal weights (the wild
        bootstrap; Wu, 1986), scaled to the seed_var of the column and by Student's t over z (for a paired column: all is).
        """
        centre = np.array([c.value for c in columns])
        values = np.stack([c.per_image for c in columns], axis=1) - centre.astype(np.float32)
        out = np.empty((self.resamples, len(columns)))
        for start, weights in self._weights():
            out[start : start + len(weights)] = weights @ values / self.images
        for k, entry in enumerate(columns):
            if entry.seed_var > 0:
                out[:, k] += self._shift(entry, names[k] if names is not None else range(entry.seeds))
            out[:, k] *= student(entry.freedom) if entry.paired else 1.0
        return out + centre

    def _weights(self) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Blocks of multinomial counts float32 [rows, images]: how often each image is drawn."""
        rows = max(1, BLOCK // self.images)
        for start in range(0, self.resamples, rows):
            count = min(rows, self.resamples - start)
            rng = np.random.default_rng([self.seed, start])
            picks = rng.integers(0, self.images, (count, self.images))
            picks += self.images * np.arange(count)[:, None]
            counts = np.bincount(picks.ravel(), minlength=count * self.images)
            yield start, counts.reshape(count, self.images).astype(np.float32)

    def _shift(self, entry: Column, names: Sequence[int]) -> Floats:
        weights = np.stack(
            [np.random.default_rng([self.seed, 1, abs(n)]).standard_normal(self.resamples) for n in names]
        )
        deviations = entry.per_seed - entry.value
        size = np.sqrt(entry.seed_var / float(deviations @ deviations))
        size *= 1.0 if entry.paired else student(entry.seeds - 1)
        return np.asarray(deviations @ weights) * size


def intervals(columns: Sequence[Column], draws: Floats, level: float = LEVEL, share: bool = True) -> list[Estimate]:
    """Percentile intervals of the draws of Resampler.draws.

    share: the values are shares of images, so intervals stay in 0..1, and a column that is right (or wrong) everywhere,
    whose resamples all agree, gets the exact interval of Clopper and Pearson instead of no width at all.
    """
    tails = [50 * (1 - level), 50 * (1 + level)]
    bounds = np.percentile(draws, tails, axis=0) if len(columns) else np.empty((2, 0))
    found = []
    for entry, (low, high) in zip(columns, bounds.T, strict=True):
        if share:
            low, high = max(low, 0.0), min(high, 1.0)
            edge = ((1 - level) / 2) ** (1 / entry.images)
            low = min(low, edge) if entry.value == 1 else low
            high = max(high, 1 - edge) if entry.value == 0 else high
        std = float(entry.per_seed.std(ddof=1)) if entry.seeds > 1 else None
        found.append(Estimate(entry.value, float(low), float(high), entry.seeds, entry.images, std))
    return found
