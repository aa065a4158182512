"""Populations of photographs: which faces there are, their ground truth, and their folder."""

from __future__ import annotations

import csv
import io
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lrfer_bench.api import UserError

from .expressions import CLASSES, Expression, draw_expression
from .identity import Identity, draw_identity
from .photograph import photograph
from .rig import load_rig
from .shot import Shot, draw_shot

SIZES = (8, 224)
TAKES = 2
"""Photographs of each identity showing each class."""

CYCLE = ("train",) * 6 + ("val",) + ("test",) * 2
"""Identity i belongs to split CYCLE[i % 9], so that more identities never move one elsewhere."""


@dataclass(frozen=True)
class Face:
    """One photograph before it is taken; its four fields seed everything random about it."""

    seed: int
    identity: int
    label: str
    take: int

    @property
    def split(self) -> str:
        return CYCLE[self.identity % len(CYCLE)]

    @property
    def name(self) -> str:
        return f"{self.identity:05d}_{self.label}_{self.take}"

    def drawn(self) -> tuple[Identity, Expression, Shot]:
        """Who it is, what the face does and how it is taken."""
        return (
            draw_identity(self.seed, self.identity),
            draw_expression(self.seed, self.identity, self.label, self.take),
            draw_shot(self.seed, self.identity, self.label, self.take),
        )

    def render(self, size: int = 48, colour: bool = False) -> NDArray[np.uint8]:
        """uint8 [1 or 3, size, size]."""
        names = (self.seed, "identity", self.identity, "photograph", self.label, self.take)
        return photograph(names, *self.drawn(), size, colour)


def faces(seed: int, identities: int, takes: int = TAKES) -> Iterator[Face]:
    """All photographs of the first `identities` people of population `seed`, in a fixed order."""
    for identity in range(identities):
        for label in CLASSES:
            for take in range(takes):
                yield Face(seed, identity, label, take)


def check_request(size: int, identities: int, seed: int, takes: int = TAKES) -> None:
    """Refuse what cannot be rendered, with a UserError of one sentence."""
    if not SIZES[0] <= size <= SIZES[1]:
        raise UserError(f"--size {size} cannot be rendered: choose {SIZES[0]} to {SIZES[1]} pixels")
    if identities < 1:
        raise UserError(f"--identities {identities} makes no faces: ask for 1 or more")
    if takes < 1:
        raise UserError(
            f"--photographs {takes} makes no faces: ask for 1 or more of each identity and class"
        )
    if seed < 0:
        raise UserError(f"--seed {seed} is negative: choose 0 or more")


def write_folder(
    out: Path,
    size: int,
    identities: int,
    seed: int,
    colour: bool = False,
    takes: int = TAKES,
    tick: Callable[[int, int], None] | None = None,
) -> int:
    """Render to out/<split>/<class>/<name>.png with out/ground_truth.csv; returns how many faces.

    out must be new or empty. All is written to a hidden folder and moved into place at the end: a
    run that is stopped leaves nothing. tick(done, all) is called after each face. UserError for
    wrong values before anything is written.
    """
    check_request(size, identities, seed, takes)
    work = _work_folder(out)
    try:
        done = _write_all(work, size, identities, seed, colour, takes, tick)
        _move(work, out)
    except OSError as error:
        raise UserError(
            f"writing to {out} failed ({error.strerror}): free some space or choose another folder"
        ) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return done


def _work_folder(out: Path) -> Path:
    """A new folder: beside out where there is no such folder yet, inside it where it is there.

    A folder that is there is filled and not replaced: somebody may stand in it, or it is a disk.
    """
    try:
        if os.path.lexists(out) and (not out.is_dir() or any(out.iterdir())):
            raise UserError(f"--out {out} already holds something: choose a new or an empty folder")
        place = out if out.is_dir() else out.parent
        place.mkdir(parents=True, exist_ok=True)
        work = place / f".rendering-{secrets.token_hex(4)}"
        work.mkdir()
    except OSError as error:
        raise UserError(
            f"--out {out} cannot be made ({error.strerror}): choose a folder you may write to"
        ) from error
    return work


def _move(work: Path, out: Path) -> None:
    """Put all that was rendered into place; see _work_folder()."""
    if work.parent != out:
        os.replace(work, out)
        return
    for entry in sorted(work.iterdir()):
        os.replace(entry, out / entry.name)


def _write_all(work: Path, size: int, identities: int, seed: int, colour: bool, takes: int,
               tick: Callable[[int, int], None] | None) -> int:  # fmt: skip
    wanted = list(faces(seed, identities, takes))
    rows = []
    for done, face in enumerate(wanted, start=1):
        path = Path(face.split, face.label, f"{face.name}.png")
        (work / path).parent.mkdir(parents=True, exist_ok=True)
        pixels = face.render(size, colour)
        Image.fromarray(pixels.transpose(1, 2, 0) if colour else pixels[0]).save(work / path)
        rows.append(ground_truth(face, path))
        if tick:
            tick(done, len(wanted))
    text = io.StringIO()
    table = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    (work / "ground_truth.csv").write_text(text.getvalue(), encoding="utf-8")
    return len(wanted)


def ground_truth(face: Face, path: Path) -> dict[str, str]:
    """One row of the CSV: names, angles in degrees, the weight of every blend shape (au_...)."""
    identity, expression, shot = face.drawn()
    row = {
        "file": path.as_posix(), "split": face.split, "class": face.label,
        "identity": str(face.identity), "photograph": str(face.take), "seed": str(face.seed),
        "display": str(expression.display),
    }  # fmt: skip
    numbers = {
        "strength": expression.strength, "yaw": shot.yaw, "pitch": shot.pitch, "roll": shot.roll,
        "gaze_yaw": shot.gaze_yaw, "gaze_pitch": shot.gaze_pitch, "noise": shot.noise,
        "blur": shot.blur,
    }  # fmt: skip
    numbers |= identity.traits
    for name in load_rig().names("au"):
        unit = name.split("/", 1)[1]
        numbers[f"au_{unit}"] = expression.weights.get(unit, 0.0)
    return row | {name: f"{value:.5g}" for name, value in numbers.items()}
