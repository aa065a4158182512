"""Pictures of the user's own, each shown to the trained cell whose size is nearest."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from lrfer_bench.contract.protocol import lr_size
from lrfer_bench.data.images import BadPicture, open_image, to_array
from lrfer_bench.data.listing import below
from lrfer_bench.data.tree import is_picture
from lrfer_bench.errors import CellError, UserError
from lrfer_bench.keys import seed_for
from lrfer_bench.predicting.shapes import Size, far, inside, said
from lrfer_bench.store.names import elsewhere, row_label
from lrfer_bench.store.schema import Record
from lrfer_bench.store.store import Store

if TYPE_CHECKING:
    from lrfer_bench.predicting.predictor import Predictor

Found = TypeVar("Found")
MOST_ENDINGS = 6
"""So many endings of files that are no pictures are named."""
AS_IT_IS, RESIZED, MADE_SMALL = "as it is", "resized", "made small"


@dataclass(frozen=True)
class Face:
    """A picture that can be used, and how it came to the size of a model.

    size:   of the picture, height and width in pixels
    cell:   the model's record
    taken:  "as it is", "resized", or "made small" under the protocol of the test
    padded: its shape is another than that of the faces learned on: its edges were continued
    lr:     uint8 [1, C, h, w], what the model is shown
    shares: float32 [classes], the probability of each; None until the model was asked
    """

    path: Path
    size: Size
    cell: Record
    taken: str
    padded: bool
    lr: NDArray[np.uint8]
    shares: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class Answers:
    """What models say of pictures, in the order of the pictures.

    bad: pictures that cannot be used, or that the model gives no answer for
    others: a sentence a folder on its files that have no ending of a picture
    """

    cells: Sequence[Record]
    faces: Sequence[Face]
    bad: Sequence[BadPicture]
    others: Sequence[str] = ()

    @property
    def classes(self) -> list[str]:
        return self.cells[0].dataset.classes


class Models:
    """The cells of one method at several scales; a model is read when it is first asked."""

    def __init__(self, cells: Sequence[Record], results: Path, trust: bool) -> None:
        self.cells, self.results, self.trust = cells, results, trust
        self._open: dict[str, Predictor] = {}

    def of(self, cell: Record) -> Predictor:
        from lrfer_bench.predicting.predictor import predictor_of

        if cell.key not in self._open:
            self._open[cell.key] = predictor_of(cell, Store(self.results), trust=self.trust)
        return self._open[cell.key]

    @cached_property
    def any(self) -> Predictor:
        """One of them, for what all have in common: classes, channels and the size of HR faces."""
        return self.of(self.cells[0])

    def size_of(self, cell: Record) -> Size:
        """The size of the faces that a model is asked about."""
        return lr_size(self.any.hr_size, cell.test.scale)

    def nearest(self, size: Size) -> Record:
        """The cell whose faces are of the nearest size; of two as near, that of the larger."""
        return min(self.cells, key=lambda cell: (far(size, self.size_of(cell)), cell.test.scale))

    def are_hr(self, size: Size, images_are: str) -> bool:
        """Whether a picture is to be made small first; "auto": where HR is the nearest size."""
        if images_are != "auto":
            return images_are == "hr"
        return far(size, self.any.hr_size) < far(size, self.size_of(self.nearest(size)))


def predictions(
    cells: Sequence[Record],
    results: Path,
    images: Sequence[Path],
    images_are: str,
    trust: bool = False,
) -> Answers:
    """What trained cells say of pictures, each asked about those that are nearest to its size.

    cells:      finished cells of one method that differ by their scales only
    images:     files, or folders that are searched for pictures; answers are in this order
    images_are: "hr" ones are made small as in the test; "lr" ones are small already;
                "auto" is whichever size is nearer
    trust:      run the results folder's own plugin file, even if it was not made here

    UserError where no picture can be used or answered for, and for a cell whose model is not
    available.
    """
    models = Models(cells, results, trust)
    files, others = _files(images)
    if not files:
        raise UserError("no picture was named: give picture files, or folders with some")
    _ = models.any  # what is wrong with the models comes before what is wrong with pictures
    bad: dict[int, BadPicture] = {}
    faces: dict[int, Face] = {}
    shown: dict[str, list[int]] = {}
    for number, path in enumerate(files):
        try:
            faces[number] = _taken(path, models, images_are)
        except BadPicture as error:
            bad[number] = error
            continue
        shown.setdefault(faces[number].cell.key, []).append(number)
    for numbers in shown.values():
        taken = [faces.pop(number) for number in numbers]
        for number, found in zip(numbers, _asked(models.of(taken[0].cell), taken), strict=True):
            if isinstance(found, BadPicture):
                bad[number] = found
            else:
                faces[number] = found
    if not faces:
        raise bad[min(bad)]
    return Answers(cells, _in_order(faces), _in_order(bad), others)


def _in_order(found: Mapping[int, Found]) -> list[Found]:
    return [found[number] for number in sorted(found)]


def _asked(model: Predictor, faces: Sequence[Face]) -> list[Face | BadPicture]:
    """The faces with their answers; each by itself where they cannot be asked together.

    One picture can spoil a batch: a method that divides by the spread of a face's pixels says NaN
    of a black one.
    """
    try:
        shares = model.probabilities(np.concatenate([face.lr for face in faces]))
    except Exception as error:  # an author's forward can fail in any way
        if len(faces) > 1:
            return [found for face in faces for found in _asked(model, [face])]
        name = "" if isinstance(error, CellError) else f"{type(error).__name__}: "
        why = f"{name}{str(error).strip().partition(chr(10))[0]}"
        return [BadPicture(faces[0].path, f"gets no answer of the model ({why})", "leave it out")]
    return [replace(face, shares=row) for face, row in zip(faces, shares, strict=True)]


def tell_about(answers: Answers, tell: Callable[[str], None]) -> None:
    """Say where the models learned, and what was done to pictures of other sizes and shapes."""
    for line in (*_origins(answers), *answers.others):
        tell(line)
    several = len(answers.cells) > 1
    for cell in answers.cells:
        faces = [face for face in answers.faces if face.cell.key == cell.key]
        other = [f for f in faces if f.taken == RESIZED or (several and f.taken == MADE_SMALL)]
        if other:
            done = " or ".join(dict.fromkeys(face.taken for face in other))
            model = f"the model for faces of {cell.test.size_px} pixels (x{cell.test.scale})"
            tell(
                f"note: {_some(other)} of another size ({_sizes(other)}): {done} for {model}"
                + (", the nearest" if several else "")
            )
    padded = [face for face in answers.faces if face.padded]
    if padded:
        tell(
            f"note: {_some(padded)} of another shape ({_sizes(padded)}): shown whole, with the "
            "edges continued, not squeezed"
        )


def _origins(answers: Answers) -> list[str]:
    """Where the models that answered learned: a line for all, or for those that did so alike."""
    from lrfer_bench.predicting.learned import sentence

    asked = {face.cell.key for face in answers.faces}
    cells = [cell for cell in answers.cells if cell.key in asked]
    alike: dict[str, list[Record]] = {}
    for cell in cells:
        alike.setdefault(elsewhere(cell), []).append(cell)
    lines = []
    for origin, group in alike.items():
        scales = ", ".join(f"x{cell.test.scale}" for cell in group)
        label = row_label(group[0]) + (f" at {scales}" if len(alike) > 1 else "")
        lines.append(sentence(label, group[0]) + (f"; {origin}" if origin else ""))
    return lines


def _some(faces: Sequence[Face]) -> str:
    return f"{len(faces)} picture{'s are' if len(faces) > 1 else ' is'}"


def _sizes(faces: Sequence[Face]) -> str:
    """The commonest sizes, in pixels."""
    common = [said(size) for size, _ in Counter(face.size for face in faces).most_common()]
    return ", ".join(common[:3]) + (f" and {len(common) - 3} more" if len(common) > 3 else "")


def _files(images: Sequence[Path]) -> tuple[list[Path], list[str]]:
    """(the pictures, a sentence for each folder that holds other files as well)."""
    files: list[Path] = []
    sentences = []
    for path in images:
        if not os.path.isdir(path):  # False for a path that no system takes
            files.append(path)
            continue
        inside_it = sorted(below(path))
        pictures = [file for file in inside_it if is_picture(file)]
        others = _others([file for file in inside_it if not is_picture(file)], path)
        if not pictures:
            raise UserError(
                f"the folder {path} holds no picture{f' ({others})' if others else ''}: give "
                "picture files, or folders with some"
            )
        files += pictures
        sentences += [f"note: {others}"] if others else []
    return files, sentences


def _others(files: Sequence[Path], folder: Path) -> str:
    """What is said of files whose ending is that of no kind of picture known here; "": no file."""
    if not files:
        return ""
    endings = sorted({file.suffix.lower() or "none" for file in files})
    named = ", ".join(endings[:MOST_ENDINGS]) + (", ..." if endings[MOST_ENDINGS:] else "")
    many = "1 other file in {} was" if len(files) == 1 else f"{len(files)} other files in {{}} were"
    return f"{many.format(folder)} not looked at ({named})"


def _taken(path: Path, models: Models, images_are: str) -> Face:
    """A picture that no model was asked about yet."""
    own = to_array(open_image(path), "grey" if models.any.channels == 1 else "rgb")
    picture = np.array(own)[None]  # a copy: torch warns of Pillow's own, which cannot be written to
    size = (int(picture.shape[2]), int(picture.shape[3]))
    cell = models.nearest(size)
    predictor = models.of(cell)
    if models.are_hr(size, images_are):
        # noise of its own, whatever pictures stand beside it, as each test face has
        seed = seed_for("predict", hashlib.sha256(picture.tobytes()).hexdigest())
        target, lr = predictor.hr_size, predictor.degrade(picture, seed)
    else:
        target, lr = predictor.lr_size, predictor.fitted(picture)
    fitting = inside(size, target)
    taken = AS_IT_IS if size == fitting else RESIZED
    if target != predictor.lr_size:  # an HR cell is shown HR faces
        taken = MADE_SMALL
    return Face(path, size, cell, taken, fitting != target, lr)
