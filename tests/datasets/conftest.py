"""The real data sets, prepared once."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from lrfer_bench.data.cache import Prepared, prepare
from lrfer_bench.datasets.fer2013 import FER2013
from lrfer_bench.datasets.ferplus import FERPlus


@pytest.fixture(scope="session")
def real_rows(real_fer2013: Prepared, shared_data: Path) -> Sequence:
    """images, emotion, usage, names of both.

    Labels come from the archive, images as prepared (a test hashes them).
    """
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
            patch.setattr(
                "sys.argv", ["fer2013_csv.py", str(path), "--as", form, "--rows", str(rows)]
            )
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
