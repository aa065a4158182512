"""Exporting a trained cell: written, asked, compared with torch, and only then put in its place."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from lrfer_bench.errors import UserError
from lrfer_bench.exporting.about import about
from lrfer_bench.exporting.whole import Faces, Whole, faces_of, probabilities
from lrfer_bench.files import write_atomically
from lrfer_bench.predicting.predictor import Predictor

Answers: TypeAlias = "Callable[[NDArray[np.uint8]], NDArray[np.float32]]"
FORMATS = {
    "onnx": (".onnx", "to_onnx"),
    "torchscript": (".pt", "to_torchscript"),
    "safetensors": (".safetensors", "to_safetensors"),
}
"""Format -> the ending of its files, and the module that writes and asks them."""
OF_TORCH = {".pth", ".ts", ".torchscript", ".jit", ".bin", ".ckpt"}
"""Endings under which torch's own files are looked for."""
TOLERANCE = 1e-4
"""The most that a probability may differ from torch's: 0.01 % of certainty."""


@dataclass(frozen=True)
class Exported:
    """A file's bytes, how far its answers are from torch's on which faces, and its metadata."""

    data: bytes
    difference: float
    faces: Faces
    about: dict[str, str]


def exported(predictor: Predictor, format: str) -> Exported:
    """The file of a cell whose model is on the processor, checked against torch.

    UserError where the format or its packages cannot take the model, and where an answer differs by
    more than TOLERANCE.
    """
    module: Any = importlib.import_module(f"lrfer_bench.exporting.{FORMATS[format][1]}")
    faces = faces_of(predictor)
    told = about(predictor)
    data = module.write(predictor, faces.images, told)
    whole = Whole(predictor.method)

    def by_file(part: NDArray[np.uint8]) -> NDArray[np.float32]:
        try:
            return cast("NDArray[np.float32]", module.answers(data, predictor, part))
        except Exception as error:  # such as a reshape that knows one number of faces only
            raise UserError(
                f"{predictor.record.stem} as {format} cannot be asked about a batch of {len(part)} "
                f"({type(error).__name__}), so nothing is written; choose another --format"
            ) from error

    found = largest_difference(lambda part: probabilities(whole, part), by_file, faces.images)
    if not found <= TOLERANCE:  # NaN as well
        raise UserError(
            f"{predictor.record.stem} as {format} does not answer as torch does: a probability "
            f"differs by {found:.2g} on {faces.named}, more than {TOLERANCE:g}, so nothing is "
            "written; choose another --format"
        )
    return Exported(data, found, faces, told)


def largest_difference(one: Answers, two: Answers, faces: NDArray[np.uint8]) -> float:
    """The largest difference of a probability, over a batch of one face and a batch of the rest.

    Infinite where one gives another number of them, NaN where one gives NaN.
    """
    gaps = [0.0]
    for part in (faces[:1], faces[1:]):
        if len(part):
            first, second = one(part).astype(np.float64), two(part)
            same = first.shape == second.shape
            gaps.append(float(np.abs(first - second).max()) if same else np.inf)
    return float(np.max(gaps))


def format_of(out: Path, format: str | None) -> str:
    """The format that is meant: the one that was named, else by the file's ending, else ONNX.

    UserError for a file with the ending of another format, which programs would misread.
    """
    by_ending = {ending: name for name, (ending, _) in FORMATS.items()}
    of_ending = by_ending.get(out.suffix.lower())
    if format and of_ending not in (None, format):
        raise UserError(
            f"the file {out} has the ending of {of_ending}, and --format says {format}: let it end "
            f"with {FORMATS[format][0]}, or leave out --format"
        )
    if format != "torchscript" and out.suffix.lower() in OF_TORCH:
        raise UserError(
            f"the file {out} has an ending of torch's: let it end with .onnx, .pt (TorchScript) or "
            ".safetensors, or give --format torchscript"
        )
    return format or of_ending or "onnx"


def put(found: Exported, out: Path) -> None:
    """Write the whole file or none; MachineError where the disk is full or the folder is shut."""
    write_atomically(out, found.data, "choose another --out")
