"""`lrfer-bench faces`: the benchmark's own LR faces, and restored ones from trained models.

Only faces that may be shown are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import in_process
import numpy as np
import pytest
from folders import PLUGINS
from PIL import Image

from lrfer_bench.contract.condition import Condition
from lrfer_bench.reporting.sheet import psnr, ssim

PLUGIN = ["--plugin", str(PLUGINS / "restoring.py")]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LRFER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("LRFER_PLUGINS", "")


@pytest.fixture(scope="module")
def trained(quickly: Any, tiny: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The two restoring methods, trained at x2 on the drawn faces."""
    results = tmp_path_factory.mktemp("restoring") / "results"
    done = quickly(
        "run",
        *tiny,
        *PLUGIN,
        "--methods",
        "repeats,restores-badly",
        "--scales",
        "2",
        "--no-report",
        "--workers",
        "1",
        "--results",
        results,
    )
    assert done.returncode == 0, done.stderr
    return results


def call(*words: object) -> tuple[int, str]:
    """(status, what was said), in this process."""
    status, out, err = in_process.lrfer("faces", *words)
    return status, out + err


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every figure that is saved."""
    from lrfer_bench.reporting import draw

    kept: list[Any] = []
    save = draw.save
    monkeypatch.setattr(
        draw, "save", lambda figure, *rest: (kept.append(figure), save(figure, *rest))[1]
    )
    return kept


def texts(figure: Any) -> set[str]:
    return {text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))}


def test_every_protocol_and_scale_is_drawn(
    tiny: list[str], tmp_path: Path, figures: list[Any]
) -> None:
    from lrfer_bench.plugins.registry import PROTOCOLS

    out = tmp_path / "deep" / "faces.png"
    status, said = call(*tiny, "--scales", "2,4", "--count", "3", "--out", out)
    protocols = len(PROTOCOLS.names())
    assert status == 0, said
    assert f"3 faces at 2 scales under {protocols} protocols" in said and str(out) in said
    assert Image.open(out).size[0] > 500
    assert [path.name for path in out.parent.iterdir()] == ["faces.png"]
    (figure,) = figures
    assert [len(axes.images) for axes in figure.axes] == [3] * 3 * protocols
    assert {"bicubic@1", "camera@1", "HR, 16 px", "x2, 8 px", "x4, 4 px"} <= texts(figure)
    assert "tinyfaces, test split (synthetic faces)" in texts(figure)


def test_an_svg_is_the_same_every_time(tiny: list[str], tmp_path: Path) -> None:
    made = []
    for name in ("a.svg", "b.svg"):
        assert (
            call(*tiny, "--scales", "2", "--protocols", "camera", "--out", tmp_path / name)[0] == 0
        )
        made.append((tmp_path / name).read_bytes())
    assert made[0] == made[1] and made[0].startswith(b"<?xml")


@pytest.mark.parametrize("split", ["test", "val"])
@pytest.mark.parametrize("protocol", ["bicubic", "camera"])
def test_the_pixels_are_those_of_the_benchmark(tiny: list[str], split: str, protocol: str) -> None:
    from lrfer_bench.data.lowres import lr_images
    from lrfer_bench.data.options import prepared_dataset
    from lrfer_bench.plugins.loading import load_plugins
    from lrfer_bench.predicting.faces import choose_faces, low_faces

    load_plugins([Path(tiny[1])])
    prepared = prepared_dataset("tinyfaces", None, {})
    faces = choose_faces(prepared, split, 6)
    labels = prepared.faces.splits[split].labels[list(faces.rows)]
    assert labels.tolist() == [0, 1, 2, 3, 0, 1] and len(set(faces.rows)) == 6
    shown = low_faces(faces, [protocol], [2, 4])
    for scale in (2, 4):
        whole = lr_images(prepared, split, Condition(f"{protocol}@1", (scale,)))
        assert np.array_equal(shown[f"{protocol}@1"][scale], whole[list(faces.rows)])
    assert choose_faces(prepared, split, 16).rows[:6] == faces.rows


def test_restored_faces_have_their_psnr_and_ssim(
    tiny: list[str], trained: Path, tmp_path: Path, figures: list[Any]
) -> None:
    asked = [
        *tiny,
        *PLUGIN,
        "--scales",
        "2,4",
        "--protocols",
        "area",
        "--restored",
        "repeats",
        "--count",
        "2",
    ]
    status, said = call(*asked, "--results", trained, "--out", tmp_path / "none.png")
    assert status == 2 and "repeats" in said and not (tmp_path / "none.png").exists()
    asked[asked.index("area")] = "bicubic"
    status, said = call(*asked, "--results", trained, "--out", tmp_path / "some.png")
    assert status == 0, said
    assert "left out: repeats, bicubic@1 x4, seed 0" in said
    (figure,) = figures
    assert [len(axes.images) for axes in figure.axes] == [2, 2, 2, 2, 2, 0]
    hr, low, restored = (
        [np.asarray(image.get_array())[None] for image in figure.axes[k].images] for k in (0, 1, 4)
    )
    for small, large in zip(low, restored, strict=True):
        assert np.array_equal(large, small.repeat(2, 1).repeat(2, 2) + 1)
    noise = np.mean([psnr(a, b) for a, b in zip(hr, restored, strict=True)])
    likeness = np.mean([ssim(a, b) for a, b in zip(hr, restored, strict=True)])
    assert figure.axes[4].get_title() == f"{noise:.1f} dB, SSIM {likeness:.2f}"


WRONG = [
    (["--dataset", "private"], "--show-faces"),
    (["--dataset", "privat"], 'did you mean "private"'),
    (["--restored", "linear"], '"linear"'),
    (["--restored", "linaer"], 'did you mean "linear"'),
    (["--restored", "linaer[a=1]"], 'did you mean "linear"'),
    (["--restored", "repeats[a=1]"], 'no setting "a"'),
    (["--restored", "repeats[a"], "is not understood"),
    (["--restored", "repeats", "--preset", "own@01234567"], "own@01234567.toml is missing"),
    (["--protocols", "camara"], 'did you mean "camera"'),
    (["--protocols", ","], "--protocols"),
    (["--scales", "99"], "larger"),
    (["--scales", "x"], "--scales"),
    (["--count", "0"], "1 to 16"),
    (["--count", "17"], "17 faces"),
    (["--out", "faces.gif"], ".svg"),
    (["--preset", "qick", "--restored", "repeats"], 'did you mean "quick"'),
]


@pytest.mark.parametrize(("words", "sentence"), WRONG, ids=[" ".join(words) for words, _ in WRONG])
def test_wrong_calls(tiny: list[str], tmp_path: Path, words: list[str], sentence: str) -> None:
    status, said = call(*tiny, *PLUGIN, "--out", tmp_path / "faces.png", *words)
    assert status == 2 and sentence in said and said.count("\n") == 1, said
    assert not list(tmp_path.glob("*.png"))


def test_ones_own_faces_are_shown_on_demand(tmp_path: Path, figures: list[Any]) -> None:
    out = tmp_path / "own.png"
    status, said = call(
        *PLUGIN, "--dataset", "private", "--scales", "2", "--show-faces", "--out", out
    )
    assert status == 0 and out.is_file(), said
    assert "private, test split" in texts(figures[0])


def test_restored_faces_of_a_wrong_shape(tiny: list[str], trained: Path, tmp_path: Path) -> None:
    status, said = call(
        *tiny,
        *PLUGIN,
        "--scales",
        "2",
        "--protocols",
        "bicubic",
        "--restored",
        "restores-badly",
        "--count",
        "2",
        "--results",
        trained,
        "--out",
        tmp_path / "faces.png",
    )
    assert status == 2
    assert "[2, 1, 8, 8]" in said and "[2, 1, 16, 16]" in said


def test_a_row_of_settings_under_a_preset_of_ones_own(
    tiny: list[str], quickly: Any, tmp_path: Path, figures: list[Any]
) -> None:
    results, label = tmp_path / "results", "repeats[shade=3]"
    words = [*tiny, *PLUGIN, "--scales", "2", "--results", results]
    run = ["run", *words, "--methods", label, "--epochs", "1", "--no-report", "--workers", "1"]
    done = quickly(*run, LRFER_CACHE=str(tmp_path / "cache"))
    assert done.returncode == 0, done.stderr
    (kept,) = (results / "presets").iterdir()
    asked = [*words, "--protocols", "bicubic", "--restored", label, "--count", "2"]
    for number, preset in enumerate((kept.stem, kept)):
        out = tmp_path / f"{number}.png"
        status, said = call(*asked, "--preset", preset, "--out", out)
        assert status == 0, said
    assert any(label in text for text in texts(figures[0])), texts(figures[0])
    again = ["--methods", label, "--preset", kept.stem, "--no-report"]
    status, said, _ = in_process.lrfer("run", *words, *again)
    assert status == 0 and "all 1 cells have a record already" in said
