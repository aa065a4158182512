"""A checkpoint is whole and of this very training, or the training begins anew."""

from __future__ import annotations

import copy
import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from made import CPU, made_faces, tiny_preset
from torch import nn

from lrfer_bench.contract.method import Batch, Method, Task
from lrfer_bench.errors import MachineError
from lrfer_bench.protocols.resample import Bicubic
from lrfer_bench.training.batches import BatchSource
from lrfer_bench.training.checkpoint import load_checkpoint, save_checkpoint
from lrfer_bench.training.loop import Note, Trained, train

PRESET = tiny_preset()
FACES = made_faces(24, side=12)
CLASSES = int(FACES.labels.max()) + 1


class Small(Method):
    """A hidden layer of any width, and a norm."""

    def __init__(self, task: Task, width: int = 3) -> None:
        super().__init__(task)
        pixels = task.channels * 144
        self.net = nn.Sequential(
            nn.Flatten(), nn.Linear(pixels, width), nn.BatchNorm1d(width), nn.Dropout(0.1),
            nn.Linear(width, task.classes),
        )  # fmt: skip

    def forward(self, lr: torch.Tensor) -> torch.Tensor:
        return self.net(self.enlarge(lr))

    def losses(self, batch: Batch) -> dict[str, torch.Tensor]:
        return {"ce": F.cross_entropy(self.net(self.enlarged(batch)), batch.label)}


def run(
    checkpoint: Path | None, notes: list[str], stop: int | None = None, **sizes: int
) -> Trained:
    torch.manual_seed(3)
    method = Small(Task(CLASSES, FACES.images.shape[1], (12, 12), (2,), PRESET), **sizes)
    source = BatchSource(FACES, Bicubic(), (2,), PRESET.batch, PRESET.shift, "k", CPU)

    def tell(told: Any) -> None:
        if isinstance(told, Note):
            notes.append(told.text)
        elif stop is not None and told.epoch >= stop and told.val_score is None:
            raise InterruptedError

    return train(method, source, lambda method: 0.5, checkpoint, tell)


@pytest.fixture(scope="module")
def alone() -> Trained:
    return run(None, [])


@pytest.fixture
def stopped(tmp_path: Path) -> Path:
    """The checkpoint of the first epoch."""
    path = tmp_path / "c.ckpt"
    with pytest.raises(InterruptedError):
        run(path, [], stop=1)
    assert load_checkpoint(path, "k")[0] is not None
    return path


def same(one: Trained, two: Trained) -> bool:
    return all(torch.equal(one.weights[name], two.weights[name]) for name in one.weights)


def test_the_made_training_is_long_enough() -> None:
    assert PRESET.epochs > 1


def test_a_turned_bit_is_noticed_wherever_it_is(stopped: Path) -> None:
    whole = stopped.read_bytes()
    step = max(len(whole) // 400, 1)
    for at in {0, 1, 40, 90, 100, len(whole) - 1, *range(0, len(whole), step)}:
        turned = bytearray(whole)
        turned[at] ^= 1 << at % 8
        stopped.write_bytes(turned)
        state, why = load_checkpoint(stopped, "k")
        assert state is None and "checksum" in why


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[:-1],
        lambda data: data + b"\0",
        lambda data: data[len(data) // 2 :],
        lambda data: b"",
        lambda data: data[data.index(b"\n") + 1 :],  # as earlier versions wrote them
        lambda data: data.replace(b"\n", b"\r\n", 1),
    ],
)
def test_a_damaged_one_ends_with_the_bits_of_an_undisturbed_training(
    spoil: Callable[[bytes], bytes], stopped: Path, alone: Trained
) -> None:
    stopped.write_bytes(spoil(stopped.read_bytes()))
    notes: list[str] = []
    assert same(run(stopped, notes), alone)
    assert len(notes) == 1 and "starts anew" in notes[0]
    assert stopped.with_name("c.ckpt.unusable").exists()


def rename(state: dict[str, Any]) -> None:
    state["method"]["net.9.weight"] = state["method"].pop("net.1.weight")


def reshape(state: dict[str, Any]) -> None:
    state["method"]["net.1.weight"] = torch.zeros(2, 2)


def reshape_kept(state: dict[str, Any]) -> None:
    state["kept"] = {name: value[:1] for name, value in state["method"].items() if value.ndim}


def fewer_groups(state: dict[str, Any]) -> None:
    for optimizer in state["optimizers"].values():
        optimizer["param_groups"] = []


def no_optimizer(state: dict[str, Any]) -> None:
    state["optimizers"] = {}


def no_history(state: dict[str, Any]) -> None:
    del state["history"]


def other_mean(state: dict[str, Any]) -> None:
    state["mean"] = {} if state["mean"] is not None else None
    state["kept"] = 3


@pytest.mark.parametrize(
    "change", [rename, reshape, reshape_kept, fewer_groups, no_optimizer, no_history, other_mean]
)
def test_one_that_fits_the_key_but_not_the_method_is_set_aside(
    change: Callable[[dict[str, Any]], None], stopped: Path, alone: Trained
) -> None:
    state, _ = load_checkpoint(stopped, "k")
    assert state is not None
    state = copy.deepcopy(
        {name: state[name] for name in state if name not in ("key", "arithmetic")}
    )
    change(state)
    save_checkpoint(stopped, "k", state)
    notes: list[str] = []
    assert same(run(stopped, notes), alone)
    assert len(notes) == 1 and "does not fit the method" in notes[0]


def test_one_of_a_wider_network_is_set_aside(stopped: Path) -> None:
    notes: list[str] = []
    assert same(run(stopped, notes, width=5), run(None, [], width=5))
    assert "does not fit the method" in notes[0]


def test_a_sound_one_is_gone_on_from(stopped: Path, alone: Trained) -> None:
    notes: list[str] = []
    assert same(run(stopped, notes), alone) and not notes


def test_a_folder_in_its_place_is_set_aside(tmp_path: Path, alone: Trained) -> None:
    (tmp_path / "c.ckpt").mkdir()
    notes: list[str] = []
    assert same(run(tmp_path / "c.ckpt", notes), alone) and "folder" in notes[0]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO])
def test_a_disk_that_refuses_fails_no_training(
    number: int, tmp_path: Path, alone: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    notes: list[str] = []
    assert same(run(tmp_path / "c.ckpt", notes), alone)
    assert len(notes) == 1 and "goes on without a checkpoint" in notes[0]
    assert not list(tmp_path.iterdir())


def test_one_that_cannot_be_read_now_is_left_alone(
    stopped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stopped.read_bytes()

    def refuse(*_: Any) -> bytes:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", refuse)
        with pytest.raises(MachineError, match="try again later"):
            run(stopped, [])
    assert stopped.read_bytes() == before
