"""The rig: a CC0 head mesh, its sparse blend shapes, and the geometry that every face shares.

Lengths are in eye distances of the base head (the distance between the centres of its eyeballs),
the origin is midway between them, x points to the viewer's right, y up and z to the viewer.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lrfer_bench.api import DataError

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]

RIG_PATH = Path(__file__).resolve().parent.parent / "synthface_data" / "cc0_head_rig.npz"

BODY, LEFT_EYE, RIGHT_EYE, UPPER_TEETH, LOWER_TEETH, TONGUE, LASHES, CURTAIN = range(8)
CURTAIN_COLUMNS, CURTAIN_ROWS = 29, 11
MASKS = ("lips", "eyelids", "ears", "inside_mouth")


@dataclass(frozen=True)
class Rig:
    """The mesh and its blend shapes.

    rest: float64 [V, 3], the base head, then the (flat) hair curtain
    faces: int64 [T, 3]; part: int64 [T]; uv: float64 [T, 3, 2]
    masks: float64 [V, 4] in the order of MASKS, 0..1
    targets: name -> (vertices, shifts)
    """

    rest: Floats
    faces: Ints
    part: Ints
    uv: Floats
    masks: Floats
    targets: Mapping[str, tuple[Ints, Floats]]
    face_order: Ints
    face_starts: Ints
    neighbours: Ints
    neighbour_starts: Ints
    neighbour_counts: Floats
    collar_from: int
    hem: Ints

    @property
    def curtain_from(self) -> int:
        return self.collar_from + len(self.hem)

    def names(self, group: str) -> list[str]:
        """Targets of one group ("au", "nose", ...) in the rig's order."""
        return [name for name in self.targets if name.startswith(group + "/")]

    def add(self, vertices: Floats, name: str, weight: float) -> None:
        """Move vertices [V, 3] in place by weight times a target."""
        index, shift = self.targets[name]
        vertices[index] += weight * shift

    def vertices_of(self, part: int) -> Ints:
        return np.unique(self.faces[self.part == part])

    def normals(self, vertices: Floats) -> Floats:
        """Unit vertex normals [V, 3], weighted by area.

        Sums run in a fixed order, so equal input gives equal bits.
        """
        a, b, c = (vertices[self.faces[:, k]] for k in range(3))
        face_normals = cross(b - a, c - a)
        sums = np.add.reduceat(face_normals[self.face_order], self.face_starts, axis=0)
        return sums / (np.sqrt(np.einsum("ij,ij->i", sums, sums)) + 1e-12)[:, None]

    def hollows(self, vertices: Floats, normals: Floats, rounds: int) -> Floats:
        """How far each vertex lies under its surroundings [V], in eye distances; folds above 0."""
        smooth = vertices
        for _ in range(rounds):
            sums = np.add.reduceat(smooth[self.neighbours], self.neighbour_starts, axis=0)
            smooth = 0.5 * smooth + 0.5 * sums / self.neighbour_counts[:, None]
        return np.einsum("ij,ij->i", smooth - vertices, normals)


def cross(a: Floats, b: Floats) -> Floats:
    """Cross product of rows; np.cross is several times slower on small arrays."""
    return np.stack(
        (
            a[:, 1] * b[:, 2] - a[:, 2] * b[:, 1],
            a[:, 2] * b[:, 0] - a[:, 0] * b[:, 2],
            a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0],
        ),
        axis=1,
    )


