"""Who a face belongs to: a draw of race, sex, age, weight and face shape, and matching looks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .rig import (
    BODY,
    CURTAIN_COLUMNS,
    CURTAIN_ROWS,
    LEFT_EYE,
    LOWER_TEETH,
    RIGHT_EYE,
    TONGUE,
    UPPER_TEETH,
    Rig,
    load_rig,
    spread,
)
from .seeds import generator

Floats = NDArray[np.floating[Any]]

RACES = ("caucasian", "african", "asian")
SKIN_TONES = {
    "caucasian": ((0.78, 0.52, 0.41), (0.56, 0.34, 0.24)),
    "african": ((0.36, 0.20, 0.13), (0.13, 0.070, 0.046)),
    "asian": ((0.72, 0.48, 0.34), (0.42, 0.25, 0.15)),
}
"""Linear RGB reflectance: the lightest and the darkest skin drawn for each race."""

HAIR_TONES = (
    (0.012, 0.010, 0.009),
    (0.045, 0.025, 0.015),
    (0.12, 0.060, 0.028),
    (0.42, 0.28, 0.13),
    (0.22, 0.075, 0.03),
)
GREY_HAIR = (0.45, 0.45, 0.46)
IRIS_TONES = ((0.055, 0.026, 0.012), (0.12, 0.062, 0.026), (0.12, 0.14, 0.07), (0.14, 0.22, 0.31))

SHAPE_GROUPS = (
    "head",
    "nose",
    "mouth",
    "chin",
    "cheek",
    "eyes",
    "ears",
    "forehead",
    "eyebrows",
    "neck",
)
SHAPE_RATE = 0.22
"""Share of the opposed pairs of shape targets that an identity uses."""

SHAPE_LIMITS = {
    "head": 0.4,
    "neck": 0.4,
    "ears": 0.45,
    "eyes": 0.35,
    "eyebrows": 0.25,
    "mouth": 0.35,
}
"""Greatest weight of a shape target by group, else 0.7. Higher ones look like caricatures."""


@dataclass(frozen=True)
class Looks:
    """How to paint a face. Tones: linear RGB; lengths: in eye distances; shares: 0..1."""

    skin: Floats
    lips: Floats
    hair: Floats
    iris: Floats
    gloss: float
    mottle: Floats
    hairline: float
    recess: float
    sideburns: float
    hair_volume: float
    long_hair: bool
    bald: bool
    brow_height: float
    brow_arch: float
    brow_width: float
    brow_reach: float
    brow_density: float
    beard: float
    moustache: float
    lashes: float
    makeup: float
    clothes: Floats


@dataclass(frozen=True)
class Identity:
    """One person.

    vertices: float64 [V, 3], the face at rest
    eyes: float64 [2, 3], centres of the left and the right eyeball
    traits: what the ground truth says of it
    """

    index: int
    vertices: Floats
    eyes: Floats
    looks: Looks
    traits: dict[str, float]


@lru_cache(maxsize=4)
def draw_identity(seed: int, index: int) -> Identity:
    """Identity number `index` of population `seed`; the same numbers give the same person."""
    rig = load_rig()
    rng = generator(seed, "identity", index)
    race = rng.dirichlet([0.35] * 3)
    male = float(np.clip(rng.normal(rng.choice((0.12, 0.88)), 0.12), 0, 1))
    age, childish = float(rng.random() ** 1.3), float(max(0.0, rng.normal(-0.25, 0.25)))
    weight = float(np.clip(rng.normal(0, 0.5), -1, 1))
    vertices = rig.rest.copy()
    _add_macro(rig, vertices, race, male, age, min(childish, 0.4), weight)
    for name, amount in _shape_weights(rig, rng).items():
        rig.add(vertices, name, amount)
    _push_teeth_back(rig, vertices)
    looks = _draw_looks(rng, race, male, age)
    vertices[rig.collar_from : rig.curtain_from] = spread(vertices[rig.hem])
    vertices = _centre(rig, vertices)
    hair_weight = _hair_weight(rig.rest, looks)
    vertices = vertices + (hair_weight * looks.hair_volume)[:, None] * rig.normals(
        _with_curtain(rig, vertices, looks)
    )
    vertices = _with_curtain(rig, vertices, looks)
    eyes = np.stack([vertices[rig.vertices_of(side)].mean(0) for side in (LEFT_EYE, RIGHT_EYE)])
    traits = {f"race_{name}": float(share) for name, share in zip(RACES, race, strict=True)}
    traits |= {"male": male, "age": age, "childish": min(childish, 0.4), "weight": weight}
    return Identity(index, vertices, eyes, looks, traits)


def _add_macro(
    rig: Rig, vertices: Floats, race: Floats, male: float, age: float, child: float, weight: float
) -> None:
    """Blend the rig's corner heads: race x sex x age, and sex x age x weight."""
    sexes = (("female", 1 - male), ("male", male))
    ages = (("child", child), ("young", (1 - child) * (1 - age)), ("old", (1 - child) * age))
    heavy = "maxweight" if weight > 0 else "minweight"
    for sex, sex_share in sexes:
        for years, age_share in ages:
            for name, race_share in zip(RACES, race, strict=True):
                rig.add(
                    vertices,
                    f"macro/{name}-{sex}-{years}",
                    sex_share * age_share * float(race_share),
                )
            target = f"macro/universal-{sex}-{years}-averagemuscle-{heavy}"
            if target in rig.targets:
                rig.add(vertices, target, 0.65 * abs(weight) * sex_share * age_share)


