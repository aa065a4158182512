"""A z-buffer in numpy that scan-converts all triangles of a face at once.

Triangles are cut into rows and rows into samples, both by one ragged expansion, so that no sample
outside a triangle is ever touched. The two ends of a row are computed from the upper to the lower
vertex of an edge, in the same order for both triangles that share it: neighbours neither overlap
nor leave a gap, to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]

DEPTH_STEPS = 1 << 24
"""Depth is kept in this many steps between the nearest and the farthest vertex."""


@dataclass(frozen=True)
class Hits:
    """What the samples of a picture see, for the samples that see anything.

    sample: int64 [M] y * width + x; triangle: int64 [M]; weights: float64 [M, 3] barycentric;
    depth: float64 [M]
    """

    sample: Ints
    triangle: Ints
    weights: Floats
    depth: Floats


def rasterize(points: Floats, faces: Ints, height: int, width: int) -> Hits:
    """The nearest triangle at every sample centre.

    points: float64 [V, 3], x to the right and y down in samples, z to the viewer in any unit;
    faces: int64 [T, 3], either winding. Of triangles at the same depth the one with the higher
    index wins, whatever their order in memory.
    """
    corners = points[faces]
    low = corners.min(axis=1)
    high = corners.max(axis=1)
    inside = (high[:, 0] > 0) & (low[:, 0] < width) & (high[:, 1] > 0) & (low[:, 1] < height)
    kept = np.flatnonzero(inside)
    corners = corners[kept]
    row_triangle, row, start, stop = _rows(corners, height, width)
    lengths = stop - start
    fragment = np.repeat(np.arange(len(row)), lengths)
    column = (
        np.arange(len(fragment))
        - np.repeat(np.cumsum(lengths) - lengths, lengths)
        + start[fragment]
    )
    origin, slope_x, slope_y = _planes(corners)
    row_depth = origin[row_triangle] + slope_y[row_triangle] * (row + 0.5)
    depth = row_depth[fragment] + slope_x[row_triangle][fragment] * (column + 0.5)
    return _nearest(
        points,
        faces,
        depth,
        kept[row_triangle][fragment],
        row[fragment] * width + column,
        height,
        width,
    )


def _rows(corners: Floats, height: int, width: int) -> tuple[Ints, Ints, Ints, Ints]:
    """Triangle, row, first column and the one after the last, for each row in a triangle."""
    order = np.argsort(corners[:, :, 1], axis=1, kind="stable")
    top, middle, bottom = (
        np.take_along_axis(corners, order[:, k, None, None], axis=1)[:, 0] for k in range(3)
    )
    first = np.clip(np.ceil(top[:, 1] - 0.5), 0, height).astype(np.int64)
    last = np.clip(np.ceil(bottom[:, 1] - 0.5), 0, height).astype(np.int64)
    counts = last - first
    triangle = np.repeat(np.arange(len(corners)), counts)
    row = np.arange(len(triangle)) - np.repeat(np.cumsum(counts) - counts, counts) + first[triangle]
    y = row + 0.5
    upper = y < middle[triangle, 1]
    head = np.where(upper[:, None], top[triangle, :2], middle[triangle, :2])
    tail = np.where(upper[:, None], middle[triangle, :2], bottom[triangle, :2])
    short = _crossing(head, tail, y)
    long = _crossing(top[triangle, :2], bottom[triangle, :2], y)
    start = np.clip(np.ceil(np.minimum(short, long) - 0.5), 0, width).astype(np.int64)
    stop = np.clip(np.ceil(np.maximum(short, long) - 0.5), 0, width).astype(np.int64)
    some = stop > start
    return triangle[some], row[some], start[some], stop[some]


def _crossing(head: Floats, tail: Floats, y: Floats) -> Floats:
    """x where the edges from head down to tail cross the heights y; no edge is flat here."""
    return head[:, 0] + (y - head[:, 1]) * (tail[:, 0] - head[:, 0]) / (tail[:, 1] - head[:, 1])


def _planes(corners: Floats) -> tuple[Floats, Floats, Floats]:
    """Each triangle's depth at the picture's corner and its slopes; without area: a flat plane."""
    one, two = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]
    safe = np.where(np.abs(area) < 1e-9, np.inf, area)
    slope_x = (one[:, 2] * two[:, 1] - two[:, 2] * one[:, 1]) / safe
    slope_y = (two[:, 2] * one[:, 0] - one[:, 2] * two[:, 0]) / safe
    return (
        corners[:, 0, 2] - slope_x * corners[:, 0, 0] - slope_y * corners[:, 0, 1],
        slope_x,
        slope_y,
    )


def _nearest(
    points: Floats,
    faces: Ints,
    depth: Floats,
    triangle: Ints,
    sample: Ints,
    height: int,
    width: int,
) -> Hits:
    """Visibility by an integer key a fragment: depth in the high bits, triangle in the low."""
    far, near = float(points[:, 2].min()), float(points[:, 2].max())
    step = DEPTH_STEPS / max(near - far, 1e-9)
    bits = len(faces).bit_length()
    level = np.clip((depth - far) * step, 0, DEPTH_STEPS).astype(np.int64)
    best = np.full(height * width, -1, dtype=np.int64)
    np.maximum.at(best, sample, (level << bits) | triangle)
    seen = np.flatnonzero(best >= 0)
    owner = best[seen] & ((1 << bits) - 1)
    weights = _barycentric(points[faces[owner]], seen % width + 0.5, seen // width + 0.5)
    return Hits(seen, owner, weights, np.einsum("ij,ij->i", weights, points[:, 2][faces[owner]]))


def _barycentric(corners: Floats, x: Floats, y: Floats) -> Floats:
    """Weights [M, 3] of the corners [M, 3, 3] at (x, y), clipped into the triangle."""
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    area = np.where(np.abs(area) < 1e-9, np.inf, area)
    second = ((x - a[:, 0]) * (c[:, 1] - a[:, 1]) - (y - a[:, 1]) * (c[:, 0] - a[:, 0])) / area
    third = ((b[:, 0] - a[:, 0]) * (y - a[:, 1]) - (b[:, 1] - a[:, 1]) * (x - a[:, 0])) / area
    second, third = np.clip(second, 0, 1), np.clip(third, 0, 1)
    third = np.minimum(third, 1 - second)
    return np.stack([1 - second - third, second, third], axis=1)
