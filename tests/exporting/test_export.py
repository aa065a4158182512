"""What is exported answers as torch does, or nothing is written; and it says what it is."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import registries
import safetensors.torch
import torch
from folders import TINY
from small_models import fresh

from lrfer_bench.contract.method import Method
from lrfer_bench.errors import MachineError, UserError
from lrfer_bench.exporting import export, to_onnx, to_safetensors, to_torchscript
from lrfer_bench.exporting.about import about, licence
from lrfer_bench.exporting.export import exported, format_of, largest_difference, put
from lrfer_bench.exporting.whole import Whole, faces_of, probabilities
from lrfer_bench.plugins.loading import load_plugin
from lrfer_bench.predicting.predictor import Predictor, predictor_of
from lrfer_bench.predicting.wanted import Wanted, cell_meant
from lrfer_bench.store.store import Store


@pytest.fixture
def predictor(
    trained: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Predictor]:
    """The trained cell linear at x2 on drawn faces, as a user opens it."""
    monkeypatch.setenv("LRFER_CACHE", environment["LRFER_CACHE"])
    with registries.kept():
        load_plugin(TINY)
        record = cell_meant(trained, Wanted("linear", 2), lambda note: None)
        yield predictor_of(record, Store(trained))


@pytest.mark.parametrize("format", export.FORMATS)
def test_a_trained_cell_in_every_format(format: str, predictor: Predictor) -> None:
    if format == "onnx":
        pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    found = exported(predictor, format)
    assert found.difference < 1e-5
    assert found.faces.named == "48 test faces of tinyfaces"
    metrics = predictor.record.metrics
    assert metrics is not None
    best = probabilities(Whole(predictor.method), found.faces.images).argmax(1)
    confusion = np.asarray(metrics.all.confusion)  # the faces are those that the record tells of
    assert np.bincount(best, minlength=4).tolist() == confusion.sum(0).tolist()
    assert json.loads(found.about["classes"]) == ["left", "right", "top", "bottom"]
    assert (found.about["size"], found.about["hr_size"]) == ("[8, 8]", "[16, 16]")
    assert found.about["accuracy"] == f"{metrics.all.accuracy:.4f}"
    assert found.about["stage_settings"] == "[]"
    assert (found.about["dataset"], found.about["protocol"]) == ("tinyfaces", "bicubic@1")
    assert metadata_of(found.data, format) == found.about


def metadata_of(data: bytes, format: str) -> dict[str, str]:
    """As another program reads it."""
    if format == "onnx":
        onnx, _ = to_onnx.packages()
        return {entry.key: entry.value for entry in onnx.load_from_string(data).metadata_props}
    if format == "torchscript":
        files = {to_torchscript.ABOUT: ""}
        torch.jit.load(io.BytesIO(data), _extra_files=files)
        return json.loads(files[to_torchscript.ABOUT])
    length = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + length])["__metadata__"]


@pytest.mark.parametrize("by", [3e-4, float("nan")])
def test_one_that_answers_otherwise_is_an_error(
    by: float, predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = to_safetensors.answers

    def wrong(*arguments: Any) -> Any:
        found = right(*arguments)
        found[-1, 2] += by  # one probability of one face
        return found

    monkeypatch.setattr(to_safetensors, "answers", wrong)
    with pytest.raises(UserError, match="does not answer as torch does"):
        exported(predictor, "safetensors")


def test_the_largest_difference_is_over_single_faces_and_batches() -> None:
    faces = np.zeros((3, 1, 2, 2), np.uint8)
    sizes = []

    def one(part: Any) -> Any:
        sizes.append(len(part))
        return np.full((len(part), 2), 0.5, np.float32)

    def two(part: Any) -> Any:
        return one(part) + np.float32(0.25 * (len(part) == 2))

    assert largest_difference(one, two, faces) == 0.25 and set(sizes) == {1, 2}


class Biased(Method):
    """Says more of the first class the more faces it is shown; a trace keeps it for two faces."""

    def __init__(self, inner: Method) -> None:
        super().__init__(inner.task)
        self.linear = inner.linear

    def forward(self, lr: torch.Tensor) -> torch.Tensor:
        shift = torch.tensor([float(int(lr.shape[0])), 0.0, 0.0, 0.0])
        return self.linear(self.enlarge(lr).flatten(1)) + shift


def test_a_model_that_fixed_the_number_of_faces_is_found(predictor: Predictor) -> None:
    """A trace writes down what happened: here, that there were two faces."""
    with pytest.raises(UserError, match="does not answer as torch does"):
        exported(replace(predictor, method=Biased(predictor.method).eval()), "torchscript")


class Fixed(Biased):
    """Cuts its answers into as many faces as there were when it was traced."""

    def forward(self, lr: torch.Tensor) -> torch.Tensor:
        count = int(lr.shape[0])
        return self.linear(self.enlarge(lr).flatten(1)).reshape(count, 4)


def test_a_model_that_cannot_be_asked_about_other_numbers_of_faces(predictor: Predictor) -> None:
    with pytest.raises(UserError, match="a batch of 1"):
        exported(replace(predictor, method=Fixed(predictor.method).eval()), "torchscript")


def test_another_number_of_answers_is_no_small_difference() -> None:
    faces = np.zeros((3, 1, 2, 2), np.uint8)
    assert largest_difference(
        lambda part: np.zeros((len(part), 2), np.float32),
        lambda part: np.zeros((1, 2), np.float32),
        faces,
    ) == float("inf")


def test_without_its_data_set_other_faces_stand_in(
    predictor: Predictor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LRFER_CACHE", str(tmp_path))
    found = faces_of(predictor)
    assert found.named == "100 test faces of synthface" and found.images.shape == (100, 1, 8, 8)
    in_colour = faces_of(replace(predictor, channels=3))
    assert in_colour.images.shape == (100, 3, 8, 8) and in_colour.images.std() > 10


def test_a_teacher_is_left_out_and_a_stage_that_answers_is_not() -> None:
    faces = np.zeros((2, 1, 12, 12), np.uint8)
    names = {}
    for name in ("kd", "enlarge"):
        method: Any = SimpleNamespace(method=fresh(name).eval())
        names[name] = set(safetensors.torch.load(to_safetensors.write(method, faces, {})))
    assert names["kd"] and not any(key.startswith("stages.") for key in names["kd"])
    assert names["enlarge"] and all(
        key.startswith("stages.classifier.") for key in names["enlarge"]
    )


def test_a_weight_that_the_file_lacks_breaks_the_answers(predictor: Predictor) -> None:
    faces = faces_of(predictor).images
    data = to_safetensors.write(predictor, faces, {})
    part = safetensors.torch.load(data)
    del part["linear.bias"]
    broken = to_safetensors.answers(safetensors.torch.save(part), predictor, faces)
    assert np.isnan(broken).all()
    assert not np.isnan(probabilities(Whole(predictor.method), faces)).any(), "it itself is whole"


def test_the_licence_names_the_data_s_and_that_of_weights(predictor: Predictor) -> None:
    record = predictor.record
    assert "licence not known" in licence(predictor)
    data = record.dataset.model_copy(update={"name": "rafdb"})
    method = record.method.model_copy(update={"weights": ["my net (free).x sha256:0a1b2c3d4e5f"]})
    other = record.model_copy(update={"dataset": data, "method": method})
    said = licence(replace(predictor, record=other))
    assert "research only" in said and "started from my net (free).x, whose" in said
    assert "(my net (free).x)" in to_safetensors.elsewhere(replace(predictor, record=other))


def test_what_was_only_tested_here_claims_no_training(predictor: Predictor) -> None:
    told = about(predictor)
    assert (told["synthetic"], told["trained_protocol"]) == ("true", "bicubic@1")
    assert told["trained_on"] == "bicubic@1 x2"
    assert told["learned_on"] == "tinyfaces (synthetic faces)"
    record = predictor.record
    method = record.method.model_copy(
        update={"existing": True, "weights": ["net.pth sha256:0a1b2c3d4e5f"]}
    )
    told = about(replace(predictor, record=record.model_copy(update={"method": method})))
    assert not {"synthetic", "trained_protocol", "trained_on"} & told.keys()
    assert "not known" in told["learned_on"] and told["dataset"] == "tinyfaces"
    said = told["licence"]
    assert "ask its makers" in said and "only tested on tinyfaces" in said
    assert "trained on" not in said and "started from" not in said


@pytest.mark.parametrize(("out", "format", "meant"), [
    ("a.onnx", None, "onnx"), ("a.PT", None, "torchscript"), ("a", None, "onnx"),
    ("a.safetensors", None, "safetensors"), ("a.model", "torchscript", "torchscript"),
])  # fmt: skip
def test_the_format_that_is_meant(out: str, format: str | None, meant: str) -> None:
    assert format_of(Path(out), format) == meant


def test_a_file_of_one_format_with_the_ending_of_another_is_refused() -> None:
    with pytest.raises(UserError, match=r"a\.pt has the ending of torchscript.*end with \.onnx"):
        format_of(Path("a.pt"), "onnx")


def test_a_folder_that_is_shut_is_a_sentence(predictor: Predictor, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = exported(predictor, "safetensors")
    with pytest.raises(MachineError, match="--out"):
        put(found, tmp_path / "file" / "a.safetensors")


def test_without_the_packages_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UserError, match=r"lrfer-bench\[onnx\]"):
        to_onnx.packages()


@pytest.mark.parametrize("mode", ["bicubic", "bilinear"])
@pytest.mark.parametrize(("size", "target"), [((12, 12), (24, 24)), ((48, 48), (24, 30)),
                                              ((25, 13), (7, 13))])  # fmt: skip
def test_a_resize_is_two_products(
    mode: str, size: tuple[int, int], target: tuple[int, int]
) -> None:
    images = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0))
    rows, columns = (to_onnx.axis_weights(n, t, mode) for n, t in zip(size, target, strict=True))
    wanted = torch.nn.functional.interpolate(images, size=target, mode=mode, antialias=True)
    torch.testing.assert_close(rows @ images @ columns.T, wanted, rtol=1e-5, atol=1e-5)


def test_bilinear_halving_by_hand() -> None:
    """Halving four pixels: a triangle of width 4 over them, cut at the borders."""
    wanted = np.array([[3, 3, 1, 0], [0, 1, 3, 3]]) / 7
    np.testing.assert_allclose(to_onnx.axis_weights(4, 2, "bilinear").numpy(), wanted, atol=1e-6)


def test_exporting_leaves_the_model_as_it_was(predictor: Predictor) -> None:
    """torch's exporter puts modules into training mode when it is done, unless it is told not to.

    Dropout would then make the model's own answers random.
    """
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    faces = faces_of(predictor).images
    before = probabilities(Whole(predictor.method), faces)
    to_onnx.write(predictor, faces, {})
    assert not any(part.training for part in predictor.method.modules())
    assert (probabilities(Whole(predictor.method), faces) == before).all()