TEETH_MOVES = {
    UPPER_TEETH: (0.06, 0.09, 0.86),
    LOWER_TEETH: (0.10, 0.08, 0.80),
    TONGUE: (0.07, 0.06, 0.82),
}
"""How far back and down the mouth's inside moves, in eye distances; the factor on its width."""

OPPOSITES = (
    ("decr", "incr"), ("down", "up"), ("in", "out"), ("backward", "forward"), ("concave", "convex"),
    ("compress", "uncompress"),
)  # fmt: skip


def _shape_weights(rig: Rig, rng: np.random.Generator) -> dict[str, float]:
    """Weights of the local shape targets: one of each opposed pair, left and right nearly alike."""
    weights: dict[str, float] = {}
    for group in SHAPE_GROUPS:
        limit = SHAPE_LIMITS.get(group, 0.7)
        names = rig.names(group)
        for name in names:
            bare = name.split("/", 1)[1]
            if bare.startswith("r-") or any(bare.endswith("-" + second) for _, second in OPPOSITES):
                continue
            used, amount, uneven = (
                rng.random() < SHAPE_RATE,
                limit * rng.random(),
                rng.normal(0, 0.04),
            )
            other = next(
                (name[: -len(a)] + b for a, b in OPPOSITES if name.endswith("-" + a)), name
            )
            chosen = name if rng.random() < 0.5 or other not in rig.targets else other
            if used:
                weights[chosen] = amount
                if "/l-" in chosen:
                    weights[chosen.replace("/l-", "/r-")] = max(0.0, amount + uneven)
    return weights


def _push_teeth_back(rig: Rig, vertices: Floats) -> None:
    """Move the teeth back: the rig's are so close to the lips that they would pierce the skin."""
    for part, (back, down, width) in TEETH_MOVES.items():
        index = rig.vertices_of(part)
        vertices[index, 2] -= back
        vertices[index, 1] -= down
        vertices[index, 0] *= width


def _centre(rig: Rig, vertices: Floats) -> Floats:
    """Put the point between the eyes at the origin and scale the eye distance back towards 1."""
    eyes = [vertices[rig.vertices_of(side)].mean(0) for side in (LEFT_EYE, RIGHT_EYE)]
    distance = float(np.sqrt(((eyes[0] - eyes[1]) ** 2).sum()))
    return (vertices - (eyes[0] + eyes[1]) / 2) / distance**0.7


def hair_level(rest: Floats, looks: Looks) -> Floats:
    """Depth into the hair, in eye distances, of points of the base head; below 0: no hair."""
    x, y, z = rest[..., 0], rest[..., 1], rest[..., 2]
    back = np.maximum(0.0, -(z + 0.15))
    temple = np.exp(-(((np.abs(x) - 0.75) / 0.28) ** 2))
    forehead = looks.hairline + looks.recess * temple - 0.10 * x * x
    level = y + looks.sideburns * back - forehead
    nape = -1.0 - y
    return np.minimum(level, 0.6 - np.maximum(nape, -0.6))


def _hair_weight(rest: Floats, looks: Looks) -> Floats:
    """How much of the hair's volume lifts each vertex, 0..1; 0 at the hairline and on ears."""
    if looks.bald:
        return np.zeros(len(rest))
    rig = load_rig()
    t = np.clip(hair_level(rest, looks) / 0.35, 0, 1)
    scalp = np.zeros(len(rest))
    scalp[rig.vertices_of(BODY)] = 1
    ear_and_mouth = np.clip(rig.masks[:, 2] + 4 * (rest[:, 1] < -0.9) * rig.masks[:, 3], 0, 1)
    return t * t * (3 - 2 * t) * scalp * (1 - ear_and_mouth)


