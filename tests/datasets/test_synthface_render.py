"""The renderer: geometry that makes sense, determinism, and the folder it writes."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from lrfer_bench.cli.render import render as command
from lrfer_bench.datasets.synthface import SynthFace
from lrfer_bench.datasets.synthface_render import photograph as camera
from lrfer_bench.datasets.synthface_render.expressions import CLASSES, Expression, draw_expression
from lrfer_bench.datasets.synthface_render.generate import Face, write_folder
from lrfer_bench.datasets.synthface_render.identity import draw_identity
from lrfer_bench.datasets.synthface_render.rasterizer import rasterize
from lrfer_bench.datasets.synthface_render.rig import BODY, LASHES, LEFT_EYE, RIGHT_EYE, load_rig
from lrfer_bench.datasets.synthface_render.shot import draw_shot, rotation
from lrfer_bench.errors import UserError
from lrfer_bench.plugins.registry import DATASETS

STRAIGHT = dataclasses.replace(
    draw_shot(0, 0, "neutral", 0),
    yaw=0.0,
    pitch=0.0,
    roll=0.0,
    gaze_yaw=0.0,
    gaze_pitch=0.0,
    shift=(0.0, 0.0),
)


def parts_seen(weights: dict[str, float], identity: int = 0, width: int = 240):
    """Counts of samples by part, and the share of samples inside the mouth.

    The view is straight at a face.
    """
    rig, person = load_rig(), draw_identity(0, identity)
    face = camera.pose_face(rig, person, Expression("neutral", 0, 0.0, weights), STRAIGHT)
    points = camera.project(face, person, STRAIGHT, rotation(STRAIGHT), width)
    chosen = rig.part < LASHES
    hits = rasterize(points, rig.faces[chosen], width, width)
    part = rig.part[chosen][hits.triangle]
    inside = rig.masks[rig.faces[chosen][hits.triangle], 3].mean(axis=1) > 0.5
    eyes = int(((part == LEFT_EYE) | (part == RIGHT_EYE)).sum())
    mouth = int((inside | ((part > RIGHT_EYE) & (part < LASHES))).sum())
    return eyes, mouth


@pytest.mark.parametrize("identity", range(4))
def test_lids_close_and_open(identity):
    half, _ = parts_seen({"eyeBlinkLeft": 0.5, "eyeBlinkRight": 0.5}, identity)
    rest, _ = parts_seen({}, identity)
    shut, _ = parts_seen({"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}, identity)
    wide, _ = parts_seen({"eyeWideLeft": 1.0, "eyeWideRight": 1.0}, identity)
    assert shut < 0.15 * rest and shut < half < rest < wide


@pytest.mark.parametrize("identity", range(4))
def test_the_jaw_opens_the_mouth(identity):
    _, rest = parts_seen({}, identity)
    _, open_mouth = parts_seen({"jawOpen": 0.7}, identity)
    assert open_mouth > rest + 300


def test_a_head_has_no_holes():
    rig, person = load_rig(), draw_identity(0, 5)
    for label in CLASSES:
        face = camera.pose_face(rig, person, draw_expression(0, 5, label, 0), STRAIGHT)
        points = camera.project(face, person, STRAIGHT, rotation(STRAIGHT), 160)
        front = rasterize(points, rig.faces[rig.part == BODY], 160, 160)
        inner = np.zeros((160, 160), bool)
        inner.reshape(-1)[front.sample] = True
        eyes = rasterize(points, rig.faces[rig.part < LASHES], 160, 160)
        whole = np.zeros((160, 160), bool)
        whole.reshape(-1)[eyes.sample] = True
        assert whole[40:130, 50:110].all(), label


def test_both_eyes_look_where_the_gaze_goes():
    """The dark iris moves to the viewer's right when the eyes turn there."""
    person = dataclasses.replace(
        draw_identity(0, 0), looks=dataclasses.replace(draw_identity(0, 0).looks, lashes=0.0)
    )
    centres = []
    wide = Expression("neutral", 0, 0.0, {"eyeWideLeft": 0.5, "eyeWideRight": 0.5})
    for yaw in (-20.0, 20.0):
        shot = dataclasses.replace(STRAIGHT, gaze_yaw=yaw, frame=0.9)
        picture = camera.take(person, wide, shot, 96)
        rig = load_rig()
        at = camera.project(person.vertices, person, shot, rotation(shot), 96)[
            rig.vertices_of(RIGHT_EYE)
        ].mean(0)
        x, y = int(at[0]), int(at[1])
        window = picture[y - 3 : y + 4, x - 7 : x + 8].sum(axis=(0, 2))
        dark = window.max() - window
        centres.append(float((dark * np.arange(15)).sum() / dark.sum()))
    assert centres[1] > centres[0] + 1


