"""Small files in the layouts that users have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

USAGES = ("Training", "PublicTest", "PrivateTest")
Faces = tuple[np.ndarray, np.ndarray, np.ndarray]


def noise(seed: int, *shape: int) -> np.ndarray:
    """uint8 of that shape, another one for each seed."""
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def write_tree(root: Path, pictures: dict[str, np.ndarray | Image.Image]) -> Path:
    """pictures: "train/happy/a.png" -> array or PIL image; returns the root."""
    for name, picture in pictures.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
        image.save(path)
    return root


def few_faces() -> Faces:
    """FER2013's images uint8 [21, 48, 48], emotion and usage: each class once in each split."""
    return noise(7, 21, 48, 48), np.arange(21) % 7, np.repeat([0, 1, 2], 7)


def write_csv(path: Path, faces: Faces, icml: bool = False) -> Path:
    """fer2013.csv, or (icml) icml_face_data.csv; returns the path."""
    lines = ["emotion, Usage, pixels" if icml else "emotion,pixels,Usage"]
    for image, emotion, usage in zip(*faces, strict=True):
        pixels, name = " ".join(map(str, image.ravel())), USAGES[usage]
        lines.append(f"{emotion},{name},{pixels}" if icml else f"{emotion},{pixels},{name}")
    path.write_text("\n".join(lines) + "\n")
    return path
