"""From an identity, an expression and a shot to the pixels of one photograph."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .expressions import Expression
from .identity import Identity
from .rasterizer import Hits, rasterize
from .rig import BODY, CURTAIN, LASHES, LEFT_EYE, RIGHT_EYE, Rig, load_rig
from .seeds import generator
from .shading import Lights, Surface, lights_of, shade
from .shot import Shot, background, product, rotation

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]

SAMPLES = 4
"""Samples along each side of a pixel."""

PIVOT = np.array([0.0, -0.5, -0.9])
LUMA = np.array([0.299, 0.587, 0.114])
LEVELS = 128
"""Grey levels that the sensor tells apart: with 256 the shipped set would be a fifth larger."""

EYE_DEGREES = 20.0
"""The turn of the eye for which the rig's eyeLook shapes move the lids fully."""


def photograph(seed: tuple[object, ...], identity: Identity, expression: Expression, shot: Shot,
               size: int, colour: bool) -> NDArray[np.uint8]:  # fmt: skip
    """uint8 [C, size, size], C is 3 for colour and 1 for grey. seed names the sensor's noise."""
    linear = take(identity, expression, shot, size)
    return develop(linear, shot, generator(*seed, "noise", size, colour), colour)


def take(identity: Identity, expression: Expression, shot: Shot, size: int) -> Floats:
    """Linear RGB [size, size, 3] as the light falls on the sensor."""
    rig = load_rig()
    face = pose_face(rig, identity, expression, shot)
    turn = rotation(shot)
    width = size * SAMPLES
    points = project(face, identity, shot, turn, width)
    normals = rig.normals(face)
    hollow = rig.hollows(face, normals, 3)
    lights = lights_of(shot, turn)
    mouth_front = float(face[rig.masks[:, 0] > 0.6, 2].max())
    canvas = np.zeros((width * width, 4), dtype=np.float32)
    nearest = np.full(width * width, -np.inf)
    for lashes in (False, True):
        faces, part, uv = _drawn(rig, points, identity, lashes)
        hits = rasterize(points, faces, width, width)
        seen = hits.depth > nearest[hits.sample]
        hits = Hits(hits.sample[seen], hits.triangle[seen], hits.weights[seen], hits.depth[seen])
        surface = _surface(rig, face, normals, hollow, faces, part, hits, lights)
        light = shade(surface, identity, shot, lights, mouth_front)
        alpha = (
            _lash_cover(uv, hits, surface.rest[:, 1], identity)
            if lashes
            else np.ones(len(light), np.float32)
        )
        light = np.concatenate([light, np.ones_like(light[:, :1])], axis=1)
        canvas[hits.sample] += alpha[:, None] * (light - canvas[hits.sample])
        nearest[hits.sample] = hits.depth
    pixels = _pixels(canvas.reshape(width, width, 4))
    return pixels[..., :3] + (1 - pixels[..., 3:]) * background(shot, size)


def _pixels(samples: Floats) -> Floats:
    """Means [S, S, 4] over each pixel's samples [S * SAMPLES, S * SAMPLES, 4], in a fixed order."""
    rows = sum((samples[k::SAMPLES] for k in range(1, SAMPLES)), samples[0::SAMPLES])
    both = sum((rows[:, k::SAMPLES] for k in range(1, SAMPLES)), rows[:, 0::SAMPLES])
    return both.astype(np.float64) / SAMPLES**2


def pose_face(rig: Rig, identity: Identity, expression: Expression, shot: Shot) -> Floats:
    """Vertices [V, 3] of the face with its expression, in head coordinates; lids follow the gaze.

    The eyeballs stay as they are: paint turns the iris (shading.py).
    """
    face = identity.vertices.copy()
    for unit, weight in expression.weights.items():
        rig.add(face, f"au/{unit}", weight)
    sideways, upwards = shot.gaze_yaw / EYE_DEGREES, shot.gaze_pitch / EYE_DEGREES
    for side, outwards in (("Left", 1), ("Right", -1)):
        across = "Out" if sideways * outwards > 0 else "In"
        rig.add(face, f"au/eyeLook{across}{side}", min(1.0, abs(sideways)))
        rig.add(face, f"au/eyeLook{'Up' if upwards > 0 else 'Down'}{side}", min(1.0, abs(upwards)))
    eyes = np.concatenate([rig.vertices_of(LEFT_EYE), rig.vertices_of(RIGHT_EYE)])
    face[eyes] = identity.vertices[eyes]
    return face