def test_two_triangles_share_an_edge_without_gap_or_overlap():
    rng = np.random.default_rng(0)
    for _ in range(50):
        square = np.column_stack([rng.uniform(2, 38, (4, 2)), np.zeros(4)])
        hull = square[np.argsort(np.arctan2(*(square[:, :2] - square[:, :2].mean(0)).T))]
        one = rasterize(hull, np.array([[0, 1, 2]]), 40, 40).sample
        two = rasterize(hull, np.array([[2, 3, 0]]), 40, 40).sample
        other = [rasterize(hull, np.array([t]), 40, 40).sample for t in ([1, 2, 3], [3, 0, 1])]
        if len(np.unique(np.concatenate(other))) == sum(map(len, other)) and not len(
            np.intersect1d(one, two)
        ):
            np.testing.assert_array_equal(np.union1d(one, two), np.union1d(*other))


def test_rasterizer_against_a_plain_one():
    """Every sample against every triangle, by half planes."""
    rng = np.random.default_rng(1)
    points = np.column_stack([rng.uniform(-5, 29, (30, 2)), rng.uniform(-1, 1, 30)])
    triangles = rng.integers(0, 30, (25, 3))
    triangles = triangles[[len(set(t)) == 3 for t in triangles.tolist()]]
    expected = np.full((24, 24), -1)
    best = np.full((24, 24), -np.inf)
    for k, (a, b, c) in enumerate(points[triangles]):
        matrix = np.array([[a[0], b[0], c[0]], [a[1], b[1], c[1]], [1, 1, 1]])
        for y in range(24):
            for x in range(24):
                w = np.linalg.solve(matrix, [x + 0.5, y + 0.5, 1])
                depth = w @ [a[2], b[2], c[2]]
                if (w >= 0).all() and depth > best[y, x]:
                    best[y, x], expected[y, x] = depth, k
    hits = rasterize(points, triangles, 24, 24)
    got = np.full(24 * 24, -1)
    got[hits.sample] = hits.triangle
    np.testing.assert_array_equal(got.reshape(24, 24), expected)
    np.testing.assert_allclose(hits.depth, best.reshape(-1)[hits.sample], atol=1e-9)


def test_a_face_depends_on_its_name_only():
    face = Face(0, 11, "fear", 1)
    first = face.render()
    Face(0, 3, "happy", 0).render()
    draw_identity.cache_clear()
    np.testing.assert_array_equal(face.render(), first)
    assert (Face(0, 11, "fear", 0).render() != first).any()
    assert (Face(1, 11, "fear", 1).render() != first).any()


@pytest.mark.parametrize(("size", "colour"), [(8, False), (96, True), (224, False)])
def test_sizes_and_colour(size, colour):
    image = Face(0, 2, "happy", 0).render(size, colour)
    assert (
        image.shape == (3 if colour else 1, size, size)
        and image.dtype == np.uint8
        and image.std() > 5
    )


def test_sizes_show_the_same_face():
    small, large = (Face(0, 2, "happy", 0).render(size)[0].astype(float) for size in (24, 96))
    assert (
        np.corrcoef(small.ravel(), large.reshape(24, 4, 24, 4).mean(axis=(1, 3)).ravel())[0, 1]
        > 0.97
    )


def test_strengths_vary_and_neutral_is_weak():
    drawn = [draw_expression(0, k, label, 0) for k in range(40) for label in CLASSES]
    strong = [e.strength for e in drawn if e.label != "neutral"]
    assert min(strong) < 0.55 and max(strong) > 0.95
    assert all(
        max(e.weights.values(), default=0) <= 1.1 and min(e.weights.values(), default=0) >= 0
        for e in drawn
    )
    smiles = {
        c: np.mean([e.weights.get("mouthSmileLeft", 0) for e in drawn if e.label == c])
        for c in CLASSES
    }
    assert smiles["happy"] > 0.4 > 5 * smiles["neutral"]
    lopsided = [
        abs(e.weights["mouthSmileLeft"] - e.weights["mouthSmileRight"])
        for e in drawn
        if e.label == "happy"
    ]
    assert max(lopsided) > 0.1


