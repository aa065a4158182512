"""Curves of trainings: what is written, where, and that it changes no bit of a training."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from lrfer_bench.contract.preset import preset_of
from lrfer_bench.errors import UserError
from lrfer_bench.planning.build import build_plan
from lrfer_bench.planning.plan import DataRef, Training
from lrfer_bench.planning.request import Request
from lrfer_bench.running.training_log import TensorBoardLog, folder_of, open_log
from lrfer_bench.store.schema import Record
from lrfer_bench.store.store import Store
from lrfer_bench.training.loop import Progress

DATA = DataRef("faces", "f" * 64, "/somewhere", ("a", "b", "c"), 1, (48, 48), False)


def trainings(*methods: str) -> list[Training]:
    request = Request(methods=methods, scales=(2, 4), preset=preset_of("cpu@2"))
    return list(build_plan(request, DATA).trainings.values())


class Writer:
    """What SummaryWriter is asked for."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.scalars: list[tuple[str, float, int]] = []
        self.closed = False

    def add_scalar(self, name: str, value: float, step: int) -> None:
        self.scalars.append((name, value, step))

    def close(self) -> None:
        self.closed = True


def test_all_that_a_training_tells_is_written_over_steps(tmp_path: Path) -> None:
    writers: list[Writer] = []

    def writer_of(folder: str) -> Writer:
        writers.append(Writer(folder))
        return writers[-1]

    log = TensorBoardLog(tmp_path, writer_of)
    first, second = trainings("direct")
    log.told(first, Progress(0, 2, 10, 40, {"ce": 1.5}, 900.0, 0.1, None, {"body": 0.02}))
    log.told(first, Progress(1, 2, 20, 40, {"ce": 1.25}, 800.0, 0.1, 0.5, {"body": 0.01}))
    log.told(second, Progress(0, 2, 10, 40, {"ce": 9.0}, 900.0))
    assert writers[0].scalars == [
        ("loss/ce", 1.5, 10), ("rate/body", 0.02, 10), ("speed/faces_per_second", 900.0, 10),
        ("loss/ce", 1.25, 20), ("rate/body", 0.01, 20), ("speed/faces_per_second", 800.0, 20),
        ("validation/score", 0.5, 20),
    ]  # fmt: skip
    log.ended(first)
    assert [writer.closed for writer in writers] == [True, False]
    log.close()
    assert writers[1].closed
    assert writers[0].folder != writers[1].folder


def test_folders_are_named_as_the_tables_name_things(tmp_path: Path) -> None:
    hr, low, _ = trainings("gmenet[heads=2]")
    assert folder_of(tmp_path, low).relative_to(tmp_path).parts == (
        "faces_bicubic@1_cpu@2", "gmenet[heads=2]", f"x2_s0_{low.key[:8]}",
    )  # fmt: skip
    assert folder_of(tmp_path, hr).name.startswith("HR_s0_")
    odd = DataRef("my: faces/2", "f" * 64, "", ("a", "b"), 1, (48, 48), False)
    request = Request(methods=["direct"], scales=(2,), preset=preset_of("cpu"))
    (training,) = build_plan(request, odd).trainings.values()
    assert folder_of(tmp_path, training).relative_to(tmp_path).parts[0].startswith("my-faces-2_")


def test_a_log_that_cannot_be_written_ends_no_run(
    quickly: Any, tiny: list[str], tmp_path: Path
) -> None:
    pytest.importorskip("tensorboard")
    (tmp_path / "tensorboard").write_text("somebody's file in its place")
    words = ["run", *tiny, "--methods", "linear", "--scales", "2", "--no-report", "--workers", "1"]
    done = quickly(*words, "--log", "tensorboard", "--results", tmp_path)
    assert done.returncode == 0, done.stderr
    assert (done.stdout + done.stderr).count("the log cannot be written (") == 1
    assert [record.status for record in Store(tmp_path).scan()] == ["finished"]  # type: ignore[union-attr]


def test_another_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="tensorboard"):
        open_log("tensorbord", tmp_path)


def test_where_tensorboard_is_missing_its_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(UserError, match=r"lrfer-bench\[tensorboard\]"):
        open_log("tensorboard", tmp_path)


def test_a_run_with_a_log_has_the_bits_and_keys_of_one_without(
    quickly: Any, tiny: list[str], tmp_path: Path
) -> None:
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    words = ["run", *tiny, "--methods", "linear", "--scales", "2", "--no-report", "--workers", "1"]
    for folder, more in (("without", []), ("with", ["--log", "tensorboard"])):
        done = quickly(*words, *more, "--results", tmp_path / folder)
        assert done.returncode == 0, done.stderr
    models = [
        {
            path.name: path.read_bytes()
            for path in Store(tmp_path / name).models.glob("*.safetensors")
        }
        for name in ("without", "with")
    ]
    assert models[0] and models[0] == models[1]
    assert not (tmp_path / "without" / "tensorboard").exists()
    (folder,) = {path.parent for path in (tmp_path / "with" / "tensorboard").rglob("events.*")}
    found = events.EventAccumulator(str(folder)).Reload()
    (record,) = Store(tmp_path / "with").scan()
    assert isinstance(record, Record) and record.selection is not None
    scores = [event.value for event in found.Scalars("validation/score")]
    assert len(scores) == record.selection.epochs, "one validation an epoch"
    assert {"loss/ce", "speed/faces_per_second"} <= set(found.Tags()["scalars"])
    assert any(name.startswith("rate/") for name in found.Tags()["scalars"])
