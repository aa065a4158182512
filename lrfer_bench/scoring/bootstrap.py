"""Intervals from a hierarchical bootstrap over seeds and test images; numpy and scipy only.

The model behind it: seed s and test image i are crossed (every seed meets the same images), so an
answer's score is mean + seed effect + image effect + their interaction. docs/statistics.md derives
what is computed here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

LEVEL = 0.95
BLOCK = 4_000_000
"""Numbers drawn at a time: one block takes 32 MB or less, however large the test split is."""
REDRAWS = 200
"""Resamples of a number that has to be computed anew from the images of each one."""
FEWEST_IMAGES = 30
"""With fewer test images a bootstrap's intervals are too narrow; intervals() says what holds."""
UNDEFINED = 0.05
"""The largest share of resamples in which such a number may be undefined (NaN)."""

ROUNDING = 1e-6
"""What shares in float32 may differ by and be the same."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds and images with its interval; std: between seeds (ddof 1), None for one."""

    value: float
    low: float
    high: float
    seeds: int
    images: int
    std: float | None = None


@dataclass(frozen=True)
class Quantity:
    """Something to be resampled: a number in a table, an area or a difference.

    value:      mean over seeds and images
    per_image:  float32 [N], mean over seeds
    per_seed:   float64 [S], mean over images
    image_var:  variance of value that comes from the images (interaction with the seeds included)
    seed_var:   variance of value that comes from the seeds, not below 0; 0 for one seed
    paired:     a difference to be tested. All of it is widened by Student's t (see freedom); of any
                other quantity only the seeds' part is
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
    def std(self) -> float | None:
        """Standard deviation between seeds, ddof 1; None for one seed."""
        return float(self.per_seed.std(ddof=1)) if self.seeds > 1 else None

    @property
    def freedom(self) -> float:
        """Degrees of freedom of a paired test: (S - 1) / the seeds' share of the variance.

        Infinite for one seed. Of few images no more than their number less one.

        Fewer than Welch and Satterthwaite's, whose share is squared: with two or three seeds theirs
        finds too many differences where there are none (docs/statistics.md has the simulation).
        """
        few = self.images < FEWEST_IMAGES
        most = max(self.images - 1.0, 1.0) if few else float("inf")
        if self.seed_var == 0:
            return most
        return min((self.seeds - 1) * (self.image_var + self.seed_var) / self.seed_var, most)


def quantity(values: ArrayLike, paired: bool = False) -> Quantity:
    """Split the variance of the mean of values [S, N] (seed, image) into two parts.

    Unbiased for crossed effects: Var(images) + Var(seeds) - Var(interaction), as in two-way
    clustering (Cameron, Gelbach and Miller, 2011, section 2.1); the interaction is taken off the
    seeds' part.
    paired: the values are differences to be tested. The interaction stays in the seeds' part, which
    errs towards "no difference". ValueError when there are no images.
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
        return Quantity(value, per_image, per_seed, image_var, 0.0, paired)
    between = float(per_seed.var(ddof=1))
    if paired:
        return Quantity(value, per_image, per_seed, image_var, between / seeds, paired)
    residuals = (scores - per_image).ravel()
    within = float(residuals @ residuals)
    interaction = max(within - images * (seeds - 1) * between, 0.0)
    interaction /= (seeds - 1) * max(images - 1, 1)
    seed_var = max(between - interaction / images, 0.0) / seeds
    return Quantity(value, per_image, per_seed, image_var, seed_var)


def student(freedom: float, level: float = LEVEL) -> float:
    """How much wider than a normal an interval from few seeds has to be: Student's t over z."""
    upper = 0.5 + level / 2
    if not np.isfinite(freedom):
        return 1.0
    return float(special.stdtrit(freedom, upper) / special.ndtri(upper))


