"""`lrfer-bench predict` says what a trained cell sees in the user's own pictures."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from folders import TINY
from PIL import Image

from lrfer_bench.store.schema import Record
from lrfer_bench.store.store import Store


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory, trained: Path) -> Path:
    """The first four test faces, enlarged, in colour; and one of LR size."""
    from lrfer_bench.plugins.loading import load_plugin
    from lrfer_bench.plugins.registry import DATASETS

    load_plugin(TINY)
    folder = tmp_path_factory.mktemp("pictures")
    for number, face in enumerate(DATASETS.load("tinyfaces")().load(None).test.images[:4, 0]):
        Image.fromarray(np.kron(face, np.ones((3, 3), np.uint8))).convert("RGB").save(
            folder / f"face{number}.png"
        )
    Image.fromarray(np.full((8, 8), 90, np.uint8)).save(folder / "small.png")
    return folder


def test_predict_writes_a_line_a_picture(
    trained: Path, lrfer: Any, tiny: list[str], pictures: Path, tmp_path: Path
) -> None:
    asked = ["--method", "linear", "--scale", "2", "--results", trained, *tiny[:2]]
    done = lrfer("predict", *asked, pictures, pictures / "face0.png")
    assert done.returncode == 0 and not done.stderr
    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert [Path(row["image"]).name for row in rows] == [
        "face0.png",
        "face1.png",
        "face2.png",
        "face3.png",
        "small.png",
        "face0.png",
    ]
    assert {**rows[0], "image": ""} == {**rows[5], "image": ""}
    for row in rows:
        shares = {name: float(row[name]) for name in ("left", "right", "top", "bottom")}
        assert sum(shares.values()) == pytest.approx(1, abs=3e-4) and shares[
            row["expression"]
        ] == max(shares.values())
    record = next(
        r
        for r in Store(trained).scan()
        if isinstance(r, Record) and (r.method.name, r.seed) == ("linear", 0)
    )
    said = Store(trained).read_logits(record).logits[:4].argmax(1)
    assert [row["expression"] for row in rows[:4]] == [record.dataset.classes[k] for k in said]
    to_file = lrfer("predict", *asked, pictures, "--out", tmp_path / "out.csv", "--seed", "1")
    assert (
        "5 faces by tinyfaces_linear" in to_file.stdout
        and len((tmp_path / "out.csv").read_text().splitlines()) == 6
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--method", "linaer"], 'did you mean "linear"'),
        (["--method", "linear", "--scale", "4"], "no finished cell of linear fits"),
        (["--method", "raises"], "none is finished"),
        ([], "no cell is named"),
        (["--key", "zzz"], "no record in"),
        (["--key", "direct_"], "a key is hexadecimal"),
        (["--key", "ffff0000"], 'has a key that starts with "ffff0000"'),
        (["--method", "linear"], "which is not here: install it, or give its file with --plugin"),
    ],
)
def test_predict_mistakes(
    trained: Path, lrfer: Any, pictures: Path, arguments: list[str], words: str
) -> None:
    done = lrfer("predict", *arguments, "--results", trained, pictures / "face0.png")
    assert done.returncode == 2 and words in done.stderr and "Traceback" not in done.stderr


def test_a_picture_that_is_none(trained: Path, lrfer: Any, tiny: list[str], tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_text("no picture")
    (tmp_path / "empty").mkdir()
    for name, words in (
        ("bad.png", "cannot be decoded"),
        ("no.png", "missing"),
        ("empty", "holds no picture"),
    ):
        done = lrfer(
            "predict", "--method", "linear", "--results", trained, *tiny[:2], tmp_path / name
        )
        assert done.returncode == 2 and words in done.stderr and "Traceback" not in done.stderr


def test_bad_and_hidden_pictures_cost_their_own_line_only(
    trained: Path, lrfer: Any, tiny: list[str], pictures: Path, tmp_path: Path
) -> None:
    """As macOS leaves a folder on a memory card."""
    for name in ("a.png", ".thumbnails/t.png", "__MACOSX/t.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((pictures / "face0.png").read_bytes())
    (tmp_path / "._a.png").write_bytes(b"\x00\x05\x16\x07")
    asked = ["--method", "linear", "--scale", "2", "--results", trained, *tiny[:2], tmp_path]
    done = lrfer("predict", *asked)
    assert done.returncode == 0 and not done.stderr and len(done.stdout.splitlines()) == 2
    (tmp_path / "b.png").write_bytes(b"no picture")
    done = lrfer("predict", *asked)
    assert done.returncode == 1 and len(done.stdout.splitlines()) == 2
    assert done.stderr.startswith("left out: ") and "b.png" in done.stderr
