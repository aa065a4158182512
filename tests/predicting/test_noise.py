"""Pictures that are made small with noise have noise of their own, as test faces have."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from PIL import Image

from lrfer_bench.plugins.degradation import protocol_of
from lrfer_bench.predicting import photos


class Camera:
    """Stands for a model tested under camera at x4."""

    channels, hr_size, lr_size = 1, (48, 48), (12, 12)

    def degrade(self, picture: Any, seed: int = 0) -> Any:
        import torch

        seeds = torch.tensor([seed])
        return protocol_of("camera").apply(torch.from_numpy(picture), 4, seeds).numpy()


def small(path: Path) -> Any:
    camera = Camera()
    models: Any = SimpleNamespace(
        any=camera, nearest=lambda size: None, of=lambda cell: camera, are_hr=lambda *size: True
    )
    return photos._taken(path, models, "hr").lr.astype(int)


def test_two_pictures_do_not_share_a_noise_and_one_keeps_its_own(tmp_path: Path) -> None:
    for grey in (100, 101):
        Image.fromarray(np.full((48, 48), grey, np.uint8)).save(tmp_path / f"{grey}.png")
    Image.open(tmp_path / "100.png").save(tmp_path / "copy.png")
    first, other = small(tmp_path / "100.png"), small(tmp_path / "101.png")
    residuals = [made.ravel() - made.mean() for made in (first, other)]
    assert abs(np.corrcoef(*residuals)[0, 1]) < 0.4, "it was 0.87 with one seed for all"
    assert np.array_equal(first, small(tmp_path / "copy.png")), "whatever its name is"
