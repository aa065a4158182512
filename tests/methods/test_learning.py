"""Each method learns a few dozen made faces by heart, says the same twice, and survives being stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

TRAINED = ["direct", "multires", "srfer", "fsrfer", "askd", "fskd", "gmenet"]
EPOCHS = {"fsrfer": 40}
Tools = Callable[[str], Callable[..., Any]]


@pytest.mark.parametrize("name", [*TRAINED, "cascade"])
def test_learns_made_faces_by_heart(name: str, tools: Tools) -> None:
    faces = tools("made_faces")()
    preset = tools("tiny_preset")(epochs=EPOCHS.get(name, 25), ema=0.0, dropout=0.0)
    method, trained = tools("fitted")(name, faces, preset=preset)
    batch = tools("batch_of")(faces, (4,))
    with torch.no_grad():
        right = (method(batch.lr).argmax(1) == batch.label).float().mean()
    if trained is not None:
        print(name, trained.history[-1]["losses"])
    assert right > 0.95
