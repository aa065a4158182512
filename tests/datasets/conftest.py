"""Small made files in the layouts of the real data sets, and the real ones prepared once."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from lrfer_bench.data.cache import Prepared, prepare
from lrfer_bench.datasets.fer2013 import FER2013
from lrfer_bench.datasets.ferplus import FERPlus

USAGES = ("Training", "PublicTest", "PrivateTest")
Faces = tuple[np.ndarray, np.ndarray, np.ndarray]


@pytest.fixture
def few_faces() -> Faces:
    """images uint8 [21, 48, 48], emotion, usage: each class once in each split."""
    rng = np.random.default_rng(7)
    images = rng.integers(0, 256, (21, 48, 48), dtype=np.uint8)
    return images, np.arange(21) % 7, np.repeat([0, 1, 2], 7)


@pytest.fixture
def write_csv() -> Callable[..., Path]:
    """write_csv(path, faces, icml=False): the CSV a user has; returns the path."""

    def write(path: Path, faces: Faces, icml: bool = False) -> Path:
        lines = ["emotion, Usage, pixels" if icml else "emotion,pixels,Usage"]
        for image, emotion, usage in zip(*faces, strict=True):
            pixels = " ".join(str(value) for value in image.ravel())
            lines.append(f"{emotion},{USAGES[usage]},{pixels}" if icml else f"{emotion},{pixels},{USAGES[usage]}")
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


@pytest.fixture
def write_tree() -> Callable[..., Path]:
    """write_tree(root, {"train/happy/a.png": array or PIL image, ...}); returns the root."""

    def write(root: Path, pictures: dict[str, np.ndarray | Image.Image]) -> Path:
        for name, picture in pictures.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
            image.save(path)
        return root

    return write


@pytest.fixture
def noise() -> Callable[..., np.ndarray]:
    """noise(seed, *shape): uint8, another one for each seed."""
    return lambda seed, *shape: np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@pytest.fixture(scope="session")
def real_rows(real_fer2013: Prepared, shared_data: Path) -> Sequence:
    """images, emotion, usage, names of both: labels from the archive, images as prepared (a test hashes them)."""
    faces = real_fer2013.faces
    images = np.concatenate([split.images[:, 0] for split in (faces.train, faces.val, faces.test)])
    with np.load(shared_data / "fer2013.npz") as z:
        return images, z["emotion"], z["usage"], list(z["emotion_names"]), list(z["usage_names"])


@pytest.fixture(scope="session")
def write_real(shared_data: Path, real_rows: Sequence) -> Callable[..., Path]:
    """write_real(path, form, rows): the script's own file of about that many real rows."""
    script = _script(shared_data)
    script.read = lambda: real_rows

    def write(path: Path, form: str, rows: int) -> Path:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sys.argv", ["fer2013_csv.py", str(path), "--as", form, "--rows", str(rows)])
            script.main()
        return path

    return write


@pytest.fixture(scope="session")
def real_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def real_fer2013(shared_data: Path, real_cache: Path) -> Prepared:
    return prepare(FER2013(), "fer2013", shared_data, cache=real_cache)


@pytest.fixture(scope="session")
def real_ferplus(shared_data: Path, real_cache: Path) -> Prepared:
    return prepare(FERPlus(), "ferplus", shared_data, cache=real_cache)


def _script(shared_data: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("fer2013_csv", shared_data / "fer2013_csv.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
