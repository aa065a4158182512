"""Paint and light: what colour every sample of the head has. All tones are linear RGB."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .identity import Identity, Looks, hair_level
from .rig import BODY, CURTAIN, LASHES, LEFT_EYE, LOWER_TEETH, RIGHT_EYE, TONGUE, UPPER_TEETH
from .shot import Shot, product

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]

IRIS_DEGREES, PUPIL_DEGREES = 26.0, 10.5
TEETH = np.array([0.68, 0.63, 0.53], np.float32)
SCLERA = np.array([0.72, 0.69, 0.66], np.float32)
GUMS = np.array([0.30, 0.075, 0.065], np.float32)
TONGUE_TONE = np.array([0.42, 0.13, 0.12], np.float32)

BLUSH = np.array([0.02, 0.16, 0.14], np.float32)
EYE_SHADE = np.array([0.10, 0.14, 0.12], np.float32)


@dataclass(frozen=True)
class Surface:
    """What M samples of the picture show, in head coordinates.

    rest, place: where on the base head, and where on this face
    normal: unit vectors towards the viewer
    masks: [M, 4] in the rig's order; hollow: in eye distances; part: which part of the rig
    """

    rest: Floats
    place: Floats
    normal: Floats
    masks: Floats
    hollow: Floats
    part: Ints


@dataclass(frozen=True)
class Lights:
    """A shot's lights and axes turned into head coordinates."""

    key: Floats
    fill: Floats
    up: Floats
    view: Floats


def lights_of(shot: Shot, turn: Floats) -> Lights:
    """turn: head to camera; its transpose brings directions back."""
    back = [
        product(vector[None], turn)[0]
        for vector in (shot.key, shot.fill, np.eye(3)[1], np.eye(3)[2])
    ]
    return Lights(*(vector.astype(np.float32) for vector in back))


