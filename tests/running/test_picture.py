"""The live picture of a run: what it shows, and that it fits narrow terminals."""

from __future__ import annotations

import io
import time

import pytest
from rich.console import Console

from lrfer_bench.running.picture import live, picture
from lrfer_bench.running.status import STILL_SECONDS, Status
from lrfer_bench.training.loop import Progress

LONG = "train gmenet[attention=none,kd_weight=0.5], bicubic@1 x4, seed 0"


def status_of(**more: object) -> Status:
    """15 cells to test, 9 models to train; one training and one test are running."""
    status = Status(cells=18, trainings=9, kept=3, finished=5, trained=3, slots=2, **more)  # type: ignore[arg-type]
    status.started -= 600
    status.training_seconds = [120.0]
    status.running = {
        "a": (LONG, Progress(3, 30, 450, 900, {"ce": 1.2, "distil": 0.3}, 812.0, 0.1)),
        "b": ("test direct, bicubic@1 x2, seed 0", None),
    }
    return status


def lines_of(status: Status, width: int) -> list[str]:
    console = Console(width=width, file=io.StringIO())
    console.print(picture(status))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize("width", [80, 60])
def test_it_fits_with_a_line_a_worker(width: int) -> None:
    lines = lines_of(status_of(), width)
    assert max(map(len, lines)) <= width
    assert [line.split()[0] for line in lines[-2:]] == ["train", "test"]
    assert sum("epoch 3/30, 50 %" in line for line in lines) == 1
    assert "━" in lines[0] and "10 min gone" in lines[0] and "left" in lines[0]
    assert "5/15 cells done" in lines[1]


def test_the_share_counts_the_begun_part_of_trainings() -> None:
    """3 models, 5 cells and half a model, of 9 models and 15 cells."""
    assert status_of().share == pytest.approx((3 + 5 + 0.5) / (9 + 15))
    assert Status(cells=3, trainings=0, kept=3).share == 1.0
    assert f"{100 * 8.5 / 24:.0f} %" in lines_of(status_of(), 80)[0]


def test_a_worker_that_stands_still_says_so_in_its_line() -> None:
    moved = {"a": time.monotonic() - 2 * STILL_SECONDS, "b": time.monotonic()}
    lines = lines_of(status_of(moved=moved), 80)
    assert "no step for 4 min" in lines[-2] and "epoch" not in lines[-2]


def test_more_jobs_than_there_is_room_for_are_counted() -> None:
    status = status_of()
    status.running = {str(k): (f"train {k}", None) for k in range(10)}
    lines = lines_of(status, 80)
    assert lines[-1].strip() == "and 2 more" and len(lines) == 2 + 8 + 1


def test_news_stay_above_the_picture() -> None:
    status = Status(cells=1, trainings=0)
    console = Console(width=80, file=io.StringIO(), force_terminal=True)
    with live(status, console) as listener:
        status.note = "a worker died"
        listener(status)
        status.note, status.finished = "", 1
    assert isinstance(console.file, io.StringIO)
    said = console.file.getvalue()
    assert "note: a worker died" in said and said.rindex("1/1 cells done") > said.index("note:")
