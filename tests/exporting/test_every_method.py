"""Every built-in method that classifies, in every format: it answers as torch does, or says why."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from builtin import OURS
from made import data_ref
from numpy.typing import NDArray
from small_models import fresh

from lrfer_bench.contract.method import Method
from lrfer_bench.contract.preset import preset_of
from lrfer_bench.errors import UserError
from lrfer_bench.exporting import to_onnx, to_safetensors, to_torchscript
from lrfer_bench.exporting.export import TOLERANCE, largest_difference
from lrfer_bench.exporting.whole import Whole, probabilities
from lrfer_bench.plugins.registry import DATASETS
from lrfer_bench.protocols.resample import Bicubic

pytest.importorskip("onnxruntime", reason="onnx and onnxruntime are not installed")
CLASSIFYING = [entry.name for entry in OURS if entry.load().answers == "logits"]
NO_ONNX = {"covpool": "linalg_eigh"}
"""Methods that ONNX cannot say, and the operation that it lacks."""


@pytest.fixture(scope="module")
def synthface() -> NDArray[np.uint8]:
    """The first 100 test faces of SynthFace, uint8 [100, 1, 48, 48]."""
    return DATASETS.load("synthface")().load(None).test.images[:100]


def small(hr: NDArray[np.uint8], method: Method, scale: int) -> NDArray[np.uint8]:
    if method.tests == "hr":
        return hr
    seeds = torch.zeros(len(hr), dtype=torch.int64)
    return Bicubic().apply(torch.from_numpy(np.array(hr)), scale, seeds).numpy()


def sharp(method: Method, gain: float) -> Method:
    """Untrained networks say 1/K of everything: their last layers are turned up, and norms move."""
    torch.manual_seed(0)
    for root in (method, *method.stages.values()):
        for part in root.modules():
            if isinstance(part, torch.nn.Linear):
                part.weight.data.normal_(0, gain / part.in_features**0.5)
            if isinstance(part, torch.nn.BatchNorm2d):
                assert part.running_mean is not None
                part.running_mean.normal_(0, 0.1)
    return method.eval()


def made(name: str, scale: int, preset: str = "quick") -> Any:
    gain = 1.0 if name == "covpool" else 4.0  # logarithms of small numbers are large already
    method = sharp(fresh(name, scale, preset_of(preset), data_ref()), gain)
    record = SimpleNamespace(stem=f"synthface_{name}")
    return SimpleNamespace(method=method, record=record)


def check(predictor: Any, hr: NDArray[np.uint8], module: Any, scale: int) -> None:
    faces = small(hr, predictor.method, scale)
    data = module.write(predictor, faces, {"classes": '["a"]'})

    def by_torch(part: NDArray[np.uint8]) -> NDArray[np.float32]:
        return probabilities(Whole(predictor.method), part)

    said = by_torch(faces)
    assert np.ptp(said, axis=1).max() > 0.05, "faces that all look alike would compare nothing"
    assert len(np.unique(said.round(3), axis=0)) > 10
    found = largest_difference(by_torch, lambda part: module.answers(data, predictor, part), faces)
    assert found <= TOLERANCE / 10


@pytest.mark.parametrize("module", [to_torchscript, to_safetensors])
@pytest.mark.parametrize("name", CLASSIFYING)
def test_in_torch_s_own_formats(name: str, module: Any, synthface: NDArray[np.uint8]) -> None:
    check(made(name, 4), synthface, module, 4)


@pytest.mark.parametrize("scale", [4, 8])
@pytest.mark.parametrize("name", CLASSIFYING)
def test_in_onnx(name: str, scale: int, synthface: NDArray[np.uint8]) -> None:
    predictor = made(name, scale)
    if name in NO_ONNX:
        with pytest.raises(UserError, match=f"{NO_ONNX[name]}.*--format torchscript"):
            to_onnx.write(predictor, small(synthface, predictor.method, scale), {})
        return
    check(predictor, synthface, to_onnx, scale)


@pytest.mark.slow
@pytest.mark.parametrize("name", CLASSIFYING)
def test_networks_of_the_papers_size_in_onnx(name: str, synthface: NDArray[np.uint8]) -> None:
    predictor = made(name, 4, "paper")
    if name in NO_ONNX or name == "fsrfer":  # under this preset it rests on covpool
        with pytest.raises(UserError, match="linalg_eigh"):
            to_onnx.write(predictor, small(synthface, predictor.method, 4), {})
        return
    check(predictor, synthface, to_onnx, 4)