def test_the_folder_and_its_ground_truth(tmp_path):
    out, seen = tmp_path / "more", []
    count = SynthFace().render(
        out, size=16, identities=9, seed=5, photographs=1, tick=lambda a, b: seen.append((a, b))
    )
    with (out / "ground_truth.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert count == len(rows) == 63 and seen[-1] == (63, 63)
    assert {row["split"] for row in rows} == {"train", "val", "test"}
    assert [path.name for path in tmp_path.iterdir()] == ["more"]
    for row in rows[::10]:
        split, label, _ = row["file"].split("/")
        assert (split, label) == (row["split"], row["class"])
        face = Face(5, int(row["identity"]), label, int(row["photograph"]))
        np.testing.assert_array_equal(np.asarray(Image.open(out / row["file"])), face.render(16)[0])
        weights = draw_expression(5, face.identity, label, face.take).weights
        assert float(row["au_mouthSmileLeft"]) == pytest.approx(
            weights.get("mouthSmileLeft", 0), rel=1e-4
        )
        assert float(row["yaw"]) == pytest.approx(
            draw_shot(5, face.identity, label, face.take).yaw, rel=1e-4
        )


def test_the_command_renders_the_shipped_people_in_colour(tmp_path):
    out = tmp_path / "deep" / "faces"
    arguments = [
        "synthface",
        "--size",
        "8",
        "--identities",
        "1",
        "--photographs",
        "1",
        "--colour",
        "--out",
        str(out),
    ]
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0, result.output
    files = sorted(out.rglob("*.png"))
    assert len(files) == 7 and Image.open(files[0]).mode == "RGB" and "7 faces" in result.output


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"size": 0}, "--size 0 "),
        ({"size": 1000}, "--size 1000 "),
        ({"identities": -3}, "--identities -3"),
        ({"identities": 0}, "--identities 0"),
        ({"photographs": -1}, "--photographs -1"),
        ({"seed": -1}, "--seed -1"),
    ],
)
def test_bad_input_is_refused_and_writes_nothing(tmp_path, wrong, sentence):
    with pytest.raises(UserError, match=sentence) as caught:
        SynthFace().render(tmp_path / "out", **wrong)
    assert "\n" not in str(caught.value) and not list(tmp_path.iterdir())


def test_a_used_folder_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(UserError, match="already"):
        SynthFace().render(tmp_path, size=8, identities=1)
    with pytest.raises(UserError, match="already"):
        SynthFace().render(tmp_path / "mine.txt", size=8, identities=1)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_stopped_run_leaves_nothing(tmp_path):
    def stop(done: int, every: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_folder(tmp_path / "out", 8, 1, 0, tick=stop)
    assert not list(tmp_path.iterdir())
    with pytest.raises(KeyboardInterrupt):
        write_folder(tmp_path, 8, 1, 0, tick=stop)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("out", [".", "link", "empty"])
def test_an_empty_folder_is_filled_and_stays_the_same_one(out, tmp_path, monkeypatch):
    """The current folder cannot be replaced: a shell stands in it. Nor can a link, or a disk."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to("empty")
    monkeypatch.chdir(tmp_path / "empty" if out == "." else tmp_path)
    before = (tmp_path / "empty").stat().st_ino
    assert write_folder(Path(out), 8, 1, 0, takes=1) == 7
    assert (tmp_path / "empty").stat().st_ino == before
    found = sorted(path.name for path in (tmp_path / "empty").iterdir())
    assert found == ["ground_truth.csv", "train"]


def test_a_data_set_without_a_renderer_says_so(tmp_path, monkeypatch):
    class Photographs:
        pass

    monkeypatch.setattr(DATASETS, "load", lambda name: Photographs)
    result = CliRunner().invoke(command, ["photos", "--out", str(tmp_path / "out")])
    assert isinstance(result.exception, UserError) and "photos" in str(result.exception)
