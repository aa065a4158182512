"""What a written file does with what it was not made for, and what is in the way of writing it."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any

import made_records
import numpy as np
import pytest
import torch
from small_models import fresh

from lrfer_bench.errors import UserError
from lrfer_bench.exporting import to_onnx, to_torchscript
from lrfer_bench.exporting.export import OF_TORCH, format_of
from lrfer_bench.exporting.whole import Whole, probabilities
from lrfer_bench.predicting.predictor import Predictor


def predictor(scale: int) -> Predictor:
    method, side = fresh("direct", scale).eval(), 48 // scale
    record = made_records.make_record(failure="-", scale=scale)
    classes, device = tuple("abcdefg"), torch.device("cpu")
    return Predictor(record, classes, 1, (48, 48), (side, side), method, device)


def faces(*shape: int) -> Any:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.filterwarnings("ignore:.*torch.jit")
@pytest.mark.parametrize("scale", [1, 4])
def test_torchscript_refuses_faces_of_another_size(scale: int) -> None:
    asked = predictor(scale)
    side = 48 // scale
    loaded = torch.jit.load(io.BytesIO(to_torchscript.write(asked, faces(5, 1, side, side), {})))
    for count in (1, 3):
        given = faces(count, 1, side, side)
        wanted = probabilities(Whole(asked.method), given)
        np.testing.assert_allclose(probabilities(loaded, given), wanted, atol=1e-5)
    for shape in ((2, 1, 24, 24), (2, 1, side, 30), (2, 1, 1, 1), (2, 3, side, side), (side, side),
                  (2, 1, side * 2, side // 2)):  # fmt: skip
        with pytest.raises(Exception, match=rf"give \[N, 1, {side}, {side}\]"):
            loaded(torch.from_numpy(faces(*shape)))


def test_onnx_needs_no_temporary_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

    def full(*_: Any, **__: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "mkdtemp", full)
    asked, given = predictor(4), faces(3, 1, 12, 12)
    found = to_onnx.answers(to_onnx.write(asked, given, {}), asked, given)
    np.testing.assert_allclose(found, probabilities(Whole(asked.method), given), atol=1e-5)


@pytest.mark.parametrize("ending", sorted(OF_TORCH))
def test_an_ending_of_torch_is_no_onnx(ending: str) -> None:
    for format in (None, "onnx", "safetensors"):
        with pytest.raises(UserError, match="has an ending of torch's"):
            format_of(Path(f"model{ending.upper()}"), format)
    assert format_of(Path(f"model{ending}"), "torchscript") == "torchscript"
