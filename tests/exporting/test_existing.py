"""A model that existed already: its weights go into a file where they are a torch module's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import made_records
import numpy as np
import pytest
import safetensors.torch
import torch
from made import tiny_preset
from torch import nn

from lrfer_bench.contract.method import Task
from lrfer_bench.errors import UserError
from lrfer_bench.exporting import export, to_safetensors, to_torchscript
from lrfer_bench.exporting.whole import Faces
from lrfer_bench.nets.existing import Existing
from lrfer_bench.predicting.predictor import Predictor

NAMES = ("angry", "happy", "sad")


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm, self.linear = nn.BatchNorm2d(1), nn.Linear(64, 3)

    def forward(self, faces: torch.Tensor) -> torch.Tensor:
        return self.linear(self.norm(faces).flatten(1))  # type: ignore[no-any-return]


def by_numpy() -> Any:
    """Not a module, and not one that can be traced."""
    weights = np.random.default_rng(0).normal(size=(64, 3))
    return lambda faces: faces.flatten(1).numpy().astype(np.float64) @ weights


class Held:
    """A session of a runtime: it cannot be copied."""

    def __deepcopy__(self, memo: Any) -> Any:
        raise TypeError("cannot be pickled")

    def __call__(self, faces: torch.Tensor) -> torch.Tensor:
        if torch.jit.is_tracing():
            raise TypeError("not a tensor")
        return faces.flatten(1)[:, :3]


def scripted(weights: str) -> Any:
    return torch.jit.load(weights)


def predictor(thing: Any, weights: str = "") -> Predictor:
    words = {"stands_for": staticmethod(thing), "declared": NAMES}
    task = Task(3, 1, (8, 8), (2,), tiny_preset(), class_names=NAMES)
    method = type("Model", (Existing,), words)(task, weights=weights).eval()
    logits = made_records.Logits(np.eye(3, dtype=np.float32), np.arange(3), np.ones(3, np.bool_))
    record = made_records.make_record(
        logits, classes=NAMES, scale=2, existing=True, weights=["net.pt sha256:0a1b2c3d4e5f"]
    )
    return Predictor(record, NAMES, 1, (8, 8), (4, 4), method, torch.device("cpu"))


@pytest.fixture
def faces(monkeypatch: pytest.MonkeyPatch) -> np.ndarray[Any, Any]:
    drawn = np.random.default_rng(1).integers(0, 256, (5, 1, 4, 4), dtype=np.uint8)
    monkeypatch.setattr(export, "faces_of", lambda _: Faces(drawn, "five drawn faces"))
    return drawn


def test_weights_of_a_module_are_all_in_the_file(tmp_path: Path, faces: Any) -> None:
    torch.save(Net().state_dict(), tmp_path / "net.pth")
    found = export.exported(predictor(Net, str(tmp_path / "net.pth")), "safetensors")
    held = {name.removeprefix("net.") for name in safetensors.torch.load(found.data)}
    assert held == set(Net().state_dict()) and found.difference == 0


@pytest.mark.parametrize("thing", [scripted, by_numpy, Held])
def test_what_keeps_its_weights_elsewhere_is_refused(
    thing: Any, faces: Any, tmp_path: Path
) -> None:
    torch.jit.script(Net().eval()).save(tmp_path / "net.pt")
    weights = str(tmp_path / "net.pt") if thing is scripted else ""
    with pytest.raises(UserError, match=r"weights are in your own file \(net.pt\)"):
        export.exported(predictor(thing, weights), "safetensors")


def test_torchscript_does_not_send_there_what_has_no_weights_to_write(faces: Any) -> None:
    with pytest.raises(UserError, match="cannot be written as TorchScript") as caught:
        to_torchscript.write(predictor(Held), faces, {})
    assert "in your own file" in str(caught.value) and "--format" not in str(caught.value)


def test_an_empty_file_does_not_pass(tmp_path: Path, faces: Any, monkeypatch: Any) -> None:
    torch.save(Net().state_dict(), tmp_path / "net.pth")
    model = predictor(Net, str(tmp_path / "net.pth"))
    monkeypatch.setattr(to_safetensors, "write", lambda *_: safetensors.torch.save({}))
    with pytest.raises(UserError, match="does not answer as torch does"):
        export.exported(model, "safetensors")
