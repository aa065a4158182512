"""How a photograph is taken: head pose, gaze, crop, light, background and camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .seeds import generator

Floats = NDArray[np.floating[Any]]

YAW, PITCH, ROLL = 12.5, 6.5, 5.0
"""Standard deviations of the head pose in degrees; yaw is cut at 45, pitch at 25, roll at 20."""


@dataclass(frozen=True)
class Shot:
    """Angles are in degrees, tones linear RGB, lengths in frame widths where not said otherwise.

    yaw > 0 turns the face to the viewer's right, pitch > 0 upwards; gaze is relative to the head,
    the same way round. frame: width of the picture in face heights; shift: where the face's centre
    stands off the picture's. key, fill: directions to the lights in the camera's frame, unit
    length.
    """

    yaw: float
    pitch: float
    roll: float
    gaze_yaw: float
    gaze_pitch: float
    distance: float
    frame: float
    shift: tuple[float, float]
    key: Floats
    fill: Floats
    key_tone: Floats
    fill_tone: Floats
    ambient: Floats
    brightness: float
    contrast: float
    blur: float
    noise: float
    backdrop: Floats
    patches: Floats


def draw_shot(seed: int, identity: int, label: str, photograph: int) -> Shot:
    """The circumstances of one photograph, for any person."""
    rng = generator(seed, "identity", identity, "photograph", label, photograph, "shot")
    averted = rng.random() < 0.5
    key_angle, height = rng.normal(0, 38), rng.uniform(-5, 50)
    side = -np.sign(key_angle) * rng.uniform(20, 80)
    warm = rng.normal(0, 0.10)
    key_power, ambient = rng.uniform(0.6, 1.3), rng.uniform(0.16, 0.42)
    patches = rng.random((int(rng.integers(0, 4)), 7))
    coarse = (
        rng.random((3, 3, 1)) * 0.3
        + rng.random((3, 3, 3)) * 0.06
        + rng.random(3) * 0.12
        + rng.random() * 0.55
    )
    return Shot(
        yaw=float(np.clip(rng.normal(0, YAW), -45, 45)),
        pitch=float(np.clip(rng.normal(-1, PITCH), -25, 25)),
        roll=float(np.clip(rng.normal(0, ROLL), -20, 20)),
        gaze_yaw=float(np.clip(rng.normal(0, 7 if averted else 2), -24, 24)),
        gaze_pitch=float(np.clip(rng.normal(-1, 4 if averted else 1.5), -18, 14)),
        distance=float(rng.uniform(7, 18)),
        frame=float(rng.uniform(0.85, 0.96)),
        shift=(float(rng.normal(0, 0.018)), float(rng.normal(0, 0.018))),
        key=_direction(key_angle, height), fill=_direction(side, rng.uniform(-10, 30)),
        key_tone=key_power * np.array([1 + warm, 1.0, 1 - warm]),
        fill_tone=rng.uniform(0.0, 0.35) * np.ones(3),
        ambient=ambient * np.array([1 - 0.5 * warm, 1.0, 1 + 0.5 * warm]),
        brightness=float(rng.uniform(0.34, 0.62)),
        contrast=float(rng.uniform(0.9, 1.35)),
        blur=float(np.clip(rng.normal(0.006, 0.004), 0.0, 0.013)),
        noise=float(np.clip(np.exp(rng.normal(-6.2, 0.5)), 0.0, 0.007)), backdrop=coarse**1.6,
        patches=patches,
    )  # fmt: skip


def _direction(azimuth: float, height: float) -> Floats:
    a, h = np.deg2rad(azimuth), np.deg2rad(height)
    return np.array([np.sin(a) * np.cos(h), np.sin(h), np.cos(a) * np.cos(h)])


def rotation(shot: Shot) -> Floats:
    """Matrix [3, 3] that turns head coordinates into the camera's: roll after pitch after yaw."""
    y, p, r = (float(np.deg2rad(angle)) for angle in (shot.yaw, shot.pitch, shot.roll))
    turn = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    nod = np.array([[1, 0, 0], [0, np.cos(p), np.sin(p)], [0, -np.sin(p), np.cos(p)]])
    tilt = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return product(tilt, product(nod, turn))


def product(a: Floats, b: Floats) -> Floats:
    """a @ b [.., 3] x [3, 3], summed in a fixed order, which BLAS does not keep."""
    return a[..., 0:1] * b[0] + a[..., 1:2] * b[1] + a[..., 2:3] * b[2]


def background(shot: Shot, size: int) -> Floats:
    """Linear RGB [size, size, 3] behind the head: a soft backdrop with a few plain shapes on it."""
    at = (np.arange(size) + 0.5) / size * 2
    low = np.minimum(at.astype(np.int64), 1)
    t = (at - low)[:, None]
    rows = shot.backdrop[low] * (1 - t[..., None]) + shot.backdrop[low + 1] * t[..., None]
    picture = rows[:, low] * (1 - t[None]) + rows[:, low + 1] * t[None]
    x, y = np.meshgrid((np.arange(size) + 0.5) / size, (np.arange(size) + 0.5) / size)
    for patch in shot.patches:
        soft = 0.01 + 0.06 * patch[4]
        away = np.maximum(
            np.abs(x - patch[0]) - 0.05 - 0.3 * patch[1],
            np.abs(y - patch[2]) - 0.1 - 0.6 * patch[3],
        )
        cover = np.clip(0.5 - away / soft, 0, 1)[..., None]
        picture = picture * (1 - cover) + cover * (0.02 + 0.6 * patch[5] ** 2) * (
            0.9 + 0.2 * patch[[6, 4, 1]]
        )
    return picture