@lru_cache(maxsize=1)
def load_rig() -> Rig:
    """Read the rig that is shipped with the package; DataError if it is missing or damaged."""
    try:
        with np.load(RIG_PATH, allow_pickle=False) as z:
            raw = {name: z[name] for name in z.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise DataError(
            f"the head rig {RIG_PATH} cannot be read ({error}): install lrfer-bench again"
        ) from error
    return _build(raw)


def _build(raw: Mapping[str, NDArray[np.generic]]) -> Rig:
    unit = float(raw["scale"])
    vertices = raw["vertices"].astype(np.float64) * unit
    faces, part = raw["faces"].astype(np.int64), raw["part"].astype(np.int64)
    eyes = [vertices[np.unique(faces[part == side])].mean(0) for side in (LEFT_EYE, RIGHT_EYE)]
    origin, distance = (eyes[0] + eyes[1]) / 2, abs(eyes[0][0] - eyes[1][0])
    rest = (vertices - origin) / distance
    masks = np.stack([raw[f"mask_{name}"].astype(np.float64) / 255 for name in MASKS], axis=1)
    offsets, index, delta = (
        raw["target_offsets"].astype(np.int64),
        raw["target_index"],
        raw["target_delta"],
    )
    targets = {
        str(name): (index[a:b].astype(np.int64), delta[a:b].astype(np.float64) * (unit / distance))
        for name, a, b in zip(raw["target_names"], offsets[:-1], offsets[1:], strict=True)
    }
    first = len(rest)
    hem, collar = _collar(faces[part == BODY], first)
    rest = np.concatenate([rest, spread(rest[hem])])
    curtain = _curtain_faces(len(rest))
    rest = np.concatenate([rest, np.zeros((CURTAIN_COLUMNS * CURTAIN_ROWS, 3))])
    masks = np.concatenate([masks, np.zeros((len(rest) - first, len(MASKS)))])
    uv = np.concatenate(
        [raw["uv"].astype(np.float64), np.zeros((len(collar) + len(curtain), 3, 2))]
    )
    faces = np.concatenate([faces, collar, curtain])
    part = np.concatenate([part, np.full(len(collar), BODY), np.full(len(curtain), CURTAIN)])
    face_order, face_starts = _group(faces.reshape(-1), len(rest))
    ends = np.concatenate([faces[:, [k, (k + 1) % 3]] for k in range(3)])
    ends = np.unique(np.concatenate([ends, ends[:, ::-1]]), axis=0)
    counts = np.bincount(ends[:, 0], minlength=len(rest))
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    return Rig(
        rest, faces, part, uv, masks, targets, face_order // 3, face_starts, ends[:, 1].copy(),
        starts, counts.astype(np.float64), first, hem,
    )  # fmt: skip


def _group(owner: Ints, count: int) -> tuple[Ints, Ints]:
    """Order that brings equal owners together, and each run's start; every owner must occur."""
    order = np.argsort(owner, kind="stable")
    return order, np.searchsorted(owner[order], np.arange(count))


def _collar(faces: Ints, first: int) -> tuple[Ints, Ints]:
    """The open rim of the body's mesh at the neck, and triangles that join it to the shoulders'.

    The second rim's vertices are numbered from `first`, in the order of the first rim's.
    """
    edges = np.concatenate([faces[:, [k, (k + 1) % 3]] for k in range(3)])
    known = {(int(a), int(b)) for a, b in edges}
    rim = np.array(sorted((a, b) for a, b in known if (b, a) not in known))
    hem = np.unique(rim)
    twin = {int(vertex): first + k for k, vertex in enumerate(hem)}
    collar = [face for a, b in rim for face in ((a, twin[a], b), (b, twin[a], twin[b]))]
    return hem, np.array(collar, dtype=np.int64)


def spread(rim: Floats) -> Floats:
    """Where the second rim lies for a neck that ends at `rim` [K, 3]: down and outwards."""
    return rim * np.array([1.7, 1.0, 1.0]) + np.array([0.0, -1.1, 0.4])


def _curtain_faces(first: int) -> Ints:
    """Triangles of the curtain, a grid of CURTAIN_ROWS x CURTAIN_COLUMNS vertices: long hair."""
    grid = first + np.arange(CURTAIN_ROWS * CURTAIN_COLUMNS).reshape(CURTAIN_ROWS, CURTAIN_COLUMNS)
    a, b, c, d = (
        grid[:-1, :-1].ravel(),
        grid[:-1, 1:].ravel(),
        grid[1:, :-1].ravel(),
        grid[1:, 1:].ravel(),
    )
    return np.concatenate([np.stack([a, c, b], 1), np.stack([b, c, d], 1)]).astype(np.int64)
