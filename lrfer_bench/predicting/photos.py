"""Photos of the user's own, shown to a trained cell; its answers as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lrfer_bench.data.images import BadPicture, open_image, to_array
from lrfer_bench.data.listing import below
from lrfer_bench.data.tree import is_picture
from lrfer_bench.errors import UserError, csv_cell
from lrfer_bench.store.schema import Record
from lrfer_bench.store.store import Store

if TYPE_CHECKING:
    from lrfer_bench.predicting.predictor import Predictor


def predictions(
    cell: Record, results: Path, images: Sequence[Path], images_are: str, trust: bool = False
) -> tuple[str, list[BadPicture]]:
    """CSV with a header: image, expression, its probability, then that of every class.

    The second part of the answer are pictures that cannot be used, and have no line.

    images:     files, or folders that are searched for pictures; rows are in this order
    images_are: "hr" ones are made small as in the test; "lr" ones are small already;
                "auto" is "lr" for those of just the size that was tested
    trust:      run the results folder's own plugin file, whoever made it

    UserError where no picture can be used, and for a cell whose model is not available.
    """
    files = list(_files(images))
    from lrfer_bench.predicting.predictor import predictor_of

    predictor = predictor_of(cell, Store(results), trust=trust)
    faces: dict[int, NDArray[np.uint8]] = {}
    bad: list[BadPicture] = []
    for number, path in enumerate(files):
        try:
            faces[number] = _lr_face(path, predictor, images_are)
        except BadPicture as error:
            bad.append(error)
    if not faces:
        raise bad[0]
    shares = predictor.probabilities(np.concatenate(list(faces.values())))
    paths = [files[number] for number in faces]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["image", "expression", "probability", *map(csv_cell, predictor.classes)])
    for path, row in zip(paths, shares, strict=True):
        best = int(row.argmax())
        numbers = (f"{share:.4f}" for share in row)
        said = [csv_cell(str(path)), csv_cell(predictor.classes[best]), f"{row[best]:.4f}"]
        writer.writerow([*said, *numbers])
    return text.getvalue(), bad


def _files(images: Sequence[Path]) -> Iterator[Path]:
    for path in images:
        if not path.is_dir():
            yield path
            continue
        inside = sorted(file for file in below(path) if is_picture(file))
        if not inside:
            raise UserError(
                f"the folder {path} holds no picture: give picture files, or folders with some"
            )
        yield from inside


def _lr_face(path: Path, predictor: Predictor, images_are: str) -> NDArray[np.uint8]:
    """uint8 [1, C, *lr_size] of one picture."""
    import torch

    from lrfer_bench.pixels import resize

    own = to_array(open_image(path), "grey" if predictor.channels == 1 else "rgb")
    face = np.array(own)[None]  # a copy: torch warns of Pillow's own, which cannot be written to
    fits = face.shape[2:] == predictor.lr_size
    if images_are == "lr" or (images_are == "auto" and fits):
        return resize(torch.from_numpy(face), predictor.lr_size).numpy()
    return predictor.degrade(face)
