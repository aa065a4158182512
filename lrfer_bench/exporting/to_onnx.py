"""A model as an ONNX file, and onnxruntime that asks it. The only file that imports either.

torch's tracing exporter is used: its newer one takes half a minute a model in place of a second,
needs two packages more, and refuses the resize that every method begins with.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from lrfer_bench.errors import UserError
from lrfer_bench.exporting.whole import Whole
from lrfer_bench.predicting.predictor import Predictor

OPSET = 17
"""Of 2022: every runtime in use reads it."""
INPUT, OUTPUT = "faces", "probabilities"
RESIZES = {"aten::_upsample_bicubic2d_aa": "bicubic", "aten::_upsample_bilinear2d_aa": "bilinear"}


def write(predictor: Predictor, faces: NDArray[np.uint8], told: Mapping[str, str]) -> bytes:
    """The ONNX file of a cell: INPUT uint8 [N, C, h, w] -> OUTPUT float32 [N, K], for any N.

    faces: an example; told: its metadata. UserError where a package is missing, and for a network
    that ONNX cannot say.
    """
    onnx, runtime = packages()
    try:
        with warnings.catch_warnings(), torch.no_grad(), resizes_as_products():
            # in memory: a full temporary folder would be blamed on the model
            buffer: Any = io.BytesIO()
            warnings.simplefilter("ignore")  # of tracing: what it gets wrong is found by the check
            torch.onnx.export(
                Whole(predictor.method), (torch.from_numpy(faces[:2]),), buffer, dynamo=False,
                input_names=[INPUT], output_names=[OUTPUT], opset_version=OPSET,
                dynamic_axes={INPUT: {0: "N"}, OUTPUT: {0: "N"}},
            )  # fmt: skip
            model = onnx.load_from_string(buffer.getvalue())
        onnx.helper.set_model_props(model, dict(told))
        onnx.checker.check_model(model)
        data = cast(bytes, model.SerializeToString())
        session(data, threads=1, runtime=runtime)
    except Exception as error:  # exporter, checker and runtime fail in many ways
        raise UserError(
            f"{predictor.record.stem} cannot be written as ONNX: {_reason(error)}; "
            "try --format torchscript"
        ) from error
    return data


def answers(data: bytes, predictor: Predictor, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What an ONNX file says of faces in onnxruntime, float32 [N, K]."""
    return ask(session(data, threads=1), faces)


def session(data: bytes | Path, threads: int, runtime: ModuleType | None = None) -> Any:
    """An onnxruntime session on so many threads of the processor."""
    runtime = runtime or packages()[1]
    options = runtime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    content = str(data) if isinstance(data, Path) else data
    return runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def ask(opened: Any, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Probabilities float32 [N, K] of faces uint8 [N, C, h, w] from a session."""
    return cast("NDArray[np.float32]", opened.run([OUTPUT], {INPUT: faces})[0])


def packages() -> tuple[ModuleType, ModuleType]:
    """The modules onnx and onnxruntime; UserError that names the extra where one is missing."""
    try:
        import onnx
        import onnxruntime
    except ImportError as error:
        raise UserError(
            f'ONNX needs packages that are not here ({error}): pip install "lrfer-bench[onnx]", '
            "or export with --format torchscript"
        ) from error
    return onnx, onnxruntime


def _reason(error: Exception) -> str:
    found = re.search(r"aten::(\w+)", str(error))
    if found and isinstance(error, torch.onnx.errors.OnnxExporterError):
        return f"it uses {found[1]}, which ONNX opset {OPSET} does not have"
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"


@contextmanager
def resizes_as_products() -> Iterator[None]:
    """Antialiased resizes, which torch's exporter does not know, become two matrix products.

    They are linear along each axis, so the products are what torch does, up to rounding.
    """
    for name, mode in RESIZES.items():
        torch.onnx.register_custom_op_symbolic(name, _symbolic(mode), OPSET)
    try:
        yield
    finally:
        for name in RESIZES:
            torch.onnx.unregister_custom_op_symbolic(name, OPSET)


def _symbolic(mode: str) -> Any:
    from torch.onnx import symbolic_helper

    def symbolic(g: Any, images: Any, size: Any, align_corners: Any, *scales: Any) -> Any:
        height, width = symbolic_helper._get_tensor_sizes(images)[-2:]
        target = symbolic_helper._maybe_get_const(size, "is")
        if not (isinstance(target, list) and height and width):
            raise torch.onnx.errors.OnnxExporterError(
                "aten::interpolate with sizes that depend on the faces"
            )
        rows = g.op("Constant", value_t=axis_weights(height, target[0], mode))
        columns = g.op("Constant", value_t=axis_weights(width, target[1], mode).T.contiguous())
        return g.op("MatMul", rows, g.op("MatMul", images, columns))

    return symbolic


def axis_weights(source: int, target: int, mode: str) -> Tensor:
    """float32 [target, source]: what torch's antialiased resize does along one axis."""
    ones = torch.eye(source)[None, None]
    return F.interpolate(ones, size=(target, source), mode=mode, antialias=True)[0, 0]
