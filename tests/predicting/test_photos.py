"""What predict says beside its answers: where models learned, and what became of each picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import made_records
import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from lrfer_bench.data.images import BadPicture, open_image
from lrfer_bench.errors import UserError
from lrfer_bench.predicting import photos
from lrfer_bench.predicting import predictor as predictor_module
from lrfer_bench.predicting.photos import Answers, Face, Models, tell_about
from lrfer_bench.predicting.predictor import Predictor
from lrfer_bench.store.schema import Record


def cell(scale: int, train_scales: list[int], protocol: str = "bicubic@1") -> Record:
    return made_records.make_record(
        failure="-", method="mine", scale=scale, train_scales=train_scales, protocol=protocol,
        test_protocol="bicubic@1",
    )  # fmt: skip


def face(cell: Record) -> Face:
    nothing = np.zeros((1, 1, 4, 4), np.uint8)
    return Face(Path("a.png"), (4, 4), cell, "as it is", False, nothing)


def said(cells: list[Record], asked: list[Record], others: tuple[str, ...] = ()) -> list[str]:
    lines: list[str] = []
    tell_about(Answers(cells, [face(one) for one in asked], [], others), lines.append)
    return lines


def test_each_origin_of_the_cells_that_answered_has_its_line() -> None:
    one, two, far = cell(2, [2]), cell(4, [2]), cell(8, [2])
    assert said([one, two, far], [one]) == ["mine learned on faces"]
    assert said([one, two, far], [far, two]) == [
        "mine learned on faces; trained on bicubic@1 x2",
    ]
    assert said([one, two, far], [two, one, far]) == [
        "mine at x2 learned on faces",
        "mine at x4, x8 learned on faces; trained on bicubic@1 x2",
    ]
    assert said([one, cell(4, [4])], [one, cell(4, [4])]) == ["mine learned on faces"]


def predictor(scale: int) -> Predictor:
    side = 16 // scale
    return Predictor(
        cell(scale, [scale]), ("a", "b"), 1, (16, 16), (side, side), cast("Any", None),
        torch.device("cpu"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("scale", "side", "images_are", "taken"),
    [
        (1, 16, "hr", "as it is"),
        (1, 32, "hr", "resized"),
        (1, 32, "auto", "resized"),
        (2, 16, "hr", "made small"),
        (2, 8, "lr", "as it is"),
    ],
)
def test_a_cell_of_hr_faces_makes_nothing_small(
    scale: int, side: int, images_are: str, taken: str, tmp_path: Path
) -> None:
    Image.new("L", (side, side)).save(tmp_path / "a.png")
    asked = predictor(scale)
    models = Models([asked.record], tmp_path, False)
    models._open[asked.record.key] = asked
    found = photos._taken(tmp_path / "a.png", models, images_are)
    assert found.taken == taken and found.lr.shape[2:] == asked.lr_size


class Standardised(nn.Module):
    """Divides by the spread of a face's pixels, as many networks do."""

    def forward(self, lr: Tensor) -> Tensor:
        if lr.max() == 255:
            raise ValueError("too bright\nfor me")
        flat = lr.float().flatten(1)
        return ((flat - flat.mean(1, keepdim=True)) / flat.std(1, keepdim=True))[:, :2]


def test_a_picture_without_an_answer_leaves_the_others_theirs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = replace(predictor(2), method=cast("Any", Standardised()))
    monkeypatch.setattr(predictor_module, "predictor_of", lambda *_, **__: asked)
    drawn = np.random.default_rng(0).integers(0, 200, (8, 8), dtype=np.uint8)
    files = [tmp_path / f"{name}.png" for name in ("black", "drawn", "none", "white", "again")]
    for file, pixels in zip(files, (drawn * 0, drawn, None, drawn * 0 + 255, drawn), strict=True):
        if pixels is not None:
            Image.fromarray(pixels).save(file)
    found = photos.predictions([asked.record], tmp_path, files, "lr")
    assert [face.path.stem for face in found.faces] == ["drawn", "again"]
    assert all(face.shares is not None and face.shares.shape == (2,) for face in found.faces)
    black, none, white = found.bad
    assert black.what.startswith("gets no answer of the model (Standardised.forward returned NaN")
    assert none.what == "is missing"
    assert white.what == "gets no answer of the model (ValueError: too bright)"
    with pytest.raises(UserError, match=r"white\.png gets no answer"):
        photos.predictions([asked.record], tmp_path, files[3:4], "lr")


def test_what_is_only_padded_was_not_resized(tmp_path: Path) -> None:
    Image.new("L", (8, 6)).save(tmp_path / "a.png")
    asked = predictor(2)
    models = Models([asked.record], tmp_path, False)
    models._open[asked.record.key] = asked
    found = photos._taken(tmp_path / "a.png", models, "lr")
    assert asked.lr_size == (8, 8) and (found.taken, found.padded) == ("as it is", True)


def test_a_path_that_no_system_takes_is_one_bad_picture(tmp_path: Path) -> None:
    long = tmp_path / (300 * "a" + ".png")
    assert photos._files([long]) == ([long], [])
    with pytest.raises(BadPicture, match=r"a\.png cannot be decoded \(.*too long"):
        open_image(long)


def test_files_without_an_ending_of_a_picture_are_counted(tmp_path: Path) -> None:
    for name in ("a.png", "sub/b.avif", "c.HEIC", "noend", ".hidden"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    files, notes = photos._files([tmp_path])
    assert files == [tmp_path / "a.png"]
    assert notes == [f"note: 3 other files in {tmp_path} were not looked at (.avif, .heic, none)"]
    one = cell(2, [2])
    assert said([one], [one], tuple(notes))[1:] == notes
    (tmp_path / "a.png").unlink()
    with pytest.raises(UserError, match=r"holds no picture \(3 other files in .*\.heic, none\)"):
        photos._files([tmp_path])
    assert photos._files([tmp_path / "noend"]) == ([tmp_path / "noend"], []), "one that is named"


@pytest.mark.parametrize("shape", [(0, 1, 8, 8), (2, 1, 0, 8), (2, 1, 8, 0)])
def test_an_array_without_pixels_is_a_sentence(shape: tuple[int, ...]) -> None:
    asked = predictor(2)
    for ask in (asked.fitted, asked.degrade, asked):
        with pytest.raises(UserError, match="B, h and w of 1 or more"):
            ask(np.zeros(shape, np.uint8))