def _with_curtain(rig: Rig, vertices: Floats, looks: Looks) -> Floats:
    """Hang the curtain of long hair around the back of this head; short hair leaves it unseen."""
    result = vertices.copy()
    turn = np.linspace(-1, 1, CURTAIN_COLUMNS)[None, :] * 1.98
    fall = np.linspace(0, 1, CURTAIN_ROWS)[:, None]
    body = vertices[: rig.curtain_from]
    top, side = (
        float(body[:, 1].max()),
        float(np.abs(body[rig.rest[: rig.curtain_from, 1] > 0.3, 0]).max()),
    )
    y = top - 0.55 + fall * (-2.6 - top)
    swell = 1.0 + 0.12 * np.sin(np.pi * np.minimum(1.0, fall * 1.3)) + 0.5 * looks.hair_volume
    strands = 1 + 0.015 * np.sin(17 * turn) + 0.01 * np.sin(41 * turn)
    round_top = np.sqrt(np.clip(0.55 + 1.6 * fall, 0, 1))
    x = np.sin(turn) * side * swell * strands * round_top
    z = -0.85 - np.cos(turn) * 1.15 * swell * strands * round_top
    result[rig.curtain_from :] = np.stack(np.broadcast_arrays(x, y, z), axis=-1).reshape(-1, 3)
    return result


def _draw_looks(rng: np.random.Generator, race: Floats, male: float, age: float) -> Looks:
    man = male > 0.5
    tone = rng.beta(1.3, 1.3)
    skin = sum(
        (share * (np.array(SKIN_TONES[name][0]) * (1 - tone) + np.array(SKIN_TONES[name][1]) * tone)
         for name, share in zip(RACES, race, strict=True)),
        np.zeros(3),
    ) * rng.uniform(0.9, 1.1)  # fmt: skip
    fair = race[0] ** 2
    shade = rng.choice(
        5, p=np.array([1 - 0.8 * fair, 0.3 * fair, 0.2 * fair, 0.2 * fair, 0.1 * fair])
    )
    grey = float(np.clip((age - 0.45) * rng.uniform(0, 2.2), 0, 1))
    hair = np.array(HAIR_TONES[shade]) * (1 - grey) + grey * np.array(GREY_HAIR) * rng.uniform(
        0.5, 1.2
    )
    iris = np.array(
        IRIS_TONES[rng.choice(4, p=np.array([1 - 0.7 * fair, 0.2 * fair, 0.2 * fair, 0.3 * fair]))]
    )
    makeup = float(rng.random() * (rng.random() < 0.55)) if not man else 0.0
    lip_tone = skin * np.array([0.80, 0.52, 0.52]) * rng.uniform(0.8, 1.1)
    painted = np.array([0.42, 0.06, 0.08]) * (0.35 + 0.9 * skin[1])
    lips = lip_tone * (1 - 0.7 * makeup) + 0.7 * makeup * painted
    bald = bool(man and rng.random() < 0.06 + 0.10 * age)
    long_hair = bool(rng.random() < (0.06 if man else 0.62)) and not bald
    hairy = man and rng.random() < 0.45
    return Looks(
        skin=_single(skin), lips=_single(lips), hair=_single(hair), iris=_single(iris),
        gloss=float(rng.uniform(0.02, 0.22)),
        mottle=_single(rng.uniform(-1, 1, (6, 5))), hairline=float(rng.normal(0.90, 0.10)),
        recess=float(rng.uniform(0, 0.4) if man else rng.uniform(-0.15, 0.1)),
        sideburns=float(rng.uniform(0.75, 1.1)),
        hair_volume=float(rng.uniform(0.05, 0.3)), long_hair=long_hair, bald=bald,
        brow_height=float(rng.normal(0, 0.012)), brow_arch=float(rng.uniform(0.0, 0.09)),
        brow_width=float(rng.uniform(0.045, 0.085) if man else rng.uniform(0.028, 0.06)),
        brow_reach=float(rng.uniform(0.9, 1.05)), brow_density=float(rng.uniform(0.45, 0.95)),
        beard=float(rng.uniform(0.1, 0.8)) if hairy else 0.0,
        moustache=float(rng.uniform(0.1, 0.9)) if hairy or (man and rng.random() < 0.1) else 0.0,
        lashes=float(rng.uniform(0.25, 0.6) if man else rng.uniform(0.45, 0.9)), makeup=makeup,
        clothes=_single((rng.random(3) * 0.35 + rng.random() * 0.65) ** 1.5 * 0.7 + 0.02),
    )  # fmt: skip


def _single(values: Floats) -> Floats:
    return values.astype(np.float32)