def smooth(value: Floats, low: float, high: float) -> Floats:
    """0 below low, 1 above high, smooth between; low > high falls instead."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def shade(
    surface: Surface, identity: Identity, shot: Shot, lights: Lights, mouth_front: float
) -> Floats:
    """Light that M samples send to the camera [M, 3]."""
    albedo, gloss = _paint(surface, identity, lights, shot, mouth_front)
    normal = surface.normal
    wrap = 0.22
    key = np.clip((_dot(normal, lights.key) + wrap) / (1 + wrap), 0, None)
    fill = np.clip(_dot(normal, lights.fill), 0, None)
    sky = 0.68 + 0.32 * _dot(normal, lights.up)
    half = (lights.key + lights.view) / np.sqrt(((lights.key + lights.view) ** 2).sum())
    shine = gloss * np.clip(_dot(normal, half), 0, 1) ** 24
    open_air = _openness(surface, mouth_front)
    tones = (
        shot.key_tone.astype(np.float32),
        shot.fill_tone.astype(np.float32),
        shot.ambient.astype(np.float32),
    )
    light = (
        key[:, None] * tones[0] + fill[:, None] * tones[1] + (sky * open_air)[:, None] * tones[2]
    )
    light *= (0.25 + 0.75 * open_air)[:, None]
    return albedo * light + (shine * open_air)[:, None] * tones[0]


def _dot(rows: Floats, vector: Floats) -> Floats:
    return rows[:, 0] * vector[0] + rows[:, 1] * vector[1] + rows[:, 2] * vector[2]


def _openness(surface: Surface, mouth_front: float) -> Floats:
    """Share of the ambient light that arrives, 0..1: less in folds and inside the mouth."""
    hollow = np.clip(surface.hollow - 0.004, 0, None)
    result = np.exp(-14.0 * hollow)
    eyes = (surface.part == LEFT_EYE) | (surface.part == RIGHT_EYE)
    result[eyes] = 0.82
    inner = (surface.part == UPPER_TEETH) | (surface.part == LOWER_TEETH) | (surface.part == TONGUE)
    depth = np.clip(mouth_front - surface.place[:, 2], 0, None)
    result[inner] = np.exp(-3.0 * np.clip(depth[inner] - 0.14, 0, None))
    cave = surface.masks[:, 3] * (surface.part == BODY) * smooth(surface.rest[:, 1], -0.75, -0.85)
    result *= 1 - cave * (1 - np.exp(-4.5 * depth))
    neck = smooth(surface.rest[:, 1], -1.45, -1.8) * smooth(surface.rest[:, 2], 0.25, -0.25)
    return result * (1 - 0.55 * neck * (surface.part == BODY))


def _paint(
    surface: Surface, identity: Identity, lights: Lights, shot: Shot, mouth_front: float
) -> tuple[Floats, Floats]:
    """Reflectance [M, 3] and strength of the highlight [M]."""
    looks = identity.looks
    albedo = np.empty((len(surface.part), 3), np.float32)
    gloss = np.zeros(len(surface.part), np.float32)
    for part, tone, shine in (
        (UPPER_TEETH, TEETH, 0.15),
        (LOWER_TEETH, TEETH, 0.15),
        (TONGUE, TONGUE_TONE, 0.15),
    ):
        chosen = np.flatnonzero(surface.part == part)
        albedo[chosen], gloss[chosen] = tone, shine
        if part != TONGUE:
            back = _faces_the_tongue(surface.place[chosen], surface.normal[chosen], mouth_front)
            albedo[chosen] += back[:, None] * (0.35 * GUMS - tone)
            gloss[chosen] *= 1 - back
    body = np.flatnonzero(surface.part == BODY)
    albedo[body], gloss[body] = paint_skin(surface.rest[body], surface.masks[body], looks)
    curtain = np.flatnonzero(surface.part == CURTAIN)
    albedo[curtain] = hair_tone(surface.place[curtain], looks)
    gloss[curtain] = 0.02
    for number, part in enumerate((LEFT_EYE, RIGHT_EYE)):
        eye = np.flatnonzero(surface.part == part)
        albedo[eye], gloss[eye] = _paint_eye(
            surface.place[eye] - identity.eyes[number].astype(np.float32), looks, shot, lights
        )
    albedo[surface.part == LASHES] = 0.012
    return albedo, gloss


def _faces_the_tongue(place: Floats, normal: Floats, mouth_front: float) -> Floats:
    """1 on the inner side of an arch of teeth, which is in the dark, 0 on its outer side."""
    return smooth(
        place[:, 0] * normal[:, 0] + (place[:, 2] - mouth_front + 0.62) * normal[:, 2], 0.08, -0.02
    )


def paint_skin(rest: Floats, masks: Floats, looks: Looks) -> tuple[Floats, Floats]:
    """Skin, lips, brows, beard, hair, mouth and clothes, by place on the base head."""
    x, y, z = rest[:, 0], rest[:, 1], rest[:, 2]
    wave = np.zeros(len(rest), np.float32)
    for a, b, c, phase, size in looks.mottle:
        wave += (0.4 + 0.6 * abs(size)) * np.sin(9 * (a * x + b * y + c * z) + 6.3 * phase)
    albedo = looks.skin * (1 + 0.035 * wave)[:, None]
    cheeks = np.exp(-(((np.abs(x) - 0.55) / 0.3) ** 2 + ((y + 0.55) / 0.28) ** 2)) * smooth(
        z, -0.3, 0.2
    )
    sockets = np.exp(-(((np.abs(x) - 0.5) / 0.28) ** 2 + ((y + 0.05) / 0.2) ** 2)) * smooth(
        z, -0.3, 0.1
    )
    albedo *= 1 - cheeks[:, None] * BLUSH - sockets[:, None] * EYE_SHADE
    gloss = looks.gloss * (0.5 + 0.5 * smooth(z, 0.0, 0.5))
    lid = sockets * masks[:, 1] * looks.makeup * 0.5
    albedo *= 1 - lid[:, None]
    lips = smooth(masks[:, 0], 0.25, 0.7) * smooth(z, 0.1, 0.25)
    albedo += lips[:, None] * (looks.lips - albedo)
    gloss = gloss + lips * 0.05
    inside = smooth(masks[:, 3], 0.35, 0.8) * smooth(y, -0.75, -0.85)
    albedo += inside[:, None] * (GUMS - albedo)
    shadow = _beard(x, y, z, looks) * (1 - lips) * (1 - inside)
    albedo += shadow[:, None] * (looks.hair * 0.9 - albedo)
    brow = brow_cover(rest, looks)
    hair = _scalp_cover(rest, masks, looks)
    albedo += brow[:, None] * (looks.hair * 0.45 + 0.04 * looks.skin - albedo)
    albedo += hair[:, None] * (hair_tone(rest, looks) - albedo)
    shirt = smooth(y + 0.25 * z, -2.25, -2.32)
    albedo += shirt[:, None] * (looks.clothes - albedo)
    return albedo, gloss * (1 - 0.8 * hair) * (1 - shirt) * (1 - brow)


def brow_cover(rest: Floats, looks: Looks) -> Floats:
    """Share of each point that brow hair covers, 0..1: an arch that tapers to the temple."""
    x, y, z = rest[:, 0], rest[:, 1], rest[:, 2]
    along = (np.abs(x) - 0.17) / (0.66 * looks.brow_reach)
    middle = (
        0.315
        + looks.brow_height
        + looks.brow_arch * (1 - ((along - 0.62) / 0.62) ** 2)
        - 0.02 * along
    )
    half = looks.brow_width * (1 - 0.72 * smooth(along, 0.45, 1.0)) * smooth(along, -0.12, 0.12)
    hairs = 0.003 * np.sin(83 * along + 60 * (y - middle)) + 0.003 * np.sin(
        151 * along + 40 * (y - middle) + 1.3
    )
    cover = smooth(np.abs(y - middle) - half + hairs, 0.022, -0.022)
    ends = smooth(along, -0.06, 0.08) * smooth(along, 1.02, 0.92)
    return cover * ends * smooth(z, -0.1, 0.05) * looks.brow_density


def _beard(x: Floats, y: Floats, z: Floats, looks: Looks) -> Floats:
    jaw = (
        smooth(y + 0.35 * np.abs(x), -0.82, -1.05) * smooth(y, -2.0, -1.75) * smooth(z, -1.0, -0.8)
    )
    lip = np.exp(-(((y + 0.86) / 0.09) ** 2)) * smooth(np.abs(x), 0.5, 0.38) * smooth(z, 0.2, 0.4)
    grain = 0.85 + 0.15 * np.sin(61 * x + 20 * y) * np.sin(53 * y - 17 * x)
    return np.clip(np.maximum(looks.beard * jaw, looks.moustache * lip) * grain, 0, 1)


def _scalp_cover(rest: Floats, masks: Floats, looks: Looks) -> Floats:
    if looks.bald:
        return np.zeros(len(rest), np.float32)
    angle = np.arctan2(rest[:, 0], rest[:, 2] + 1.0)
    fringe = 0.03 * np.sin(23 * angle + 3) + 0.02 * np.sin(57 * angle)
    return smooth(hair_level(rest, looks) + fringe, -0.03, 0.07) * smooth(masks[:, 2], 0.4, 0.1)


def hair_tone(place: Floats, looks: Looks) -> Floats:
    """Hair with strands that run from the crown down."""
    angle = np.arctan2(place[:, 0], place[:, 2] + 1.0)
    strands = np.sin(47 * angle + 3 * place[:, 1]) + 0.7 * np.sin(83 * angle + 2 * place[:, 1] + 1)
    return looks.hair * (1 + 0.16 * strands)[:, None]


def _paint_eye(offset: Floats, looks: Looks, shot: Shot, lights: Lights) -> tuple[Floats, Floats]:
    """Sclera, iris, pupil and highlight by the angle between eyeball point and gaze."""
    direction = offset / np.sqrt((offset**2).sum(1) + 1e-12)[:, None]
    yaw, pitch = np.deg2rad(shot.gaze_yaw), np.deg2rad(shot.gaze_pitch)
    gaze = np.array(
        [np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)], np.float32
    )
    away = np.rad2deg(np.arccos(np.clip(_dot(direction, gaze), -1, 1)))
    albedo = SCLERA * (1 - 0.35 * smooth(direction[:, 1], 0.25, 0.65))[:, None]
    albedo = albedo * (1 - 0.25 * smooth(np.abs(direction[:, 0]), 0.45, 0.8))[:, None]
    rim = 1 - 0.55 * smooth(away, IRIS_DEGREES - 6, IRIS_DEGREES)
    iris = smooth(away, IRIS_DEGREES + 1.5, IRIS_DEGREES - 1.5)
    albedo += iris[:, None] * (looks.iris * rim[:, None] - albedo)
    pupil = smooth(away, PUPIL_DEGREES + 1.5, PUPIL_DEGREES - 1.5)
    albedo += pupil[:, None] * (0.006 - albedo)
    half = (lights.key + lights.view) / np.sqrt(((lights.key + lights.view) ** 2).sum())
    glint = smooth(_dot(direction, half), 0.983, 0.994)
    return albedo, 0.04 + 0.9 * glint
