from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="session")
def real_images(shared_data: Path) -> np.ndarray:
    """uint8 [N, 48, 48]: the first strip of FER2013."""
    with np.load(shared_data / "fer2013.npz") as z:
        strip = z[sorted(key for key in z.files if key.startswith("strip_"))[0]]
    return np.asarray(Image.open(io.BytesIO(strip.tobytes())).convert("L")).reshape(-1, 48, 48)
