"""`lrfer-bench predict` says what a trained cell sees in the user's own pictures."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import in_process
import numpy as np
import pytest
import registries
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
    trained: Path, lrfer: Any, quickly: Any, tiny: list[str], pictures: Path, tmp_path: Path
) -> None:
    asked = ["--method", "linear", "--scale", "2", "--results", trained, *tiny[:2]]
    done = lrfer("predict", *asked, pictures, pictures / "face0.png")
    assert done.returncode == 0
    assert done.stderr == "linear learned on tinyfaces (synthetic faces)\n"
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
    logits = Store(trained).read_logits(record).logits[:4]
    second, first = np.sort(logits)[:, -2:].T
    clear = first - second > 0.1  # enlarging and shrinking a picture moves a narrow one
    said = [record.dataset.classes[k] for k in logits.argmax(1)]
    pairs = zip(rows[:4], said, clear, strict=True)
    assert clear.sum() >= 2
    assert all(row["expression"] == name for row, name, sure in pairs if sure)
    to_file = quickly("predict", *asked, pictures, "--out", tmp_path / "out.csv", "--seed", "1")
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
def test_predict_mistakes(trained: Path, pictures: Path, arguments: list[str], words: str) -> None:
    with registries.pristine():
        done = in_process.lrfer("predict", *arguments, "--results", trained, pictures / "face0.png")
    assert done.status == 2 and words in done.err and "Traceback" not in done.err


def test_a_picture_that_is_none(trained: Path, tiny: list[str], tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_text("no picture")
    (tmp_path / "empty").mkdir()
    for name, words in (
        ("bad.png", "cannot be decoded"),
        ("no.png", "missing"),
        ("empty", "holds no picture"),
    ):
        asked = ("--method", "linear", "--results", trained, *tiny[:2])
        with registries.pristine():
            done = in_process.lrfer("predict", *asked, tmp_path / name)
        assert done.status == 2 and words in done.err and "Traceback" not in done.err


def test_bad_and_hidden_pictures_cost_their_own_line_only(
    trained: Path, quickly: Any, tiny: list[str], pictures: Path, tmp_path: Path
) -> None:
    """As macOS leaves a folder on a memory card."""
    for name in ("a.png", ".thumbnails/t.png", "__MACOSX/t.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((pictures / "face0.png").read_bytes())
    (tmp_path / "._a.png").write_bytes(b"\x00\x05\x16\x07")
    asked = ["--method", "linear", "--scale", "2", "--results", trained, *tiny[:2], tmp_path]
    done = quickly("predict", *asked)
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 2
    assert "left out" not in done.stderr
    (tmp_path / "b.png").write_bytes(b"no picture")
    done = quickly("predict", *asked)
    assert done.returncode == 1 and len(done.stdout.splitlines()) == 2
    assert "\nleft out: " in done.stderr and "b.png" in done.stderr


@pytest.fixture(scope="module")
def two_scales(tmp_path_factory: pytest.TempPathFactory, quickly: Any, tiny: list[str]) -> Path:
    """linear for faces of 8 and of 4 pixels; HR has 16."""
    results = tmp_path_factory.mktemp("scales") / "results"
    asked = ["--methods", "linear", "--scales", "2,4", "--no-report", "--results", results]
    assert quickly("run", *tiny, *asked).returncode == 0
    return results


def test_each_picture_goes_to_the_model_of_the_nearest_size(
    two_scales: Path, quickly: Any, tiny: list[str], tmp_path: Path
) -> None:
    """In ratios: 3 and 5 are nearest to 4, 6 to 8; 12 and more to HR, and made small to 8."""
    rng = np.random.default_rng(0)
    sizes = {3: "4", 4: "4", 5: "4", 6: "2", 8: "2", 11: "2", 12: "2", 64: "2"}
    for side in sizes:
        picture = Image.fromarray(rng.integers(0, 256, (side, side), dtype=np.uint8))
        picture.save(tmp_path / f"{side:02}.png")
    asked = ["predict", "--method", "linear", "--results", two_scales, *tiny[:2], tmp_path]
    done = quickly(*asked)
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert [row["scale"] for row in rows] == list(sizes.values())
    notes = done.stderr.splitlines()
    assert notes[1].startswith("note: 4 pictures are of another size (6x6, 11x11, 12x12 and 1")
    assert "faces of 8 pixels (x2), the nearest" in notes[1]
    assert notes[2].startswith("note: 2 pictures are of another size (3x3, 5x5): resized for")

    named = quickly(*asked, "--scale", "4", "--json")
    taken = {face["width"]: face["taken"] for face in json.loads(named.stdout)["faces"]}
    assert taken == {
        3: "resized", 4: "as it is", 5: "resized", 6: "resized", 8: "resized",
        11: "made small", 12: "made small", 64: "made small",
    }  # fmt: skip
    missing = quickly(*asked, "--scale", "3")
    assert missing.returncode == 2 and "without a scale, the nearest is taken" in missing.stderr


def test_a_picture_that_is_not_square_is_answered_as_its_padded_self(
    two_scales: Path, quickly: Any, tiny: list[str], tmp_path: Path
) -> None:
    face = np.random.default_rng(3).integers(0, 256, (8, 6), dtype=np.uint8)
    padded = np.pad(face, ((0, 0), (1, 1)), mode="edge")
    for name, pixels in (("narrow.png", face), ("padded.png", padded)):
        Image.fromarray(pixels).save(tmp_path / name)
    out = tmp_path / "out.json"
    done = quickly(
        "predict", "--method", "linear", "--results", two_scales, *tiny[:2], "--out", out, tmp_path
    )  # fmt: skip
    assert done.returncode == 0 and "1 picture is of another shape (6x8): shown whole" in (
        done.stderr
    )
    said = json.loads(out.read_text())
    narrow, square = said["faces"]
    assert narrow["padded"] and not square["padded"]
    assert narrow["probabilities"] == square["probabilities"]
    assert said["models"][0]["learned_on"] == "tinyfaces (synthetic faces)"


def test_a_file_says_by_its_ending_what_it_is(
    two_scales: Path, quickly: Any, tiny: list[str], pictures: Path, tmp_path: Path
) -> None:
    (tmp_path / "bad.png").write_bytes(b"no picture")
    asked = ["predict", "--method", "linear", "--scale", "2", "--results", two_scales, *tiny[:2]]
    asked += [pictures / "face0.png", tmp_path / "bad.png"]
    table, tree = tmp_path / "out.csv", tmp_path / "out.json"
    for out in (table, tree):
        assert quickly(*asked, "--out", out).returncode == 1
    (row,) = csv.DictReader(table.read_text().splitlines())
    content = json.loads(tree.read_text())
    (face,), (left_out,) = content["faces"], content["left_out"]
    assert float(row["probability"]) == face["probability"] == max(face["probabilities"].values())
    assert (
        row["expression"] == face["expression"]
        and list(face["probabilities"]) == (content["classes"])
    )
    assert left_out["image"].endswith("bad.png") and "cannot be decoded" in left_out["reason"]
    for words in (["--out", "out.txt"], ["--out", "out.csv", "--json"]):
        done = quickly(*asked, *words)
        assert done.returncode == 2 and "let it end with" in done.stderr and not done.stdout
