"""What a face does: the blend shapes ("action units") of each class, and how people differ.

The displays follow the usual descriptions of the basic emotions (Ekman and Friesen's FACS manual
and its emotion predictions), translated to the rig's 52 shapes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .seeds import generator

CLASSES = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")

PAIRED = frozenset(
    ("browDown", "browOuterUp", "cheekSquint", "eyeBlink", "eyeSquint", "eyeWide", "mouthDimple",
     "mouthFrown", "mouthLowerDown", "mouthPress", "mouthSmile", "mouthStretch", "mouthUpperUp",
     "noseSneer")
)  # fmt: skip
"""Units that exist as a left and a right shape."""

Display = dict[str, float]

DISPLAYS: dict[str, tuple[Display, ...]] = {
    "angry": (
        {"browDown": 1.0, "eyeSquint": 0.5, "noseSneer": 0.25, "mouthPress": 0.8,
         "mouthFrown": 0.3, "eyeWide": 0.2},
        {"browDown": 1.0, "eyeWide": 0.55, "noseSneer": 0.35, "mouthUpperUp": 0.5,
         "mouthLowerDown": 0.7, "mouthStretch": 0.35, "jawOpen": 0.22},
        {"browDown": 0.95, "eyeSquint": 0.7, "mouthRollLower": 0.5, "mouthRollUpper": 0.35,
         "mouthFrown": 0.35, "jawForward": 0.5},
        {"browDown": 0.85, "eyeWide": 0.3, "mouthFunnel": 0.5, "mouthLowerDown": 0.35,
         "jawOpen": 0.3, "noseSneer": 0.3},
    ),
    "disgust": (
        {"noseSneer": 1.0, "mouthUpperUp": 0.8, "browDown": 0.45, "eyeSquint": 0.6,
         "mouthFrown": 0.35, "cheekSquint": 0.5},
        {"noseSneer": 0.9, "mouthUpperUp": 0.9, "browDown": 0.35, "cheekSquint": 0.7,
         "jawOpen": 0.18, "tongueOut": 0.35, "mouthLowerDown": 0.35},
        {"noseSneer": 0.8, "mouthFrown": 0.8, "mouthShrugLower": 0.7, "mouthUpperUp": 0.35,
         "browDown": 0.45, "eyeSquint": 0.5, "eyeBlink": 0.15},
    ),
    "fear": (
        {"browInnerUp": 0.9, "browOuterUp": 0.4, "browDown": 0.25, "eyeWide": 1.0,
         "mouthStretch": 0.9, "jawOpen": 0.16, "mouthLowerDown": 0.3},
        {"browInnerUp": 0.95, "browDown": 0.3, "eyeWide": 0.9, "mouthStretch": 0.7, "jawOpen": 0.42,
         "mouthFrown": 0.25},
        {"browInnerUp": 0.8, "browOuterUp": 0.55, "eyeWide": 1.0, "mouthStretch": 0.6,
         "mouthPress": 0.3, "mouthFrown": 0.35},
    ),
    "happy": (
        {"mouthSmile": 0.9, "cheekSquint": 0.7, "jawOpen": 0.12, "mouthUpperUp": 0.35},
        {"mouthSmile": 1.0, "cheekSquint": 0.9, "jawOpen": 0.38, "mouthUpperUp": 0.5,
         "eyeSquint": 0.45, "mouthLowerDown": 0.2},
        {"mouthSmile": 0.75, "cheekSquint": 0.45, "mouthDimple": 0.4, "mouthPress": 0.15},
    ),
    "sad": (
        {"browInnerUp": 0.9, "mouthFrown": 0.9, "mouthShrugLower": 0.5, "eyeBlink": 0.22,
         "browDown": 0.12},
        {"browInnerUp": 0.8, "mouthFrown": 0.7, "mouthPress": 0.3, "eyeSquint": 0.35,
         "eyeBlink": 0.3},
        {"browInnerUp": 0.95, "mouthFrown": 0.8, "mouthStretch": 0.3, "jawOpen": 0.12,
         "cheekSquint": 0.4, "eyeSquint": 0.5, "mouthShrugLower": 0.35},
    ),
    "surprise": (
        {"browInnerUp": 0.9, "browOuterUp": 1.0, "eyeWide": 0.8, "jawOpen": 0.65},
        {"browInnerUp": 0.8, "browOuterUp": 0.9, "eyeWide": 0.7, "jawOpen": 0.35,
         "mouthFunnel": 0.4},
        {"browInnerUp": 0.9, "browOuterUp": 0.85, "eyeWide": 0.6, "jawOpen": 0.2,
         "mouthPucker": 0.15},
    ),
    "neutral": ({},),
}  # fmt: skip

STRENGTHS = (0.35, 1.08)
"""Least and greatest strength of a display; drawn so that the middle is commonest."""

NOISE_UNITS = (
    "browInnerUp", "browDown", "browOuterUp", "cheekSquint", "eyeSquint", "eyeWide", "jawForward",
    "mouthClose", "mouthDimple", "mouthFrown", "mouthFunnel", "mouthLowerDown", "mouthPress",
    "mouthPucker", "mouthRollLower", "mouthRollUpper", "mouthShrugUpper", "mouthSmile",
    "mouthStretch", "mouthUpperUp", "noseSneer",
)  # fmt: skip
NOISE = 0.14
"""Greatest weight of a unit that has nothing to do with the class."""


@dataclass(frozen=True)
class Expression:
    """weights: blend shape (without "au/") -> weight; only those that are not 0."""

    label: str
    display: int
    strength: float
    weights: dict[str, float]


def draw_expression(seed: int, identity: int, label: str, photograph: int) -> Expression:
    """How identity number `identity` shows `label` on its photograph number `photograph`."""
    person = generator(seed, "identity", identity, "display", label)
    habits = person.dirichlet([2.0, 0.8, 0.8, 0.8][: len(DISPLAYS[label])])
    gains = {unit: float(np.exp(person.normal(0, 0.2))) for unit in sorted(_units(label))}
    one_sided = float(person.normal(0, 0.10))
    rng = generator(seed, "identity", identity, "photograph", label, photograph, "expression")
    display = int(rng.choice(len(habits), p=habits))
    low, high = STRENGTHS
    strength = low + (high - low) * float(rng.beta(2.0, 1.4)) if label != "neutral" else 0.0
    weights: dict[str, float] = {}
    for unit, amount in DISPLAYS[label][display].items():
        lean = float(np.clip(one_sided + rng.normal(0, 0.08), -0.45, 0.45))
        _add(weights, unit, amount * strength * gains[unit] * float(rng.uniform(0.85, 1.15)), lean)
    for unit in rng.choice(NOISE_UNITS, 3, replace=False):
        _add(weights, str(unit), NOISE * float(rng.random()), float(rng.uniform(-0.5, 0.5)))
    if rng.random() < 0.25:
        _add(weights, "jawOpen", 0.15 * float(rng.random()), 0.0)
    blink = 0.15 * float(rng.random()) if rng.random() > 0.03 else 0.8
    if not {"eyeWideLeft", "eyeWideRight"} & set(weights):
        _add(weights, "eyeBlink", blink, float(rng.normal(0, 0.05)))
    return Expression(
        label,
        display,
        strength,
        {unit: weight for unit, weight in _settle(weights).items() if weight},
    )


def _units(label: str) -> set[str]:
    return {unit for display in DISPLAYS[label] for unit in display}


def _add(weights: dict[str, float], unit: str, amount: float, lean: float) -> None:
    """Add a unit; a paired one gets more on one side (lean > 0: on the left), the same in all."""
    sides = (("Left", 1 + lean), ("Right", 1 - lean)) if unit in PAIRED else (("", 1.0),)
    for side, share in sides:
        weights[unit + side] = weights.get(unit + side, 0.0) + amount * share


def _settle(weights: dict[str, float]) -> dict[str, float]:
    """Keep weights where the rig stays a face: lids never past closed, lips never crossed."""
    kept = {unit: float(np.clip(weight, 0.0, 1.1)) for unit, weight in weights.items()}
    for side in ("Left", "Right"):
        squint = 0.35 * kept.get("eyeSquint" + side, 0.0)
        blink = "eyeBlink" + side
        if blink in kept:
            kept[blink] = min(kept[blink], 1.0 - squint)
    if "mouthClose" in kept:
        kept["mouthClose"] = min(kept["mouthClose"], kept.get("jawOpen", 0.0))
    return kept