def project(face: Floats, identity: Identity, shot: Shot, turn: Floats, width: int) -> Floats:
    """Points [V, 3] on the sample grid: x right, y down, z towards the viewer in eye distances."""
    chin = float(
        identity.vertices[
            (np.abs(identity.vertices[:, 0]) < 0.1) & (identity.vertices[:, 2] > 0.1), 1
        ].min()
    )
    height = 1.05 - chin
    turned = (
        product(np.concatenate([face, [[0.0, 0.98 - 0.5 * height, 0.15]]]) - PIVOT, turn.T) + PIVOT
    )
    near = shot.distance / (shot.distance - turned[:, 2])
    flat = turned[:, :2] * near[:, None]
    scale = width / (height * shot.frame)
    x = (flat[:-1, 0] - flat[-1, 0]) * scale + width * (0.5 + shot.shift[0])
    y = -(flat[:-1, 1] - flat[-1, 1]) * scale + width * (0.5 + shot.shift[1])
    return np.stack([x, y, turned[:-1, 2]], axis=1)


def _drawn(rig: Rig, points: Floats, identity: Identity, lashes: bool) -> tuple[Ints, Ints, Floats]:
    """Triangles of one pass, their parts and texture corners: lashes, or all else seen in front."""
    a, b, c = (points[rig.faces[:, k], :2] for k in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    if lashes:
        chosen = rig.part == LASHES
    else:
        curtain = (rig.part == CURTAIN) & identity.looks.long_hair
        chosen = ((rig.part < LASHES) & (area < 0)) | curtain
    return rig.faces[chosen], rig.part[chosen], rig.uv[chosen]


def _surface(rig: Rig, face: Floats, normals: Floats, hollow: Floats, faces: Ints, part: Ints,
             hits: Hits, lights: Lights) -> Surface:  # fmt: skip
    columns = np.concatenate([rig.rest, face, normals, rig.masks, hollow[:, None]], axis=1).astype(
        np.float32
    )
    corners = faces[hits.triangle]
    weights = hits.weights.astype(np.float32)
    mixed = np.take(columns, corners[:, 0], axis=0) * weights[:, 0:1]
    mixed += np.take(columns, corners[:, 1], axis=0) * weights[:, 1:2]
    mixed += np.take(columns, corners[:, 2], axis=0) * weights[:, 2:3]
    normal = mixed[:, 6:9] / np.sqrt((mixed[:, 6:9] ** 2).sum(1) + 1e-12)[:, None]
    kind = part[hits.triangle]
    facing = (normal * lights.view).sum(1)
    flip = (facing < 0) & (kind >= LASHES)
    normal = np.where(flip[:, None], -normal, normal)
    hollow_here = np.where(kind == BODY, mixed[:, 13], np.float32(0))
    return Surface(mixed[:, :3], mixed[:, 3:6], normal, mixed[:, 9:13], hollow_here, kind)


def _lash_cover(uv: Floats, hits: Hits, height: Floats, identity: Identity) -> Floats:
    """Lashes are cards with hairs on them, few and pale on the lower lid."""
    place = (uv[hits.triangle] * hits.weights[:, :, None]).sum(1)
    hairs = 0.6 + 0.4 * np.sin(260 * place[:, 0])
    return (identity.looks.lashes * hairs * np.where(height < -0.02, 0.2, 1.0)).astype(np.float32)


def develop(
    linear: Floats, shot: Shot, rng: np.random.Generator, colour: bool
) -> NDArray[np.uint8]:
    """Exposure, tone curve, blur and noise: linear RGB [S, S, 3] to uint8 [C, S, S]."""
    size = len(linear)
    middle = slice(size // 4, size - size // 4)
    grey = (linear[middle, middle] * LUMA).sum(axis=2)
    level = float(np.sqrt(np.maximum(grey, 0)).mean()) + 0.02
    gain = (shot.brightness / level) ** 1.3
    curve = np.clip(linear * gain, 0, None) ** (1 / 2.2)
    curve = 0.45 + (curve - 0.45) * shot.contrast
    picture = curve if colour else (curve * LUMA).sum(axis=2, keepdims=True)
    picture = _blurred(picture, shot.blur * size)
    picture = picture + shot.noise * rng.standard_normal(picture.shape)
    levels = (np.clip(picture, 0, 1) * (LEVELS - 1) + 0.5).astype(np.uint8)
    return np.ascontiguousarray((levels * (256 // LEVELS)).transpose(2, 0, 1))


def _blurred(picture: Floats, sigma: float) -> Floats:
    """Gaussian blur with sigma in pixels, edges repeated."""
    if sigma < 0.15:
        return picture
    reach = int(np.ceil(3 * sigma))
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    taps /= taps.sum()
    for axis in (0, 1):
        pad = [(reach, reach) if k == axis else (0, 0) for k in range(3)]
        wide = np.pad(picture, pad, mode="edge")
        length = picture.shape[axis]
        picture = sum(
            (tap * np.take(wide, range(k, k + length), axis=axis) for k, tap in enumerate(taps)),
            np.zeros(1),
        )
    return picture