class Resampler:
    """The same draws of images and seeds for all that is measured on one test set.

    So pairs stay pairs.
    """

    def __init__(self, images: int, resamples: int = 1000, seed: int = 0) -> None:
        self.images = images
        self.resamples = resamples
        self.seed = seed

    def draws(
        self, quantities: Sequence[Quantity], names: Sequence[Sequence[int]] | None = None
    ) -> Floats:
        """Resampled values [resamples, quantities].

        names: the seeds behind each quantity; the same seeds get the same seed draws. Images are
        drawn with replacement. Two to five seeds are too few for that: their deviations get
        standard normal weights (the wild bootstrap; Wu, 1986), scaled to the quantity's seed_var
        and by Student's t over z (all of a paired quantity is).
        """
        centre = np.array([q.value for q in quantities])
        values = np.stack([q.per_image for q in quantities], axis=1) - centre.astype(np.float32)
        out = np.empty((self.resamples, len(quantities)))
        for start, weights in self._weights():
            out[start : start + len(weights)] = weights @ values / self.images
        for k, found in enumerate(quantities):
            if found.seed_var > 0:
                out[:, k] += self._shift(
                    found, names[k] if names is not None else range(found.seeds)
                )
            out[:, k] *= student(found.freedom) if found.paired else 1.0
        return out + centre

    def redraw(
        self,
        measure: Callable[[NDArray[np.int64]], ArrayLike],
        values: ArrayLike,
        names: Sequence[int],
    ) -> Estimate:
        """The estimate of a number that is not a mean over images, such as an F1 score.

        measure(picks) gives the number of each seed, [S], on the images picked, int [N]; it is
        called for each of the first 200 resamples. values: [S], on all images. names: the seeds.

        The seeds' part is split off as in quantity(). The draws are moved so that their mean is the
        value: a calibration error, for one, is larger on nearly every resample than on the images
        themselves. There are no bounds (NaN) where the number is undefined in over 5 % of the
        resamples, or the same in all: that says nothing of other images (see all_agree).
        """
        per_seed = np.asarray(values, dtype=np.float64)
        drawn = np.array([measure(picks) for picks in self._first(REDRAWS)], dtype=np.float64)
        defined = np.isfinite(drawn).all(axis=1)
        found = _whole(per_seed, drawn[defined])
        bounds = (float("nan"), float("nan"))
        if defined.size and 1 - defined.mean() <= UNDEFINED:
            means = drawn[defined].mean(axis=1)
            moved = found.value + means - means.mean()
            if found.seed_var > 0:
                moved += self._shift(found, names)[: len(drawn)][defined]
            if not all_agree(moved):
                bounds = tuple(np.percentile(moved, _tails(LEVEL)).tolist())
        return Estimate(found.value, *bounds, found.seeds, self.images, found.std)

    def _first(self, count: int) -> Iterator[NDArray[np.int64]]:
        """The images of the first resamples, int [N] each: those that draws() weighs by."""
        for _, picks in self._picks(min(count, self.resamples)):
            yield from picks

    def _picks(self, count: int) -> Iterator[tuple[int, NDArray[np.int64]]]:
        """Blocks of resamples: the first one's number, and the images drawn, int [rows, images]."""
        rows = max(1, BLOCK // self.images)
        for start in range(0, count, rows):
            rng = np.random.default_rng([self.seed, start])
            yield start, rng.integers(0, self.images, (min(rows, count - start), self.images))

    def _weights(self) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """The same blocks as float32 [rows, images]: how often each image is drawn."""
        for start, picks in self._picks(self.resamples):
            count = len(picks)
            picks += self.images * np.arange(count)[:, None]
            counts = np.bincount(picks.ravel(), minlength=count * self.images)
            yield start, counts.reshape(count, self.images).astype(np.float32)

    def _shift(self, found: Quantity, names: Sequence[int]) -> Floats:
        """What the seeds add to each resample of a quantity, [resamples]."""
        weights = np.stack(
            [
                np.random.default_rng([self.seed, 1, abs(n)]).standard_normal(self.resamples)
                for n in names
            ]
        )
        deviations = found.per_seed - found.value
        size = np.sqrt(found.seed_var / float(deviations @ deviations))
        size *= 1.0 if found.paired else student(found.seeds - 1)
        return np.asarray(deviations @ weights) * size


def _whole(per_seed: Floats, drawn: Floats) -> Quantity:
    """A number that is computed of all images at once, [S], with its resamples, [B, S]."""
    seeds = len(per_seed)
    image_var = float(drawn.mean(axis=1).var()) if len(drawn) else 0.0
    seed_var = 0.0
    if seeds > 1:
        between = float(per_seed.var(ddof=1))
        # What the seeds of one resample differ by, beyond their own means, is the interaction.
        apart = drawn - drawn.mean(axis=1, keepdims=True)
        interaction = float(apart.var(axis=0).sum()) / (seeds - 1) if len(drawn) else 0.0
        seed_var = max(between - interaction, 0.0) / seeds
    nothing = np.empty(0, dtype=np.float32)
    return Quantity(float(per_seed.mean()), nothing, per_seed, image_var, seed_var)


def intervals(
    quantities: Sequence[Quantity], draws: Floats, level: float = LEVEL, share: bool = True
) -> list[Estimate]:
    """Percentile intervals of the draws of Resampler.draws.

    share: the values are shares of images, or means of numbers in 0..1, and intervals stay there.
    One of 1 (or 0), whose resamples all agree, gets the exact interval of Clopper and Pearson
    instead of no width at all. Of fewer than 30 images an interval is at least Wilson's.
    """
    bounds = np.percentile(draws, _tails(level), axis=0) if len(quantities) else np.empty((2, 0))
    found = []
    for entry, (low, high) in zip(quantities, bounds.T, strict=True):
        if share:
            ends = [(max(low, 0.0), min(high, 1.0))]
            edge = float(entry.value > 0.5)
            if abs(entry.value - edge) < ROUNDING:  # a weighted sum of shares is seldom 1 exactly
                ends.append(clopper_pearson_at_edge(edge, entry.images, level))
            if entry.images < FEWEST_IMAGES:
                ends.append(wilson(entry.value, entry.images, level))
            low, high = min(low for low, _ in ends), max(high for _, high in ends)
        found.append(
            Estimate(entry.value, float(low), float(high), entry.seeds, entry.images, entry.std)
        )
    return found


def all_agree(draws: Floats) -> bool:
    """Whether all draws agree, as where every image is right: they would make no interval at all.

    What has no exact interval, as a share has (see intervals), then has none.
    """
    return len(draws) == 0 or bool(np.ptp(draws) <= 1e-9 * np.abs(draws).max())


def wilson(share: float, n: int, level: float = LEVEL) -> tuple[float, float]:
    """Wilson's (1927) score interval of a share of n images, also of a mean of numbers in 0..1.

    >>> [round(end, 3) for end in wilson(0.5, 10)]
    [0.237, 0.763]
    """
    z = float(special.ndtri(0.5 + level / 2))
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * float(np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)))
    return max(middle - half, 0.0), min(middle + half, 1.0)


def clopper_pearson_at_edge(share: float, n: int, level: float = LEVEL) -> tuple[float, float]:
    """The exact interval of a share of n images that is 0 or 1."""
    edge = ((1 - level) / 2) ** (1 / n)
    return (edge, 1.0) if share == 1 else (0.0, 1 - edge)


def _tails(level: float) -> list[float]:
    return [50 * (1 - level), 50 * (1 + level)]
