"""Answers about pictures as a CSV or a JSON file."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lrfer_bench.errors import UserError, csv_cell
from lrfer_bench.predicting.learned import learned_on
from lrfer_bench.predicting.photos import Answers, Face
from lrfer_bench.store.names import method_label, trained_on
from lrfer_bench.store.schema import Record


def is_json(out: Path | None, as_json: bool) -> bool:
    """Whether JSON is wanted; UserError for a file with another ending than .csv and .json."""
    ending = out.suffix.lower() if out else ""
    if out and (ending not in (".csv", ".json") or (as_json and ending == ".csv")):
        wanted = ".json" if as_json else ".csv or .json"
        raise UserError(f"the file {out} has another ending: let it end with {wanted}")
    return as_json or ending == ".json"


def as_csv(answers: Answers) -> str:
    """A header, then a line a picture: image, expression, its probability, that of every class.

    The last column is the scale of the model that was asked.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    classes = answers.classes
    writer.writerow(["image", "expression", "probability", *map(csv_cell, classes), "scale"])
    for face in answers.faces:
        shares = _shares(face)
        best = int(shares.argmax())
        numbers = [f"{share:.4f}" for share in shares]
        first = [csv_cell(str(face.path)), csv_cell(classes[best]), numbers[best]]
        writer.writerow([*first, *numbers, face.cell.test.scale])
    return text.getvalue()


def as_json(answers: Answers) -> str:
    """An object: models, classes, faces (those of the CSV, and how each was taken), left_out."""
    content = {
        "models": [_model(cell) for cell in answers.cells],
        "classes": answers.classes,
        "faces": [_face(face, answers.classes) for face in answers.faces],
        "left_out": [{"image": str(bad.path), "reason": bad.what} for bad in answers.bad],
    }
    # File names that are not UTF-8 are escaped here, as all that is not ASCII.
    return json.dumps(content, indent=1) + "\n"


def _model(cell: Record) -> dict[str, Any]:
    return {
        "key": cell.key,
        "method": method_label(cell),
        "stage_settings": cell.method.stage_settings or [],
        "dataset": cell.dataset.name,
        "learned_on": learned_on(cell),
        "trained_on": None if cell.method.existing else trained_on(cell),
        "protocol": cell.test.protocol,
        "scale": cell.test.scale,
        "size_px": cell.test.size_px,
        "preset": cell.preset,
        "seed": cell.seed,
        "accuracy": cell.metrics.all.accuracy if cell.metrics else None,
    }


def _face(face: Face, classes: list[str]) -> dict[str, Any]:
    row = _shares(face)
    shares = {name: round(float(share), 4) for name, share in zip(classes, row, strict=True)}
    best = classes[int(row.argmax())]
    return {
        "image": str(face.path),
        "expression": best,
        "probability": shares[best],
        "probabilities": shares,
        "scale": face.cell.test.scale,
        "width": face.size[1],
        "height": face.size[0],
        "taken": face.taken,
        "padded": face.padded,
    }


def _shares(face: Face) -> NDArray[np.float32]:
    assert face.shares is not None, "predictions() answers for every face"
    return face.shares
